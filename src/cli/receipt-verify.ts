import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { type Command, InvalidArgumentError } from "commander";
import type { Said } from "../meaning/index.ts";
import type { Asked, Verdict } from "../verification/index.ts";
import { type CommandContext, type JsonOption, withJson, withRequired } from "./context.ts";
import { CommandFailure, parsed } from "./failure.ts";
import { policyOf, readLogs, readVerifierKeys } from "./log-keys.ts";
import { tilesAt } from "./log-tiles.ts";
import { whole } from "./numbers.ts";
import { readBounded } from "./read-file.ts";
import { mainFacts } from "./receipt-facts.ts";
import { logKeyFile, proofFileOf } from "./receipt-files.ts";
import {
  datedBy,
  type DatedCheckpoint,
  datedFacts,
  datedJson,
  type TimestampOptions,
  withTimestamp,
} from "./timestamp.ts";

interface VerifyOptions extends JsonOption, TimestampOptions {
  readonly key: string;
  readonly proof?: string;
  readonly logKey?: readonly string[];
  readonly checkpoint?: string;
  readonly log?: string;
  readonly witness?: readonly string[];
  readonly quorum?: number;
  readonly sites?: string;
  readonly request?: string;
  readonly response?: string;
  readonly asked?: string;
  readonly answered?: string;
  readonly digestKey?: string;
  readonly tenant?: string;
  readonly at?: number;
}

export const receiptBytesMax = 1 << 20;
const bodyBytesMax = 1 << 30;

export function addVerify(group: Command, context: CommandContext): void {
  const description =
    "verify a receipt with no server and no network; exit code 0: valid, 1: invalid, 2: it could not be checked";
  const command = withJson(group.command("verify <file>").description(description));
  const keys = "the public keys, as /.well-known/bailiwick/keys serves them, or a key statement's proof";
  withRequired(command, "--key <file>", keys);
  withTimestamp(command, "the file of --checkpoint")
    .option("--proof <file>", "the proof that it is in the transparency log: check that it holds")
    .option("--log-key <key...>", "verifier keys of the log, or files of them, which --proof and a key statement need")
    .option(
      "--checkpoint <file>",
      "a checkpoint of the log that was seen before: the log may only have grown since; without --proof it takes the proof and the log's key that `receipt get` has saved beside the receipt",
    )
    .option("--log <place>", "the log's folder or URL, where a newer checkpoint has to be shown to continue that one")
    .option(
      "--witness <key...>",
      "verifier keys of witnesses, or files of them, that must have cosigned the proof's checkpoint",
    )
    .option("--quorum <count>", "how many of them; default: all", whole(1, 16))
    .option("--sites <file>", "the jurisdiction of each site, as JSON: check that the receipt says the same")
    .option("--request <file>", "the request's exact bytes: check that the receipt speaks of them")
    .option("--response <file>", "the answer's exact bytes, likewise")
    .option("--asked <file>", "what an SDK was asked with, as JSON: check that the receipt speaks of it")
    .option("--answered <file>", "what it gave: an answer's object, or the list of a stream's, as JSON; likewise")
    .option("--digest-key <file>", "the project's digest key, which the four above need")
    .option("--tenant <id>", "the project that it must be for")
    .option("--at <time>", "a moment by which the request must have ended", parseTime)
    .action(async (file: string, given: VerifyOptions) => {
      const options = withSaved(file, given, context);
      const judged = unproven(await judge(file, options, context), options);
      const { verdict, dated } = await dating(judged, options, context);
      context.end(verdict.outcome === "valid" ? 0 : verdict.outcome === "invalid" ? 1 : 2);
      await print(verdict, dated, options, context);
    });
}

/**
 * A checkpoint alone says what proof is meant: the one that was saved with the receipt. The log's key beside it needs no
 * further trust, as the checkpoint has to be signed by it.
 */
function withSaved(file: string, options: VerifyOptions, { surroundings }: CommandContext): VerifyOptions {
  if (options.checkpoint === undefined || options.proof !== undefined) return options;
  const receipt = resolve(surroundings.currentFolder, file);
  const proof = proofFileOf(receipt);
  if (!existsSync(proof)) return options;
  const logKey = join(dirname(receipt), logKeyFile);
  const isKeyMissing = options.logKey === undefined && existsSync(logKey);
  return { ...options, proof, ...(isKeyMissing ? { logKey: [logKey] } : {}) };
}

/** What was given to be held against the log, and was not, makes no verdict of validity. */
function unproven(verdict: Verdict, { checkpoint, log, logKey, witness }: VerifyOptions): Verdict {
  if (verdict.outcome !== "valid" || verdict.asOf !== undefined) return verdict;
  const { checked } = verdict;
  const ended = (reason: string): Verdict => ({
    outcome: "unchecked",
    reason,
    checked,
    isFork: false,
    isKeyUnknown: false,
  });
  if (checkpoint !== undefined || log !== undefined) {
    const option = checkpoint === undefined ? "--log" : "--checkpoint";
    return ended(`${option} says as of when a proof holds: give --proof and --log-key too`);
  }
  // A key statement is held against them as well.
  if (checked.includes("key statement") || (logKey === undefined && witness === undefined)) return verdict;
  const option = logKey === undefined ? "--witness" : "--log-key";
  return ended(`${option} is what a proof or a key statement is held against: give --proof too`);
}

type Dated = Extract<DatedCheckpoint, { outcome: "dated" }>;

/**
 * The moment by which the receipt was in the log, where a timestamp of the pinned checkpoint is given: that holds the entry,
 * and the proof's checkpoint was seen to continue it.
 */
async function dating(
  verdict: Verdict,
  options: VerifyOptions,
  { surroundings }: CommandContext,
): Promise<{ readonly verdict: Verdict; readonly dated?: Dated }> {
  if (verdict.outcome !== "valid" || options.timestamp === undefined) return { verdict };
  const { asOf, checked } = verdict;
  const ended = (outcome: "invalid" | "unchecked", reason: string) => ({
    verdict: { outcome, reason, checked, isFork: false, isKeyUnknown: false },
  });
  if (asOf === undefined) return ended("unchecked", "a timestamp dates a place in the log, which takes --proof");
  try {
    const { checkpoint } = options;
    const { currentFolder } = surroundings;
    const pinned =
      checkpoint === undefined ? undefined : readBounded(resolve(currentFolder, checkpoint), receiptBytesMax);
    const dated = await datedBy(options, pinned, surroundings);
    if (dated?.outcome !== "dated") return dated === undefined ? { verdict } : ended(dated.outcome, dated.reason);
    if (asOf.index >= Number(pinned!.toString().split("\n", 2)[1])) {
      return ended("invalid", "the checkpoint that is dated was there before the receipt was in the log");
    }
    return { verdict: { ...verdict, checked: [...checked, "timestamp"] }, dated };
  } catch (error) {
    if (!(error instanceof CommandFailure)) throw error;
    return ended("unchecked", error.message);
  }
}

async function print(
  verdict: Verdict,
  dated: Dated | undefined,
  { json }: JsonOption,
  { printer }: CommandContext,
): Promise<void> {
  const { verdictJson, verdictText } = await import("../verification/index.ts");
  const { outcome, checked } = verdict;
  if (json === true) return printer.json({ ...verdictJson(verdict), ...datedJson(dated) });
  printer.facts([
    ["receipt", verdictText(verdict)],
    ...datedFacts(dated, "it was in the log"),
    ["checked", checked.join(", ") || "nothing"],
  ]);
  // What does not hold is not repeated.
  if (outcome !== "valid") return undefined;
  printer.text("\n");
  return printer.facts(mainFacts(verdict.stated));
}

/** Reads the files and verifies. A file that cannot be read is a check that could not be made. */
async function judge(file: string, options: VerifyOptions, { surroundings }: CommandContext): Promise<Verdict> {
  const { currentFolder } = surroundings;
  const { verify } = await import("../verification/index.ts");
  const read = (path: string, mostBytes: number): Buffer => readBounded(resolve(currentFolder, path), mostBytes);
  const readIf = (
    name: "proof" | "pinned" | "request" | "response" | "digestKey",
    path: string | undefined,
    mostBytes = receiptBytesMax,
  ) => (path === undefined ? {} : { [name]: read(path, mostBytes) });
  const { tenant, at, sites, log, quorum } = options;
  try {
    const witnesses = policyOf(
      await readVerifierKeys(options.witness ?? [], "cosignature", "--witness", surroundings),
      quorum,
    );
    return await verify({
      receipt: read(file, receiptBytesMax),
      keys: read(options.key, receiptBytesMax),
      logs: await readLogs(options.logKey ?? [], "--log-key", surroundings),
      ...(witnesses === undefined ? {} : { witnesses }),
      ...readIf("proof", options.proof),
      ...readIf("pinned", options.checkpoint),
      ...(log === undefined ? {} : { readTile: await tilesAt(log, currentFolder) }),
      ...(sites === undefined ? {} : { sites: sitesIn(read(sites, receiptBytesMax)) }),
      ...readIf("request", options.request, bodyBytesMax),
      ...readIf("response", options.response, bodyBytesMax),
      ...(options.asked === undefined ? {} : { asked: objectIn(read(options.asked, bodyBytesMax), "--asked") as Said }),
      ...(options.answered === undefined
        ? {}
        : { answered: objectIn(read(options.answered, bodyBytesMax), "--answered") }),
      ...readIf("digestKey", options.digestKey),
      ...(tenant === undefined ? {} : { tenant }),
      ...(at === undefined ? {} : { atMs: at }),
    } satisfies Asked);
  } catch (error) {
    if (!(error instanceof CommandFailure)) throw error;
    return { outcome: "unchecked", reason: error.message, checked: [], isFork: false, isKeyUnknown: false };
  }
}

function objectIn(bytes: Buffer, option: "--asked" | "--answered"): Said | readonly Said[] {
  const value = parsed(bytes.toString("utf8"));
  const isList = Array.isArray(value);
  if (typeof value === "object" && value !== null && (option === "--answered" || !isList)) return value as Said;
  throw new CommandFailure("unreadable_file", `the file of ${option} is not JSON of what an SDK takes or gives`);
}

function sitesIn(bytes: Buffer): ReadonlyMap<string, string> {
  const value = parsed(bytes.toString("utf8"));
  const entries = typeof value === "object" && value !== null && !Array.isArray(value) ? Object.entries(value) : [];
  if (entries.length > 0 && entries.every(([, jurisdiction]) => typeof jurisdiction === "string")) {
    return new Map(entries as [string, string][]);
  }
  throw new CommandFailure("unreadable_file", 'the sites are not JSON such as {"here": "DE"}');
}

function parseTime(text: string): number {
  const atMs = Date.parse(text);
  if (!/^\d{4}-\d{2}-\d{2}(T.*(Z|[+-]\d{2}:\d{2}))?$/.test(text) || Number.isNaN(atMs)) {
    throw new InvalidArgumentError("It must be a day (2026-12-31) or an instant (2026-12-31T12:00:00Z).");
  }
  return atMs;
}
