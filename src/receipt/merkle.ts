import { hash } from "node:crypto";
import { preAuthenticationHead } from "./envelope.ts";
import { typeOfStatement } from "./statement.ts";

/**
 * The Merkle tree of RFC 9162, section 2.1, over leaves of any number: H(0x00 || leaf), H(0x01 || left || right), split
 * at the largest power of two below the count. Whoever makes a batch's receipts has its hashes as one flat buffer, 32
 * bytes each: signing, shipping and reading take no object a hash. A verifier has one leaf and its path (`rootFrom`).
 */
export const hashBytes = 32;

/** One leaf's hash, for a verifier. */
export function leafHash(leaf: Buffer): Buffer {
  return hash("sha256", Buffer.concat([leafPrefix, leaf]), "buffer");
}

const leafPrefix = Buffer.from([0]);

/** The hashes of a batch's statements in their order, each as DSSE encodes it (docs/reference/receipt.md, "Signature"). */
export function leafHashes(payloads: readonly string[]): Buffer {
  const hashes = Buffer.allocUnsafe(payloads.length * hashBytes);
  for (const [index, payload] of payloads.entries()) writeHash(hashes, index, leafOf(payload));
  return hashes;
}

/** Nearly every statement fits; a longer one makes it grow. */
let scratch = Buffer.allocUnsafe(4_096);

function leafOf(payload: string): Buffer {
  const bytes = Buffer.byteLength(payload);
  const head = `\0${preAuthenticationHead(typeOfStatement(payload), bytes)}`;
  const length = head.length + bytes;
  if (length > scratch.length) scratch = Buffer.allocUnsafe(length * 2);
  scratch.write(head, "latin1");
  scratch.write(payload, head.length, "utf8");
  return scratch.subarray(0, length);
}

/** A hash as a text of one character a byte costs less than one as a buffer of its own. */
function writeHash(hashes: Buffer, index: number, of: Buffer): void {
  hashes.write(hash("sha256", of, "binary"), index * hashBytes, "latin1");
}

/** The root over the hashes of at least one leaf. */
export function rootOf(hashes: Buffer): Buffer {
  const level = Buffer.from(hashes);
  for (let count = level.length / hashBytes; count > 1;) count = raise(level, count);
  return level.subarray(0, hashBytes);
}

/** The hashes that lead from a leaf up to the root (RFC 9162, section 2.1.3.1). */
export function pathOf(hashes: Buffer, index: number): readonly Buffer[] {
  const path: Buffer[] = [];
  const level = Buffer.from(hashes);
  let at = index;
  for (let count = level.length / hashBytes; count > 1; count = raise(level, count)) {
    const sibling = (at ^ 1) * hashBytes;
    if (sibling < count * hashBytes) path.push(Buffer.from(level.subarray(sibling, sibling + hashBytes)));
    at >>= 1;
  }
  return path;
}

const pairOfHashes = Buffer.alloc(1 + 2 * hashBytes, 1);

/**
 * Puts the level above in the place of a level of `count` hashes, and returns how many it has. A node without a sibling
 * rises as it is: pairing from the left gives the same tree as splitting from the top.
 */
function raise(level: Buffer, count: number): number {
  for (let pair = 0; pair < count >> 1; pair++) {
    level.copy(pairOfHashes, 1, pair * 2 * hashBytes, (pair + 1) * 2 * hashBytes);
    writeHash(level, pair, pairOfHashes);
  }
  if (count % 2 === 1) level.copyWithin((count >> 1) * hashBytes, (count - 1) * hashBytes, count * hashBytes);
  return (count + 1) >> 1;
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

function nodeHash(left: Buffer, right: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(65);
  bytes[0] = 1;
  left.copy(bytes, 1);
  right.copy(bytes, 33);
  return hash("sha256", bytes, "buffer");
}

function splitOf(size: number): number {
  let split = 1;
  while (split * 2 < size) split *= 2;
  return split;
}
