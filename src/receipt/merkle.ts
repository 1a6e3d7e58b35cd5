import { hash } from "node:crypto";

/**
 * The Merkle tree of RFC 9162, section 2.1, over leaves of any number: H(0x00 || leaf), H(0x01 || left || right), split
 * at the largest power of two below the count.
 */
export function leafHash(leaf: Buffer): Buffer {
  return hash("sha256", Buffer.concat([leafPrefix, leaf]), "buffer");
}

const leafPrefix = Buffer.from([0]);

function nodeHash(left: Buffer, right: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(65);
  bytes[0] = 1;
  left.copy(bytes, 1);
  right.copy(bytes, 33);
  return hash("sha256", bytes, "buffer");
}

/** The root over at least one leaf's hash. */
export function rootOf(leaves: readonly Buffer[]): Buffer {
  if (leaves.length === 1) return leaves[0]!;
  const split = splitOf(leaves.length);
  return nodeHash(rootOf(leaves.slice(0, split)), rootOf(leaves.slice(split)));
}

/** Each leaf's hashes from the leaf up to the root (RFC 9162, section 2.1.3.1); every node is hashed once for all. */
export function pathsOf(leaves: readonly Buffer[]): readonly (readonly Buffer[])[] {
  const paths = leaves.map((): Buffer[] => []);
  // A node without a sibling rises as it is: pairing from the left gives the same tree as splitting from the top.
  for (let level = leaves, height = 0; level.length > 1; level = levelAbove(level), height++) {
    for (const [index, path] of paths.entries()) {
      const sibling = level[(index >> height) ^ 1];
      if (sibling !== undefined) path.push(sibling);
    }
  }
  return paths;
}

function levelAbove(level: readonly Buffer[]): readonly Buffer[] {
  return Array.from({ length: Math.ceil(level.length / 2) }, (_, pair) => {
    const [left, right] = [level[pair * 2]!, level[pair * 2 + 1]];
    return right === undefined ? left : nodeHash(left, right);
  });
}

/** The root that a leaf and its path lead to; undefined where the path has another length than the place asks for. */
export function rootFrom(leaf: Buffer, index: number, size: number, path: readonly Buffer[]): Buffer | undefined {
  if (size === 1) return path.length === 0 ? leaf : undefined;
  const top = path.at(-1);
  if (top === undefined) return undefined;
  const split = splitOf(size);
  const below = path.slice(0, -1);
  const inside =
    index < split ? rootFrom(leaf, index, split, below) : rootFrom(leaf, index - split, size - split, below);
  if (inside === undefined) return undefined;
  return index < split ? nodeHash(inside, top) : nodeHash(top, inside);
}

function splitOf(size: number): number {
  let split = 1;
  while (split * 2 < size) split *= 2;
  return split;
}
