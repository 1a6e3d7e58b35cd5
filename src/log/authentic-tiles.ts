import { hashBytes, rootOver } from "../base/index.ts";
import { rootOf } from "./edge.ts";
import { hashesAt, levelsOf, partialWidth, type ReadTile, TileProblem, tilePath, tileWidth } from "./tiles.ts";
import { readWhole } from "./tree.ts";

const nothing = Buffer.alloc(0);

/**
 * Reads tiles of a tree whose size and root are known, and lets none pass that is not the tree's: those at the right
 * edge must give the root together, and every full one the hash that the tile above has of it. Throws a `TileProblem`.
 * Each is fetched once.
 */
export function authenticTiles(readTile: ReadTile, size: number, root: Buffer): ReadTile {
  const read = new Map<string, Promise<Buffer>>();
  const edge = authenticEdge(readTile, size, root);
  // Whoever reads a tile hears of it; that nobody does must not end the process.
  edge.catch(() => undefined);
  const tile = async (level: number, index: number): Promise<Buffer> => {
    const partials = await edge;
    if (index === hashesAt(level + 1, size)) return partials[level] ?? nothing;
    const path = tilePath(level, index, tileWidth);
    const fetched = read.get(path) ?? full(level, index, path);
    read.set(path, fetched);
    return fetched;
  };
  const full = async (level: number, index: number, path: string): Promise<Buffer> => {
    const above = await tile(level + 1, Math.floor(index / tileWidth));
    const at = (index % tileWidth) * hashBytes;
    const bytes = await readWhole(readTile, level, index, tileWidth);
    if (rootOver(bytes).equals(above.subarray(at, at + hashBytes))) return bytes;
    throw new TileProblem("corrupted", path, `${path} has other hashes than the tile above it says`);
  };
  return async (level, index, width) => (await tile(level, index)).subarray(0, width * hashBytes);
}

/** The partial tile of each level. None of them can be told from the others where their root is wrong. */
async function authenticEdge(readTile: ReadTile, size: number, root: Buffer): Promise<readonly Buffer[]> {
  const levels = Array.from({ length: levelsOf(size) }, (_, level) => level);
  const partials = await Promise.all(
    levels.map(async (level) => {
      const width = partialWidth(level, size);
      return width === 0 ? nothing : readWhole(readTile, level, hashesAt(level + 1, size), width);
    }),
  );
  if (rootOf({ size, partials }).equals(root)) return partials;
  const paths = levels
    .filter((level) => partialWidth(level, size) > 0)
    .map((level) => tilePath(level, hashesAt(level + 1, size), partialWidth(level, size)));
  const list = paths.join(", ");
  throw new TileProblem("corrupted", paths[0] ?? "tile", `${list} do not give the root of the tree of ${size} entries`);
}
