import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Command } from "commander";
import { dataOption, urlOf } from "./connection.ts";
import { type CommandContext, type JsonOption, withJson } from "./context.ts";
import { CommandFailure, parsed } from "./failure.ts";
import { logKeyFile, proofFileOf } from "./receipt-files.ts";
import { fetchProof, fetchText, isReceiptId, tenantKey, type TenantOptions } from "./tenant.ts";

interface GetOptions extends TenantOptions, JsonOption {
  readonly to: string;
}

/** What a cloud says of its transparency log. */
interface AboutLog {
  readonly keys: readonly string[];
  readonly keyStatement: number | null;
}

export function addGet(group: Command, context: CommandContext): void {
  const description =
    "fetch a receipt with its project's key, and save it with its proof, the public keys and the digest key";
  withJson(group.command("get <id>").description(description))
    .addOption(dataOption())
    .option("--url <url>", "a cloud elsewhere, instead of the data folder's")
    .option("--api-key-file <file>", "the file that holds the project's key; default: the variable BAILIWICK_KEY")
    .option("--to <folder>", "where to save the files", ".")
    .action((id: string, options: GetOptions) => get(id, options, context));
}

async function get(id: string, options: GetOptions, context: CommandContext): Promise<void> {
  const { printer, surroundings } = context;
  if (!isReceiptId(id)) {
    throw new CommandFailure("invalid_option", `"${id}" is not a receipt's id.`, {
      next: "Take it from the answer's `bailiwick-receipt` header.",
    });
  }
  const url = urlOf(options, surroundings);
  const token = tenantKey(options, context);
  const folder = resolve(surroundings.currentFolder, options.to);
  const fetched = {
    receipt: await fetchText(new URL(`/v1/receipts/${id}`, url), token),
    keys: await fetchText(new URL("/.well-known/bailiwick/keys", url), token),
    digestKey: await fetchText(new URL("/v1/receipts/digest-key", url), token),
  };
  const files = {
    receipt: join(folder, `${id}.json`),
    keys: join(folder, "bailiwick-keys.json"),
    digestKey: join(folder, "bailiwick-digest-key.json"),
  };
  save(folder, [
    [files.receipt, fetched.receipt, 0o644],
    [files.keys, fetched.keys, 0o644],
    // Whoever has it can test guesses of the project's texts against its receipts.
    [files.digestKey, fetched.digestKey, 0o600],
  ]);
  const logged = await getProof(id, url, folder, options, context);
  if (options.json === true) return printer.json({ ...files, ...logged });
  printer.facts([...Object.entries(files), ...Object.entries(logged ?? {})]);
  const keyFile = logged?.keyStatement ?? files.keys;
  const proof = logged === undefined ? "" : ` --proof ${quoted(logged.proof)} --log-key ${quoted(logged.logKey)}`;
  return printer.note(
    `Verify it with: npx bailiwick receipt verify ${quoted(files.receipt)} --key ${quoted(keyFile)}${proof} --digest-key ${quoted(files.digestKey)}\n` +
      "Add --request FILE and --response FILE to check that it speaks of these bytes.",
  );
}

/** The proof, and what the log says of the keys; undefined where there is none: an older cloud, an older receipt. */
async function getProof(id: string, url: string, folder: string, options: GetOptions, context: CommandContext) {
  const token = tenantKey(options, context);
  try {
    const proof = await fetchProof(id, options, context);
    // Not before: what the log says of the key that sealed the receipt may have come into it meanwhile.
    const about = parsed(await fetchText(new URL("/.well-known/bailiwick/log", url), token)) as AboutLog;
    const files = {
      proof: proofFileOf(join(folder, `${id}.json`)),
      keyStatement: join(folder, "bailiwick-key-statement.tlog-proof"),
      logKey: join(folder, logKeyFile),
    };
    const statement = await fetchText(new URL(`/log/keys/${about.keyStatement}.tlog-proof`, url), token);
    save(folder, [
      [files.proof, proof, 0o644],
      [files.keyStatement, statement, 0o644],
      [files.logKey, about.keys.map((key) => `${key}\n`).join(""), 0o644],
    ]);
    return files;
  } catch (error) {
    if (!(error instanceof CommandFailure) || !withoutLog.includes(error.code)) throw error;
    context.printer.note(`note: it comes without a proof that it is in a transparency log (${error.code}).`);
    return undefined;
  }
}

const withoutLog = ["not_found", "receipt_not_found", "proof_absent", "proof_pending", "log_unavailable"];

/** A word as a shell takes it. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
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
