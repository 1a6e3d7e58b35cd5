import { trustIn } from "../fetch/index.ts";
import { tilesBy } from "../log/index.ts";
import type { Said } from "../meaning/index.ts";
import { type Asked, type Verdict, verdictJson, type VerdictJson, verdictText, verify } from "../verification/index.ts";

type Bytes = Uint8Array | string;

/** What `bailiwick receipt verify` takes as files, and as options. */
export interface Given {
  readonly receipt: Bytes;
  readonly keys: Bytes;
  readonly proof?: Bytes;
  /** Verifier keys, one a line. */
  readonly logKeys?: string;
  readonly checkpoint?: Bytes;
  readonly witnesses?: string;
  readonly quorum?: number;
  /** As JSON. */
  readonly sites?: string;
  readonly asked?: string;
  readonly answered?: string;
  readonly request?: Bytes;
  readonly response?: Bytes;
  readonly digestKey?: Bytes;
  readonly tenant?: string;
  /** Reads a file of the log by its path; undefined: it is not there. */
  readonly readLog?: (path: string) => Promise<Uint8Array | undefined>;
}

/** The verdict of the command line, and its words. */
export async function verifyGiven(given: Given): Promise<VerdictJson & { readonly text: string }> {
  const verdict = await judge(given);
  return { ...verdictJson(verdict), text: verdictText(verdict) };
}

async function judge(given: Given): Promise<Verdict> {
  let asked: Asked;
  try {
    asked = askedBy(given);
  } catch (error) {
    // What is given cannot be read: a check that could not be made.
    return { outcome: "unchecked", reason: (error as Error).message, checked: [], isFork: false, isKeyUnknown: false };
  }
  return verify(asked);
}

const byteNames = ["proof", "request", "response", "digestKey"] as const;

function askedBy(given: Given): Asked {
  const { logKeys = "", witnesses = "", quorum, sites, asked, answered, checkpoint, tenant, readLog } = given;
  const cosigners = linesOf(witnesses);
  const trust = trustIn(
    linesOf(logKeys),
    cosigners.length === 0 ? undefined : { keys: cosigners, ...(quorum === undefined ? {} : { quorum }) },
  );
  const named = byteNames.flatMap((name) => (given[name] === undefined ? [] : [[name, bytesOf(given[name])] as const]));
  return {
    receipt: bytesOf(given.receipt),
    keys: bytesOf(given.keys),
    logs: trust.logs,
    ...(trust.witnesses === undefined ? {} : { witnesses: trust.witnesses }),
    ...Object.fromEntries(named),
    ...(checkpoint === undefined ? {} : { pinned: bytesOf(checkpoint) }),
    ...(sites === undefined ? {} : { sites: new Map(Object.entries(JSON.parse(sites) as Record<string, string>)) }),
    ...(asked === undefined ? {} : { asked: JSON.parse(asked) as Said }),
    ...(answered === undefined ? {} : { answered: JSON.parse(answered) as Said | readonly Said[] }),
    ...(tenant === undefined ? {} : { tenant }),
    ...(readLog === undefined ? {} : { readTile: tilesBy((path) => fileOf(readLog, path)) }),
  };
}

async function fileOf(readLog: NonNullable<Given["readLog"]>, path: string): Promise<Buffer | undefined> {
  const bytes = await readLog(path);
  return bytes === undefined ? undefined : bytesOf(bytes);
}

function bytesOf(given: Bytes): Buffer {
  return typeof given === "string" ? Buffer.from(given) : Buffer.from(given.buffer, given.byteOffset, given.length);
}

function linesOf(text: string): readonly string[] {
  return text.split(/\s+/).filter((line) => line !== "");
}
