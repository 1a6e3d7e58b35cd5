import { hash } from "node:crypto";

/**
 * The hashes of RFC 6962, section 2.1: H(0x00 || entry) for a leaf, H(0x01 || left || right) for a node, SHA-256. Many of
 * them lie in one flat buffer, 32 bytes each: appending takes no object a hash.
 */
export const hashBytes = 32;

/** The root of a tree without leaves: the hash of nothing. */
export const emptyRoot: Buffer = hash("sha256", Buffer.alloc(0), "buffer");

const leafPrefix = Buffer.of(0);

/** The leaf of an entry of any length. */
export function leafHash(entry: Buffer): Buffer {
  return hash("sha256", Buffer.concat([leafPrefix, entry]), "buffer");
}

const nodeBlock = Buffer.alloc(1 + 2 * hashBytes, 1);

export function nodeHash(left: Buffer, right: Buffer): Buffer {
  left.copy(nodeBlock, 1);
  right.copy(nodeBlock, 1 + hashBytes);
  return hash("sha256", nodeBlock, "buffer");
}

/**
 * The root over at least one node. All are roots of trees of the same size, a power of two; the last one's may be
 * smaller.
 */
export function rootOver(nodes: Buffer): Buffer {
  const level = Buffer.from(nodes);
  for (let count = level.length / hashBytes; count > 1;) count = raise(level, count);
  return Buffer.from(level.subarray(0, hashBytes));
}

/**
 * Puts the level above in the place of a level of `count` hashes, and returns how many it has. Pairing from the left, with
 * the odd one out rising as it is, gives the tree that splits from the top.
 */
export function raise(level: Buffer, count: number): number {
  for (let pair = 0; pair < count >> 1; pair++) {
    level.copy(nodeBlock, 1, 2 * pair * hashBytes, 2 * (pair + 1) * hashBytes);
    writeHash(level, pair * hashBytes, nodeBlock);
  }
  if (count % 2 === 1) level.copyWithin((count >> 1) * hashBytes, (count - 1) * hashBytes, count * hashBytes);
  return (count + 1) >> 1;
}

/** A hash as a text of one character a byte costs less than one as a buffer of its own. */
export function writeHash(into: Buffer, at: number, of: Buffer): void {
  into.write(hash("sha256", of, "binary"), at, "latin1");
}
