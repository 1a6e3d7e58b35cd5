import type { Command } from "commander";
import type { Facts, Version } from "../gateway/control/index.ts";
import { type CloudOptions, withCloud } from "./connection.ts";
import { client, type CommandContext, type JsonOption, withJson } from "./context.ts";
import type { ControlClient } from "./control-client.ts";
import { whole } from "./numbers.ts";
import type { Printer } from "./printer.ts";

type Options = CloudOptions & JsonOption;

export interface ApplyOptions extends Options {
  readonly basedOn?: number;
  readonly note?: string;
}

export function addFactsCommands(program: Command, context: CommandContext): void {
  const { printer } = context;
  const group = program.command("facts").description("facts: sites, who runs them under which law, certificates");
  withShown(group.command("show").description("print the facts as they were applied")).action(
    async (options: Options & { number?: number }) => {
      const facts = await client(context, options).get<Facts>("/facts", { version: options.number?.toString() });
      if (options.json === true) return printer.json(facts);
      printer.note(versionText("facts", facts));
      printer.warnings(facts.warnings);
      const { stringify } = await import("yaml");
      return printer.text(stringify(facts.document));
    },
  );
  withApplied(group.command("apply <file>").description("apply a document of facts, whole, from YAML or JSON")).action(
    async (path: string, options: ApplyOptions) => {
      const { checkedFacts } = await import("./policy-check.ts");
      const document = checkedFacts(path, context.surroundings).written;
      const cloud = client(context, options);
      const basedOn = options.basedOn ?? (await newestOf(cloud, "/facts"));
      const body = { basedOn, note: options.note, document };
      showApplied(printer, "facts", await cloud.send<Facts>("PUT", "/facts", body), options);
    },
  );
  addHistory(group, "facts", context);
}

/** The newest version's number: what a change that says nothing else stands on. */
export async function newestOf(cloud: ControlClient, path: string): Promise<number> {
  return (await cloud.get<Version>(path)).version;
}

export function withShown(command: Command): Command {
  return withJson(withCloud(command)).option(
    "--number <version>",
    "another version than the one that holds",
    whole(1, 1_000_000_000),
  );
}

export function withApplied(command: Command): Command {
  return withJson(withCloud(command))
    .option(
      "--based-on <version>",
      "the version that it was made from: refused where another one was applied since; default: the newest",
      whole(0, 1_000_000_000),
    )
    .option("--note <text>", "what it is for");
}

const kinds = { facts: "facts", policies: "policies", "price-book": "price book" } as const;

export function addHistory(group: Command, path: keyof typeof kinds, context: CommandContext): void {
  const { printer } = context;
  const kind = kinds[path];
  withJson(
    withCloud(group.command("history").description(`list the versions of the ${kind}, the newest first`)),
  ).action(async (options: Options) => {
    const rows = await client(context, options).list<Version>(`/${path}/history`);
    if (options.json === true) return printer.json(rows);
    return printer.table<Version>(
      [
        { title: "VERSION", text: ({ version }) => String(version), align: "right" },
        { title: "AT", text: ({ at }) => at ?? "" },
        { title: "BY", text: ({ by }) => by ?? "" },
        { title: "SHA256", text: ({ sha256 }) => sha256.slice(0, 12) },
        { title: "NOTE", text: ({ note }) => note ?? "" },
      ],
      rows,
      kind === "price book" ? "None was ever applied." : `No ${kind} were ever applied.`,
    );
  });
}

export function showApplied(
  printer: Printer,
  kind: string,
  applied: Version & { readonly warnings: string[] },
  { json }: JsonOption,
): void {
  printer.warnings(applied.warnings);
  if (json === true) return printer.json(applied);
  return printer.text(`${versionText(kind, applied)}\n`);
}

export function versionText(kind: string, { version, sha256, by, at, note }: Version): string {
  if (version === 0) return `No ${kind} were ever applied.`;
  return `Version ${version} of the ${kind}, ${sha256.slice(0, 12)}, applied by ${by} at ${at}${note === null ? "" : `: ${note}`}.`;
}
