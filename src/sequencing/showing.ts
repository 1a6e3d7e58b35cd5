import { join } from "node:path";
import { readFile } from "node:fs/promises";
import { type Position } from "../journal/index.ts";
import { formatProof, isResource, proveInclusion, type Sequencer } from "../log/index.ts";
import type { Shown } from "./witnesses.ts";

/** What anyone may have of a log, as it is served. */
export interface LogResource {
  readonly bytes: Buffer;
  readonly contentType: "text/plain; charset=utf-8" | "application/octet-stream" | "application/json";
  /** It is the same for ever. */
  readonly isFixed: boolean;
}

/** Where a receipt stands: its batch's place in the journal, its own in the batch, and its leaf's hash. */
export interface ReceiptPlace {
  readonly batch: Position;
  readonly index: number;
  readonly leaf: Buffer;
}

export type ReceiptProof =
  | { readonly outcome: "proven"; readonly proof: Buffer }
  /** It is not in the log yet. */
  | { readonly outcome: "pending" }
  /** It was sealed before there was a log, or lies behind what a log that ended has shown. */
  | { readonly outcome: "absent" }
  | { readonly outcome: "damaged"; readonly reason: string };

/** A file of a log's folder, where it is one that anyone may have. */
export async function resourceOf(log: Sequencer, folder: string, path: string): Promise<LogResource | undefined> {
  if (!isResource(path, log.size)) return undefined;
  const bytes = await readFile(join(folder, path)).catch((error: NodeJS.ErrnoException) => {
    // A partial tile is gone once the full one is there.
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (bytes === undefined) return undefined;
  const isText = path === "checkpoint";
  return { bytes, contentType: isText ? "text/plain; charset=utf-8" : "application/octet-stream", isFixed: !isText };
}

/** The proof of an entry at an index against a checkpoint that is shown; the caller has seen that it holds the index. */
export async function proofOf(
  log: Sequencer,
  entry: Buffer,
  index: number,
  { checkpoint, note }: Shown,
  extra?: Buffer,
): Promise<ReceiptProof> {
  const proven = await proveInclusion(log.readTile, entry, index, checkpoint);
  if (proven.outcome === "damaged") return proven;
  const more = extra === undefined ? {} : { extra };
  return { outcome: "proven", proof: formatProof({ index, path: proven.path, checkpoint: note, ...more }) };
}

/** What a log shows now; undefined where there was no room for the checkpoint of its last append. */
export function shownOf(log: Sequencer, origin: string): Shown | undefined {
  const { checkpoint, size, root } = log;
  if (checkpoint?.startsWith(`${origin}\n${size}\n`) !== true) return undefined;
  return { checkpoint: { origin, size, root }, note: Buffer.from(checkpoint) };
}

/** What a log has shown last, also while the checkpoint of an append is still to be signed. */
export function lastShownOf({ checkpoint }: Sequencer, origin: string): Shown | undefined {
  const [name, size, root] = checkpoint?.split("\n", 3) ?? [];
  if (checkpoint === undefined || name !== origin || root === undefined) return undefined;
  return {
    checkpoint: { origin, size: Number(size), root: Buffer.from(root, "base64") },
    note: Buffer.from(checkpoint),
  };
}
