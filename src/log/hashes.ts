import { hashBytes, writeHash } from "../base/index.ts";

const leafBlock = Buffer.alloc(1 + hashBytes);

/** The leaves of entries that are 32 bytes each, as this log's are, in their order. */
export function leafHashes(entries: Buffer): Buffer {
  const hashes = Buffer.allocUnsafe(entries.length);
  for (let at = 0; at < entries.length; at += hashBytes) {
    entries.copy(leafBlock, 1, at, at + hashBytes);
    writeHash(hashes, at, leafBlock);
  }
  return hashes;
}
