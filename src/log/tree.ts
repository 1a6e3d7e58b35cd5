import { emptyRoot, hashBytes, nodeHash, rootOver } from "../base/index.ts";
import { checkSize, type ReadTile, TileProblem, tilePath, tileWidth, widthOf } from "./tiles.ts";

/**
 * Roots and proofs of a tree, computed from its tiles. What is needed is first listed as ranges of leaves, whose roots
 * are then hashed from tiles that are read at once. Everything here throws a `TileProblem` where a tile is missing or
 * has another length; whether its hashes are the tree's is for whoever knows a root to find out.
 */

/** Leaves from `start` up to, not including, `end`. `start` is a multiple of a power of two that is not below its length. */
interface Range {
  readonly start: number;
  readonly end: number;
}

/** The root over the first `size` leaves of a tree that has at least so many, and at most `treeSize`. */
export async function rootAt(readTile: ReadTile, size: number, treeSize = size): Promise<Buffer> {
  if (size === 0) return emptyRoot;
  const [root] = await rootsOf(readTile, treeSize, [{ start: 0, end: size }]);
  return root!;
}

/** The hashes that lead from the leaf at `index` to the root of a tree of `size` (RFC 9162, section 2.1.3.1). */
export async function inclusionProof(readTile: ReadTile, index: number, size: number): Promise<readonly Buffer[]> {
  checkSize(size);
  if (!Number.isSafeInteger(index) || index < 0 || index >= size) throw new RangeError(`no leaf ${index} in ${size}`);
  const siblings: Range[] = [];
  for (let width = 1; width < size; width *= 2) {
    const place = Math.floor(index / width);
    const start = (place % 2 === 0 ? place + 1 : place - 1) * width;
    if (start < size) siblings.push({ start, end: Math.min(start + width, size) });
  }
  return rootsOf(readTile, size, siblings);
}

/** The hashes that show a tree of `size` to begin with that of `oldSize`, not 0 (RFC 9162, section 2.1.4.1). */
export async function consistencyProof(readTile: ReadTile, oldSize: number, size: number): Promise<readonly Buffer[]> {
  checkSize(size);
  if (!Number.isSafeInteger(oldSize) || oldSize < 1 || oldSize > size) {
    throw new RangeError(`a tree of ${size} has no earlier one of ${oldSize}`);
  }
  return rootsOf(readTile, size, subProof(oldSize, { start: 0, end: size }, true));
}

/** SUBPROOF of RFC 9162, section 2.1.4.1. `known`: the root over this range is that of the old tree, which is at hand. */
function subProof(oldEnd: number, range: Range, known: boolean): readonly Range[] {
  const { start, end } = range;
  if (oldEnd === end) return known ? [] : [range];
  let split = 1;
  while (split * 2 < end - start) split *= 2;
  const middle = start + split;
  const [left, right] = [
    { start, end: middle },
    { start: middle, end },
  ];
  return oldEnd <= middle ? [...subProof(oldEnd, left, known), right] : [...subProof(oldEnd, right, false), left];
}

/** A perfect tree of 2^height leaves, the `place`-th of its height. */
interface Node {
  readonly height: number;
  readonly place: number;
}

/** A tile is a perfect tree of this height. */
const tileHeight = 8;

async function rootsOf(readTile: ReadTile, treeSize: number, ranges: readonly Range[]): Promise<readonly Buffer[]> {
  const needed = ranges.map(nodesOf);
  const tiles = await readTiles(readTile, treeSize, needed.flat());
  return needed.map((nodes) =>
    nodes.map((node) => hashOf(node, tiles)).reduceRight((right, left) => nodeHash(left, right)),
  );
}

/** A range as perfect trees, the largest first: its root is theirs, joined from the right. */
function nodesOf({ start, end }: Range): readonly Node[] {
  const nodes: Node[] = [];
  for (let at = start; at < end;) {
    let [height, width] = [0, 1];
    while (at % (width * 2) === 0 && at + width * 2 <= end) [height, width] = [height + 1, width * 2];
    nodes.push({ height, place: at / width });
    at += width;
  }
  return nodes;
}

/** Where a node's hashes lie: `count` of them in a tile, from `first` on. */
function placeOf({ height, place }: Node) {
  const level = Math.floor(height / tileHeight);
  const count = 2 ** (height % tileHeight);
  const index = Math.floor((place * count) / tileWidth);
  return { level, index, first: (place * count) % tileWidth, count };
}

/** Every tile that holds one of the nodes, read once, by its level and index. */
async function readTiles(
  readTile: ReadTile,
  treeSize: number,
  nodes: readonly Node[],
): Promise<ReadonlyMap<string, Buffer>> {
  const places = new Map(nodes.map(placeOf).map((place) => [`${place.level}/${place.index}`, place]));
  const read = [...places].map(async ([name, { level, index }]) => {
    const width = widthOf(level, index, treeSize);
    return [name, await readWhole(readTile, level, index, width)] as const;
  });
  return new Map(await Promise.all(read));
}

/** A tile of the length that it must have. */
export async function readWhole(readTile: ReadTile, level: number, index: number, width: number): Promise<Buffer> {
  const tile = await readTile(level, index, width);
  const path = tilePath(level, index, width);
  if (tile === undefined) throw new TileProblem("missing", path, `${path} is not there`);
  if (tile.length !== width * hashBytes) {
    throw new TileProblem("corrupted", path, `${path} has ${tile.length} bytes instead of ${width * hashBytes}`);
  }
  return tile;
}

function hashOf(node: Node, tiles: ReadonlyMap<string, Buffer>): Buffer {
  const { level, index, first, count } = placeOf(node);
  const tile = tiles.get(`${level}/${index}`)!;
  return rootOver(tile.subarray(first * hashBytes, (first + count) * hashBytes));
}
