import { createHash, type Hash } from "node:crypto";
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Command } from "commander";
import { type CloudOptions, urlOf, withCloud } from "./connection.ts";
import { client, type CommandContext, type JsonOption, withJson, withRequired } from "./context.ts";
import { CommandFailure } from "./failure.ts";
import { ask, readText } from "./http.ts";

type Options = CloudOptions & JsonOption;

interface ExportOptions extends Options {
  readonly out: string;
  readonly except?: readonly string[];
}

/** manifest.json: what an export holds. It is written last, so that a folder without one is no whole export. */
interface ExportManifest {
  readonly format: 1;
  readonly organisation: string;
  readonly exportedAt: string;
  /** Projects that were left out, as they were named; left out: none was. */
  readonly except?: readonly string[];
  readonly files: readonly ExportedFile[];
}

interface ExportedFile {
  readonly name: string;
  readonly rows: number;
  readonly bytes: number;
  /** Lower-case hex, of the file's bytes. */
  readonly sha256: string;
}

const manifestName = "manifest.json";

export function addExportCommands(program: Command, context: CommandContext): void {
  const group = program.command("export").description("everything that a tenant owns, in documented formats");
  const { printer, surroundings } = context;
  const description = "export an organisation: with a key of its own, or an operator's token";
  const command = withJson(withCloud(group.command("organisation <organisation>").description(description)));
  withRequired(command, "--out <folder>", "a folder that is not there yet, or empty")
    .option("--except <project...>", "projects that are left out, with all that is theirs")
    .action(async (organisation: string, options: ExportOptions) => {
      const manifest = await exportInto(
        resolve(surroundings.currentFolder, options.out),
        organisation,
        options,
        context,
      );
      if (options.json === true) return printer.json(manifest);
      return printer.table<ExportedFile>(
        [
          { title: "FILE", text: ({ name }) => name },
          { title: "ROWS", text: ({ rows }) => String(rows), align: "right" },
          { title: "BYTES", text: ({ bytes }) => String(bytes), align: "right" },
          { title: "SHA-256", text: ({ sha256 }) => sha256 },
        ],
        manifest.files,
        "It holds nothing.",
      );
    });
  withJson(
    group.command("check <folder>").description("check an export's digests; exit code 1: it is not as it was made"),
  ).action((folder: string, options: JsonOption) => {
    const wrong = wrongFiles(resolve(surroundings.currentFolder, folder));
    context.end(wrong.length === 0 ? 0 : 1);
    if (options.json === true) return printer.json({ whole: wrong.length === 0, wrong });
    return printer.text(wrong.length === 0 ? "It is whole.\n" : `Not as it was made: ${wrong.join(", ")}.\n`);
  });
}

/** A part's file while it grows. */
interface Growing {
  readonly hash: Hash;
  rows: number;
  bytes: number;
}

async function exportInto(
  folder: string,
  organisation: string,
  options: ExportOptions,
  context: CommandContext,
): Promise<ExportManifest> {
  if (existsSync(folder) && readdirSync(folder).length > 0) {
    throw new CommandFailure("invalid_option", `${folder} is not empty.`, { next: "Name another folder with --out." });
  }
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const growing = new Map<string, Growing>();
  const add = (name: string, text: string, rows: number): void => {
    const file = growing.get(name) ?? { hash: createHash("sha256"), rows: 0, bytes: 0 };
    appendFileSync(join(folder, name), text, { mode: 0o600 });
    file.hash.update(text);
    growing.set(name, Object.assign(file, { rows: file.rows + rows, bytes: file.bytes + Buffer.byteLength(text) }));
  };
  const { except } = options;
  let isWhole = false;
  for await (const { part, row } of client(context, options).lines<{ part: string; row: unknown }>("/exports", {
    organisation,
    ...(except === undefined ? {} : { except }),
  })) {
    isWhole = part === "end";
    if (!isWhole && /^[a-z-]{1,40}$/.test(part)) add(`${part}.ndjson`, `${JSON.stringify(row)}\n`, 1);
  }
  if (!isWhole) {
    throw new CommandFailure("connection_failed", "The export broke off before its end.", {
      next: "Ask for it again, into another folder; the server's log says what happened.",
    });
  }
  const keys = new URL("/.well-known/bailiwick/keys", urlOf(options, context.surroundings));
  add("keys.json", await readText(await ask({ method: "GET", url: keys, token: "", idleTimeoutMs: 60_000 }), keys), 1);
  const files = [...growing].map(([name, { hash, rows, bytes }]) => ({
    name,
    rows,
    bytes,
    sha256: hash.digest("hex"),
  }));
  const exportedAt = new Date(context.surroundings.clock.nowMs()).toISOString();
  const manifest: ExportManifest = { format: 1, organisation, exportedAt, ...(except && { except }), files };
  writeFileSync(join(folder, manifestName), `${JSON.stringify(manifest, undefined, 2)}\n`, { mode: 0o600 });
  return manifest;
}

function wrongFiles(folder: string): readonly string[] {
  const path = join(folder, manifestName);
  if (!existsSync(path)) return [`${manifestName} (there is none: the export is not whole)`];
  const { files } = JSON.parse(readFileSync(path, "utf8")) as ExportManifest;
  return files
    .filter(({ name, sha256 }) => {
      const file = join(folder, name);
      return !existsSync(file) || createHash("sha256").update(readFileSync(file)).digest("hex") !== sha256;
    })
    .map(({ name }) => name);
}
