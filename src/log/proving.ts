import { leafHash } from "../base/index.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { type ReadTile, TileProblem } from "./tiles.ts";
import { inclusionProof } from "./tree.ts";
import { verifyInclusion } from "./verify-tree.ts";

export type Proven =
  | { readonly outcome: "proven"; readonly path: readonly Buffer[] }
  /** A tile is gone or wrong, or the entry is not the one at this index. */
  | { readonly outcome: "damaged"; readonly reason: string };

/** A path from the entry at an index to a checkpoint's root, that is known to hold: wrong tiles never become a proof. */
export async function proveInclusion(
  readTile: ReadTile,
  entry: Buffer,
  index: number,
  { size, root }: Pick<Checkpoint, "size" | "root">,
): Promise<Proven> {
  try {
    const path = await inclusionProof(readTile, index, size);
    if (verifyInclusion({ leaf: leafHash(entry), index, size, path, root })) return { outcome: "proven", path };
    const reason = `the tiles do not lead from the entry to the root of ${size} entries from index ${index}`;
    return { outcome: "damaged", reason };
  } catch (error) {
    if (error instanceof TileProblem) return { outcome: "damaged", reason: error.message };
    throw error;
  }
}
