import { emptyRoot, hashBytes, nodeHash } from "../base/index.ts";

/**
 * Proofs are checked by the algorithms of RFC 9162 as they stand there, which share nothing with how proofs are made.
 * Sizes are safe integers; what is odd, halved and compared are the RFC's fn and sn.
 */

/** Whether `path` leads from a leaf to the root of a tree of `size` (RFC 9162, section 2.1.3.2). */
export function verifyInclusion(claim: {
  readonly leaf: Buffer;
  readonly index: number;
  readonly size: number;
  readonly path: readonly Buffer[];
  readonly root: Buffer;
}): boolean {
  const { leaf, index, size, path, root } = claim;
  if (!isCount(index) || !isCount(size) || index >= size || !areHashes([leaf, root, ...path])) return false;
  let [at, last, hash] = [index, size - 1, leaf];
  for (const sibling of path) {
    if (last === 0) return false;
    if (at % 2 === 1 || at === last) {
      hash = nodeHash(sibling, hash);
      while (at % 2 === 0 && at !== 0) [at, last] = [at / 2, Math.floor(last / 2)];
    } else hash = nodeHash(hash, sibling);
    [at, last] = [Math.floor(at / 2), Math.floor(last / 2)];
  }
  return last === 0 && hash.equals(root);
}

/**
 * Whether `path` shows that the tree of `size` begins with that of `oldSize` (RFC 9162, section 2.1.4.2). Every tree
 * begins with the empty one, and with itself; neither takes a path (c2sp.org/tlog-witness, "add-checkpoint").
 */
export function verifyConsistency(claim: {
  readonly oldSize: number;
  readonly oldRoot: Buffer;
  readonly size: number;
  readonly root: Buffer;
  readonly path: readonly Buffer[];
}): boolean {
  const { oldSize, oldRoot, size, root, path } = claim;
  if (!isCount(oldSize) || !isCount(size) || oldSize > size || !areHashes([oldRoot, root, ...path])) return false;
  if (size === 0 && !root.equals(emptyRoot)) return false;
  if (oldSize === 0) return path.length === 0 && oldRoot.equals(emptyRoot);
  if (oldSize === size) return path.length === 0 && oldRoot.equals(root);
  // The old root itself is left out of the path where the old tree is one node of the new one.
  const [first, ...siblings] = isPowerOfTwo(oldSize) ? [oldRoot, ...path] : path;
  if (first === undefined || path.length === 0) return false;
  let [at, last] = [oldSize - 1, size - 1];
  while (at % 2 === 1) [at, last] = [(at - 1) / 2, Math.floor(last / 2)];
  let [oldHash, hash] = [first, first];
  for (const sibling of siblings) {
    if (last === 0) return false;
    if (at % 2 === 1 || at === last) {
      [oldHash, hash] = [nodeHash(sibling, oldHash), nodeHash(sibling, hash)];
      while (at % 2 === 0 && at !== 0) [at, last] = [at / 2, Math.floor(last / 2)];
    } else hash = nodeHash(hash, sibling);
    [at, last] = [Math.floor(at / 2), Math.floor(last / 2)];
  }
  return last === 0 && oldHash.equals(oldRoot) && hash.equals(root);
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function areHashes(hashes: readonly Buffer[]): boolean {
  return hashes.every((hash) => hash.length === hashBytes);
}

function isPowerOfTwo(size: number): boolean {
  let power = 1;
  while (power < size) power *= 2;
  return power === size;
}
