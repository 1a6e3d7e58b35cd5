import { authenticTiles } from "./authentic-tiles.ts";
import { type Checkpoint, openCheckpoint, type TrustedLog } from "./checkpoint.ts";
import { type ReadTile, TileProblem } from "./tiles.ts";
import { rootAt } from "./tree.ts";

export interface ConsistencyInput {
  readonly log: TrustedLog;
  /** The signed note that one has kept, and the one that is shown now. */
  readonly seen: Buffer;
  readonly shown: Buffer;
  /** Tiles of the larger of the two trees. */
  readonly readTile: ReadTile;
}

/** `reason` is a sentence for people. */
export type Consistency =
  /**
   * `consistent`: what is shown begins with what was seen. `older`: it is the beginning of what was seen, a state of the
   * past. `forked`: neither is the beginning of the other, and the two signed notes prove it to anyone.
   */
  | {
      readonly outcome: "consistent" | "older" | "forked";
      readonly reason: string;
      readonly seen: Checkpoint;
      readonly shown: Checkpoint;
    }
  /** One of the notes is none, or carries no signature of the log that counts. */
  | { readonly outcome: "unsigned"; readonly reason: string }
  /** It cannot be found out: a tile is not there, or not that of the larger checkpoint. */
  | { readonly outcome: "missing" | "corrupted"; readonly reason: string; readonly path: string };

/**
 * Whether a log has only grown between two of its checkpoints. The tiles are first held against the larger checkpoint,
 * and the smaller one against them: so a wrong tile is told from a log that has forked.
 */
export async function checkConsistency({ log, seen, shown, readTile }: ConsistencyInput): Promise<Consistency> {
  const [before, now] = [openCheckpoint(seen, [log]), openCheckpoint(shown, [log])];
  if (before.outcome !== "signed") return unsigned("seen before", before.reason);
  if (now.outcome !== "signed") return unsigned("shown now", now.reason);
  const both = { seen: before.checkpoint, shown: now.checkpoint };
  const isOlder = both.shown.size < both.seen.size;
  const [small, large] = isOlder ? [both.shown, both.seen] : [both.seen, both.shown];
  try {
    if (!(await begins(large, small, readTile))) {
      const reason = `${log.origin} has forked: its tree of ${large.size} entries does not begin with the one of ${small.size} that it signed too.`;
      return { outcome: "forked", reason, ...both };
    }
  } catch (error) {
    if (!(error instanceof TileProblem)) throw error;
    return { outcome: error.kind, path: error.path, reason: `It cannot be found out: ${error.message}.` };
  }
  const trees = `the tree of ${large.size} entries begins with that of ${small.size}`;
  if (isOlder) return { outcome: "older", reason: `${log.origin} shows a state of the past: ${trees}.`, ...both };
  return { outcome: "consistent", reason: `${log.origin} has only grown: ${trees}.`, ...both };
}

function unsigned(which: string, reason: string): Consistency {
  return { outcome: "unsigned", reason: `The checkpoint ${which} does not count: ${reason}.` };
}

async function begins(large: Checkpoint, small: Checkpoint, readTile: ReadTile): Promise<boolean> {
  if (large.size === small.size) return large.root.equals(small.root);
  const root = await rootAt(authenticTiles(readTile, large.size, large.root), small.size, large.size);
  return root.equals(small.root);
}
