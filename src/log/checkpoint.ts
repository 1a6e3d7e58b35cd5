import { decodeBase64, hashBytes } from "../base/index.ts";
import type { VerifierKey } from "./keys.ts";
import { checkNote, type Note, parseNote, type SignedBy } from "./note.ts";

/** A tree's size and root under its log's name (c2sp.org/tlog-checkpoint, "Note text"). */
export interface Checkpoint {
  readonly origin: string;
  readonly size: number;
  /** 32 bytes. */
  readonly root: Buffer;
  /** Further lines; logs of ours write none, and those of others are kept as they are. */
  readonly extensions: readonly string[];
}

/** A log that one has decided to believe, by any of its keys. */
export interface TrustedLog {
  readonly origin: string;
  readonly keys: readonly VerifierKey[];
}

/** The logs that keys belong to: a log may have several. */
export function trustedLogs(keys: readonly VerifierKey[]): readonly TrustedLog[] {
  const origins = [...new Set(keys.map(({ name }) => name))];
  return origins.map((origin) => ({ origin, keys: keys.filter(({ name }) => name === origin) }));
}

export type ParsedCheckpoint =
  | { readonly outcome: "read"; readonly checkpoint: Checkpoint }
  | { readonly outcome: "malformed"; readonly reason: string };

export type OpenedCheckpoint =
  | {
      readonly outcome: "signed";
      readonly checkpoint: Checkpoint;
      readonly note: Note;
      readonly by: readonly SignedBy<VerifierKey>[];
    }
  /** `foreign`: of a log that is not among the trusted ones. */
  | { readonly outcome: "malformed" | "foreign" | "unsigned" | "forged"; readonly reason: string };

export function formatCheckpoint({ origin, size, root, extensions }: Checkpoint): string {
  return [origin, size, root.toString("base64"), ...extensions].map((line) => `${line}\n`).join("");
}

/** Reads a note's text strictly. A size from 2^53 on is malformed here: no log has so many entries. */
export function parseCheckpoint(text: string): ParsedCheckpoint {
  const lines = text.split("\n");
  const [origin, size, root, ...rest] = lines.slice(0, -1);
  if (
    lines.at(-1) !== "" ||
    origin === undefined ||
    size === undefined ||
    root === undefined ||
    lines.indexOf("") < lines.length - 1
  ) {
    return { outcome: "malformed", reason: "a checkpoint has three lines or more, none of them empty" };
  }
  const count = parseCount(size);
  if (count === undefined) return { outcome: "malformed", reason: "its size is no number below 2^53" };
  const hash = decodeBase64(root);
  if (hash?.length !== hashBytes) return { outcome: "malformed", reason: "its root is no hash" };
  return { outcome: "read", checkpoint: { origin, size: count, root: hash, extensions: rest } };
}

/** A decimal number in its only form; undefined for any other, and from 2^53 on. */
export function parseCount(text: string): number | undefined {
  if (!/^(0|[1-9]\d{0,15})$/.test(text)) return undefined;
  const count = Number(text);
  return Number.isSafeInteger(count) ? count : undefined;
}

/** Reads a checkpoint with its signatures, and finds the log whose it is among the trusted ones. */
export function openCheckpoint(bytes: Buffer, logs: readonly TrustedLog[]): OpenedCheckpoint {
  const parsed = parseNote(bytes);
  if (parsed.outcome === "malformed") return parsed;
  const read = parseCheckpoint(parsed.note.text);
  if (read.outcome === "malformed") return read;
  const { note } = parsed;
  const { checkpoint } = read;
  const log = logs.find(({ origin }) => origin === checkpoint.origin);
  if (log === undefined)
    return { outcome: "foreign", reason: `it is of ${checkpoint.origin}, which is not a trusted log` };
  const checked = checkNote(note, log.keys);
  if (checked.outcome !== "signed") return checked;
  return { outcome: "signed", checkpoint, note, by: checked.by };
}
