import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { type Command, InvalidArgumentError } from "commander";
import { type CloudOptions, dataOption, readSecret, urlOf } from "./connection.ts";
import { type CommandContext, type JsonOption, withJson, withRequired } from "./context.ts";
import { CommandFailure, failureOfBody } from "./failure.ts";
import { ask, readText } from "./http.ts";
import { allFacts, mainFacts, readStatement } from "./receipt-facts.ts";

export function addReceiptCommands(program: Command, context: CommandContext): void {
  const group = program.command("receipt").description("receipts: fetch them, read them, and verify them offline");
  addVerify(group, context);
  addShow(group, context);
  addGet(group, context);
}

interface VerifyOptions extends JsonOption {
  readonly key: string;
  readonly request?: string;
  readonly response?: string;
  readonly digestKey?: string;
  readonly tenant?: string;
  readonly at?: number;
}

const receiptBytesMax = 1 << 20;
const bodyBytesMax = 1 << 30;

function addVerify(group: Command, context: CommandContext): void {
  const description =
    "verify a receipt with no server and no network; exit code 0: valid, 1: invalid, 2: it could not be checked";
  const command = withJson(group.command("verify <file>").description(description));
  withRequired(command, "--key <file>", "the public keys, as /.well-known/bailiwick/keys serves them")
    .option("--request <file>", "the request's exact bytes: check that the receipt speaks of them")
    .option("--response <file>", "the answer's exact bytes, likewise")
    .option("--digest-key <file>", "the project's digest key, which --request and --response need")
    .option("--tenant <id>", "the project that it must be for")
    .option("--at <time>", "a moment by which the request must have ended", parseTime)
    .action(async (file: string, options: VerifyOptions) => {
      const { printer } = context;
      const { outcome, reason, checked } = await verify(file, options, context);
      context.end(outcome === "valid" ? 0 : outcome === "invalid" ? 1 : 2);
      const words = { valid: "valid", invalid: "INVALID", unchecked: "could not be checked" }[outcome];
      if (options.json === true) return printer.json({ valid: outcome === "valid", reason, checked });
      printer.facts([
        ["receipt", outcome === "valid" ? words : `${words}: ${reason}`],
        ["checked", checked.join(", ") || "nothing"],
      ]);
      // What does not hold is not repeated.
      if (outcome !== "valid") return undefined;
      printer.text("\n");
      return printer.facts(mainFacts(readReceipt(file, context)));
    });
}

function addShow(group: Command, { printer, surroundings }: CommandContext): void {
  const description = "show what a receipt states, with no server; with --json the statement itself";
  withJson(group.command("show <file>").description(description)).action((file: string, options: JsonOption) => {
    const statement = readReceipt(file, { surroundings });
    if (options.json === true) return printer.json(statement);
    printer.facts(allFacts(statement));
    return printer.note("This is what the file says; `npx bailiwick receipt verify` finds out whether it holds.");
  });
}

function readReceipt(file: string, { surroundings }: Pick<CommandContext, "surroundings">) {
  return readStatement(readBounded(resolve(surroundings.currentFolder, file), receiptBytesMax));
}

/** Reads the files and verifies. A file that cannot be read is a check that could not be made. */
async function verify(file: string, options: VerifyOptions, { surroundings }: CommandContext) {
  const { verifyReceipt } = await import("../receipt/index.ts");
  const read = (path: string, mostBytes: number): Buffer =>
    readBounded(resolve(surroundings.currentFolder, path), mostBytes);
  const readIf = (name: "request" | "response" | "digestKey", mostBytes: number) => {
    const path = options[name];
    return path === undefined ? {} : { [name]: read(path, mostBytes) };
  };
  try {
    return verifyReceipt({
      receipt: read(file, receiptBytesMax),
      keys: read(options.key, receiptBytesMax),
      ...readIf("request", bodyBytesMax),
      ...readIf("response", bodyBytesMax),
      ...readIf("digestKey", receiptBytesMax),
      ...(options.tenant === undefined ? {} : { tenant: options.tenant }),
      ...(options.at === undefined ? {} : { atMs: options.at }),
    });
  } catch (error) {
    if (!(error instanceof CommandFailure)) throw error;
    return { outcome: "unchecked" as const, reason: error.message, checked: [] };
  }
}

function readBounded(path: string, mostBytes: number): Buffer {
  try {
    const { size } = statSync(path);
    if (size > mostBytes) throw new Error(`it has more than ${mostBytes} bytes`);
    return readFileSync(path);
  } catch (error) {
    throw new CommandFailure("unreadable_file", `${path} cannot be read: ${(error as Error).message}`, {
      next: "Name a file that is there and that this user may read.",
    });
  }
}

function parseTime(text: string): number {
  const atMs = Date.parse(text);
  if (!/^\d{4}-\d{2}-\d{2}(T.*(Z|[+-]\d{2}:\d{2}))?$/.test(text) || Number.isNaN(atMs)) {
    throw new InvalidArgumentError("It must be a day (2026-12-31) or an instant (2026-12-31T12:00:00Z).");
  }
  return atMs;
}

interface GetOptions extends CloudOptions, JsonOption {
  readonly apiKeyFile?: string;
  readonly to: string;
}

function addGet(group: Command, context: CommandContext): void {
  const { printer, surroundings } = context;
  const description = "fetch a receipt with its project's key, and save it with the public keys and the digest key";
  withJson(group.command("get <id>").description(description))
    .addOption(dataOption())
    .option("--url <url>", "a cloud elsewhere, instead of the data folder's")
    .option("--api-key-file <file>", "the file that holds the project's key; default: the variable BAILIWICK_KEY")
    .option("--to <folder>", "where to save the files", ".")
    .action(async (id: string, options: GetOptions) => {
      if (!/^rcpt_[0-9A-Z]{26}$/.test(id)) {
        throw new CommandFailure("invalid_option", `"${id}" is not a receipt's id.`, {
          next: "Take it from the answer's `bailiwick-receipt` header.",
        });
      }
      const url = urlOf(options, surroundings);
      const token = tenantKey(options, context);
      const receipt = await fetchText(new URL(`/v1/receipts/${id}`, url), token);
      const keys = await fetchText(new URL("/.well-known/bailiwick/keys", url), token);
      const digestKey = await fetchText(new URL("/v1/receipts/digest-key", url), token);
      const folder = resolve(surroundings.currentFolder, options.to);
      const files = {
        receipt: join(folder, `${id}.json`),
        keys: join(folder, "bailiwick-keys.json"),
        digestKey: join(folder, "bailiwick-digest-key.json"),
      };
      save(folder, [
        [files.receipt, receipt, 0o644],
        [files.keys, keys, 0o644],
        // Whoever has it can test guesses of the project's texts against its receipts.
        [files.digestKey, digestKey, 0o600],
      ]);
      if (options.json === true) return printer.json(files);
      printer.facts(Object.entries(files));
      const { receipt: file, keys: keyFile, digestKey: digestKeyFile } = quoted(files);
      return printer.note(
        `Verify it with: npx bailiwick receipt verify ${file} --key ${keyFile} --digest-key ${digestKeyFile}\n` +
          "Add --request FILE and --response FILE to check that it speaks of these bytes.",
      );
    });
}

/** Paths as a shell takes them. */
function quoted<Name extends string>(paths: Readonly<Record<Name, string>>): Readonly<Record<Name, string>> {
  const words = Object.entries<string>(paths).map(([name, path]) => [
    name,
    /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`,
  ]);
  return Object.fromEntries(words) as Record<Name, string>;
}

function tenantKey({ apiKeyFile }: GetOptions, { surroundings }: CommandContext): string {
  if (apiKeyFile !== undefined) {
    return readSecret(resolve(surroundings.currentFolder, apiKeyFile), "the project's key", "--api-key-file");
  }
  const key = surroundings.environment["BAILIWICK_KEY"];
  if (key !== undefined && key !== "") return key;
  throw new CommandFailure("missing_key", "No key of the project is given.", {
    next: "Set BAILIWICK_KEY, or name the key's file with --api-key-file.",
  });
}

async function fetchText(url: URL, token: string): Promise<string> {
  const answer = await ask({ method: "GET", url, token, idleTimeoutMs: 60_000 });
  const text = await readText(answer, url);
  if (answer.status >= 400) throw failureOfBody(answer.status, text);
  return text;
}

/** A receipt's bytes are saved as they came: another line feed would make it another file. */
function save(folder: string, files: readonly (readonly [path: string, text: string, mode: number])[]): void {
  try {
    mkdirSync(folder, { recursive: true });
    for (const [path, text, mode] of files) writeFileSync(path, text, { mode });
  } catch (error) {
    throw new CommandFailure("unwritable_file", `${folder} cannot be written: ${(error as Error).message}`, {
      next: "Name a folder that this user may write with --to.",
    });
  }
}
