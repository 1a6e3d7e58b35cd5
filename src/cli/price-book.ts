import type { Command } from "commander";
import type { PriceBook, Version } from "../gateway/control/index.ts";
import type { RatedBook } from "../ledger/index.ts";
import { type CloudOptions, withCloud } from "./connection.ts";
import { client, type CommandContext, type JsonOption, withJson } from "./context.ts";
import { addHistory, type ApplyOptions, newestOf, showApplied, versionText, withApplied, withShown } from "./facts.ts";

type Options = CloudOptions & JsonOption;

/** A value of the document that is not the same in both. */
interface Difference {
  readonly path: string;
  /** null: it is not there. */
  readonly before: string | null;
  readonly after: string | null;
}

export function addPriceBookCommands(program: Command, context: CommandContext): void {
  const { printer } = context;
  const group = program.command("price-book").description("prices, contracts and taxes that bills are made by");
  withShown(
    group.command("show").description("print the price book, with the names that organisations have today"),
  ).action(async (options: Options & { number?: number }) => {
    const book = await client(context, options).get<PriceBook>("/price-book", {
      version: options.number?.toString(),
    });
    if (options.json === true) return printer.json(book);
    printer.note(
      book.version === 0
        ? "None was ever applied: these are the settings' `prices`, to go on from."
        : versionText("price book", book),
    );
    const { stringify } = await import("yaml");
    return printer.text(stringify(book.document));
  });
  withApplied(group.command("apply <file>").description("apply a price book, whole, from YAML or JSON")).action(
    async (path: string, options: ApplyOptions) => {
      const { document } = await checkedBook(path, context);
      const cloud = client(context, options);
      const basedOn = options.basedOn ?? (await newestOf(cloud, "/price-book"));
      const body = { basedOn, note: options.note, document };
      showApplied(printer, "price book", await cloud.send<PriceBook>("PUT", "/price-book", body), options);
    },
  );
  withJson(
    withCloud(group.command("diff <file>").description("what a file would change; exit code 1: something")),
  ).action(async (path: string, options: Options) => {
    const { document, book } = await checkedBook(path, context);
    const { leftOut, leftOutText } = await import("../ledger/index.ts");
    printer.warnings(leftOutText(leftOut(book, context.surroundings.clock.nowMs())));
    const held = await client(context, options).get<PriceBook & Version>("/price-book");
    const differences = differencesOf(held.document, document);
    context.end(differences.length === 0 ? 0 : 1);
    if (options.json === true) return printer.json(differences);
    return printer.table<Difference>(
      [
        { title: "WHERE", text: ({ path }) => path },
        { title: "BEFORE", text: ({ before }) => before ?? "–" },
        { title: "AFTER", text: ({ after }) => after ?? "–" },
      ],
      differences,
      "It is the one that holds.",
    );
  });
  addHistory(group, "price-book", context);
}

/** What is wrong with a file is told with its lines, before anybody is asked. */
async function checkedBook(
  path: string,
  { surroundings }: CommandContext,
): Promise<{ readonly document: object; readonly book: RatedBook }> {
  const { readBook } = await import("../ledger/index.ts");
  const { documentInvalid, readDocument } = await import("./document-file.ts");
  const file = readDocument(path, surroundings);
  const read = readBook(file.value);
  if (read.outcome === "invalid") throw documentInvalid(path, read.problems.map(file.placed));
  return { document: file.value as object, book: read.book };
}

function differencesOf(before: unknown, after: unknown): readonly Difference[] {
  const [old, now] = [new Map(leavesOf(before, "")), new Map(leavesOf(after, ""))];
  return [...new Set([...old.keys(), ...now.keys()])]
    .map((path) => ({ path, before: old.get(path) ?? null, after: now.get(path) ?? null }))
    .filter((each) => each.before !== each.after);
}

const named = ["version", "contract", "sku", "customer", "jurisdiction"] as const;

/** Every plain value with its path; what has a name of its own in a list is found by it, wherever it stands. */
function leavesOf(value: unknown, path: string): readonly (readonly [string, string])[] {
  if (typeof value !== "object" || value === null) return [[path, JSON.stringify(value)]];
  if (!Array.isArray(value)) {
    return Object.entries(value).flatMap(([name, member]) => leavesOf(member, path === "" ? name : `${path}.${name}`));
  }
  return value.flatMap((item: unknown, index) => {
    const members = (item ?? {}) as Partial<Record<string, unknown>>;
    const name = named.map((key) => members[key]).find((value) => typeof value === "string");
    return leavesOf(item, `${path}[${name ?? index}]`);
  });
}
