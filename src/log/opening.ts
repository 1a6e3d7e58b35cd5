import { emptyRoot } from "../base/index.ts";
import { leafHashes } from "./hashes.ts";
import { type BatchPosition, batchesPath, batchRecordBytes, readBatch } from "./batches.ts";
import { type Checkpoint, parseCheckpoint } from "./checkpoint.ts";
import type { Disk } from "./disk.ts";
import { type Edge, emptyEdge, entriesOf, rootOf } from "./edge.ts";
import type { VerifierKey } from "./keys.ts";
import { checkNote, parseNote } from "./note.ts";
import { readBundle, tilesOf } from "./reading.ts";
import { decodeState, type LogState, statePath } from "./state.ts";
import { bundlePath, hashesAt, levelsOf, partialWidth, TileProblem } from "./tiles.ts";
import { readWhole, rootAt } from "./tree.ts";

/** A log's folder is not what this log can go on with. Nothing was changed. */
export type Unopened =
  | {
      readonly outcome: "damaged";
      readonly what: "state" | "tiles" | "batches" | "checkpoint";
      /** The file, in the log's folder. */
      readonly path: string;
      readonly reason: string;
    }
  /** It is the folder of another log. */
  | { readonly outcome: "foreign"; readonly reason: string };

export interface FoundLog {
  readonly outcome: "read";
  /** There is no state on the disk yet. */
  readonly isNew: boolean;
  readonly state: LogState;
  readonly edge: Edge;
  readonly lastBatch: BatchPosition | undefined;
  /** The signed note that was shown last; undefined where there is none. */
  readonly checkpoint: string | undefined;
}

export const checkpointPath = "checkpoint";

class NotOpened extends Error {
  readonly unopened: Unopened;
  constructor(unopened: Unopened) {
    super(unopened.reason);
    this.unopened = unopened;
  }
}

/**
 * Reads what a log's folder holds, and holds it against itself: the tiles at the right edge and the last entries against
 * the state's root, the checkpoint in the folder and those in `published` against the tiles. Changes nothing.
 */
export async function readLog(
  disk: Disk,
  log: { readonly origin: string; readonly keys: readonly VerifierKey[]; readonly published: readonly Checkpoint[] },
): Promise<FoundLog | Unopened> {
  try {
    const found = await readState(disk, log.origin);
    const state = found ?? { origin: log.origin, size: 0, root: emptyRoot, previousSize: 0, batches: 0, cursor: null };
    const edge = await readEdge(disk, state);
    const lastBatch = await readLastBatch(disk, state);
    const checkpoint = await readCheckpoint(disk, state, log.keys);
    for (const each of log.published) await checkAgainst(disk, state, each);
    return { outcome: "read", isNew: found === undefined, state, edge, lastBatch, checkpoint };
  } catch (error) {
    if (error instanceof NotOpened) return error.unopened;
    if (error instanceof TileProblem)
      return { outcome: "damaged", what: "tiles", path: error.path, reason: error.message };
    throw error;
  }
}

function damaged(what: "state" | "tiles" | "batches" | "checkpoint", path: string, reason: string): NotOpened {
  return new NotOpened({ outcome: "damaged", what, path, reason });
}

/**
 * The state; undefined in a new log's folder. The first state is durable before anything else is there, so that a folder
 * with more but without one has lost it.
 */
async function readState(disk: Disk, origin: string): Promise<LogState | undefined> {
  const bytes = await disk.read(statePath);
  if (bytes === undefined) {
    for (const path of [checkpointPath, "tile", batchesPath]) {
      if (await disk.exists(path)) throw damaged("state", statePath, `the state is missing, but there is ${path}`);
    }
    return undefined;
  }
  const state = decodeState(bytes);
  if (state === undefined) throw damaged("state", statePath, "the state is not intact");
  if (state.origin === origin) return state;
  throw new NotOpened({ outcome: "foreign", reason: `the folder holds the log ${state.origin}, not ${origin}` });
}

async function readEdge(disk: Disk, { size, root }: LogState): Promise<Edge> {
  if (size === 0) return emptyEdge;
  const readTile = tilesOf(disk);
  const partials: Buffer[] = [];
  for (let level = 0; level < levelsOf(size); level++) {
    const width = partialWidth(level, size);
    partials.push(width === 0 ? Buffer.alloc(0) : await readWhole(readTile, level, hashesAt(level + 1, size), width));
  }
  const [index, width] = [hashesAt(1, size), partialWidth(0, size)];
  const bundle = width === 0 ? Buffer.alloc(0) : await readBundle(disk, index, width);
  const entries = bundle === undefined ? undefined : entriesOf(bundle, width);
  if (bundle === undefined || entries === undefined || !leafHashes(entries).equals(partials[0]!)) {
    throw damaged("tiles", bundlePath(index, width), "the last entries are not those of the last leaves");
  }
  const edge = { size, partials, bundle };
  if (!rootOf(edge).equals(root))
    throw damaged("tiles", "tile", "the tiles at the right edge do not give the state's root");
  return edge;
}

/** What stands behind the records that the state counts, an append had written that did not come to its end. */
async function readLastBatch(disk: Disk, { batches, size }: LogState): Promise<BatchPosition | undefined> {
  if (batches === 0) return undefined;
  if (((await disk.sizeOf(batchesPath)) ?? 0) < batches * batchRecordBytes) {
    throw damaged("batches", batchesPath, `it has fewer than the state's ${batches} records`);
  }
  const last = await readBatch(disk, batches - 1);
  if (last === undefined || last.first >= size) throw damaged("batches", batchesPath, "its last record is not intact");
  return last;
}

/** The checkpoint that was shown last. It may be one append behind: the state is durable before its checkpoint is shown. */
async function readCheckpoint(disk: Disk, state: LogState, keys: readonly VerifierKey[]): Promise<string | undefined> {
  const bytes = await disk.read(checkpointPath);
  if (bytes === undefined) return undefined;
  const parsed = parseNote(bytes);
  const read = parsed.outcome === "read" ? parseCheckpoint(parsed.note.text) : parsed;
  if (parsed.outcome === "malformed" || read.outcome === "malformed") {
    throw damaged("checkpoint", checkpointPath, "the checkpoint cannot be read");
  }
  // Whose key is not in use any more is not known here; what it promised holds all the same.
  if (checkNote(parsed.note, keys).outcome === "forged") {
    throw damaged("checkpoint", checkpointPath, "the checkpoint's signature does not hold");
  }
  await checkAgainst(disk, state, read.checkpoint);
  return bytes.toString();
}

/** To go on from a state that a checkpoint is ahead of, or contradicts, would be to fork the log. */
async function checkAgainst(disk: Disk, state: LogState, { origin, size, root }: Checkpoint): Promise<void> {
  if (origin !== state.origin)
    throw damaged("checkpoint", checkpointPath, `it is of ${origin}, not of ${state.origin}`);
  if (size > state.size) {
    throw damaged(
      "checkpoint",
      checkpointPath,
      `a checkpoint of ${size} entries was published; the state has ${state.size}`,
    );
  }
  if (!(await rootAt(tilesOf(disk), size, state.size)).equals(root)) {
    throw damaged(
      "checkpoint",
      checkpointPath,
      `a published checkpoint of ${size} entries has another root than the tiles`,
    );
  }
}
