import { hashBytes } from "../base/index.ts";
/** What the tests of this folder share: keys and entries that are always the same, tiles in memory, and RFC 6962 by the word. */
import { createHash, createPrivateKey, type KeyObject } from "node:crypto";
import { emptyEdge, entryBytes, grow } from "./edge.ts";
import { bundlePath, type ReadTile, tilePath, widthOf } from "./tiles.ts";

export const sha256 = (...parts: readonly Uint8Array[]): Buffer =>
  createHash("sha256").update(Buffer.concat(parts)).digest();

/** The Ed25519 key whose seed (RFC 8032, section 5.1.5) is this byte, 32 times. */
export function privateKey(byte: number): KeyObject {
  return privateKeyOf(Buffer.alloc(32, byte));
}

export function privateKeyOf(seed: Buffer): KeyObject {
  const pkcs8 = Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), seed]);
  return createPrivateKey({ key: pkcs8, format: "der", type: "pkcs8" });
}

/** Entries from index `start` on, 32 bytes each: an index always has the same entry. */
export function entriesFrom(start: number, count: number): Buffer {
  const entries = Array.from({ length: count }, (_, at) => sha256(Buffer.from(`entry ${start + at}`)));
  return Buffer.concat(entries);
}

export function entryAt(entries: Buffer, index: number): Buffer {
  return entries.subarray(index * entryBytes, (index + 1) * entryBytes);
}

/** A log in memory, appended piece by piece. */
export class MemoryLog {
  readonly files = new Map<string, Buffer>();
  edge = emptyEdge;

  append(entries: Buffer): this {
    const { edge, files } = grow(this.edge, entries);
    this.edge = edge;
    for (const { path, bytes } of files) this.files.set(path, bytes);
    return this;
  }

  /** Tiles of any earlier size too: those of now begin with them. */
  readonly readTile: ReadTile = (level, index, width) => {
    const tile = this.files.get(tilePath(level, index, widthOf(level, index, this.edge.size)));
    return Promise.resolve(tile?.subarray(0, width * hashBytes));
  };

  bundle(index: number, width: number): Buffer | undefined {
    return this.files.get(bundlePath(index, width));
  }
}

/** The largest power of two smaller than `count`. */
function splitOf(count: number): number {
  let split = 1;
  while (split * 2 < count) split *= 2;
  return split;
}

/** MTH of RFC 6962, section 2.1. */
export function treeHash(entries: readonly Buffer[]): Buffer {
  if (entries.length === 0) return sha256();
  if (entries.length === 1) return sha256(Buffer.of(0), entries[0]!);
  const k = splitOf(entries.length);
  return sha256(Buffer.of(1), treeHash(entries.slice(0, k)), treeHash(entries.slice(k)));
}

/** PATH of RFC 6962, section 2.1.1. */
export function auditPath(m: number, entries: readonly Buffer[]): readonly Buffer[] {
  if (entries.length === 1) return [];
  const k = splitOf(entries.length);
  const [left, right] = [entries.slice(0, k), entries.slice(k)];
  return m < k ? [...auditPath(m, left), treeHash(right)] : [...auditPath(m - k, right), treeHash(left)];
}

/** PROOF of RFC 6962, section 2.1.2. */
export function consistencyPath(m: number, entries: readonly Buffer[]): readonly Buffer[] {
  return subProof(m, entries, true);
}

function subProof(m: number, entries: readonly Buffer[], isKnown: boolean): readonly Buffer[] {
  if (m === entries.length) return isKnown ? [] : [treeHash(entries)];
  const k = splitOf(entries.length);
  const [left, right] = [entries.slice(0, k), entries.slice(k)];
  return m <= k ? [...subProof(m, left, isKnown), treeHash(right)] : [...subProof(m - k, right, false), treeHash(left)];
}
