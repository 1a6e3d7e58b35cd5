import { hashBytes, nodeHash, raise, writeHash } from "../base/index.ts";
import { preAuthenticationHead } from "./envelope.ts";
import { typeOfStatement } from "./statement.ts";

// The tree over a batch's statements (RFC 9162, section 2.1). Whoever makes a batch's receipts has its hashes as one flat
// buffer, 32 bytes each: signing, shipping and reading take no object a hash. A verifier has one leaf and its path.

/** The hashes of a batch's statements in their order, each as DSSE encodes it (docs/reference/receipt.md, "Signature"). */
export function leafHashes(payloads: readonly string[]): Buffer {
  const hashes = Buffer.allocUnsafe(payloads.length * hashBytes);
  for (const [index, payload] of payloads.entries()) writeHash(hashes, index * hashBytes, leafOf(payload));
  return hashes;
}

/** More than what stands before any payload takes. */
const headBytes = 256;
/** Nearly every statement fits; a longer one makes it grow. */
let scratch = Buffer.allocUnsafe(8_192);

/** The payload is written first: how many bytes it has is said before it, and counting them costs as much as writing them. */
function leafOf(payload: string): Buffer {
  const bytesMax = payload.length * 3;
  if (headBytes + bytesMax > scratch.length) scratch = Buffer.allocUnsafe((headBytes + bytesMax) * 2);
  const bytes = scratch.write(payload, headBytes, "utf8");
  const head = `\0${preAuthenticationHead(typeOfStatement(payload), bytes)}`;
  const start = headBytes - head.length;
  scratch.write(head, start, "latin1");
  return scratch.subarray(start, headBytes + bytes);
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
