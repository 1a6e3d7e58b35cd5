import { emptyRoot, hashBytes, rootOver } from "../base/index.ts";
import { leafHashes } from "./hashes.ts";
import { bundlePath, checkSize, hashesAt, tilePath, tileWidth } from "./tiles.ts";

/** An entry of this log is a commitment of this length (docs/reference/log.md, "Entries"). */
export const entryBytes = 32;

/** In a bundle a length of two bytes stands before it (c2sp.org/tlog-tiles, "Log entries"). */
export const bundledBytes = 2 + entryBytes;

/** The right edge of a log: all that one has to know of it to append. Nothing in it is ever changed. */
export interface Edge {
  readonly size: number;
  /** By level, the hashes of the last tile as far as it is not full; empty where it is. */
  readonly partials: readonly Buffer[];
  /** The last bundle of entries as far as it is not full. */
  readonly bundle: Buffer;
}

export interface TileFile {
  readonly path: string;
  readonly bytes: Buffer;
}

const nothing = Buffer.alloc(0);

export const emptyEdge: Edge = { size: 0, partials: [], bundle: nothing };

/** The edge with more entries (32 bytes each, in one buffer), and the files that a log of the new size has and had not. */
export function grow(edge: Edge, entries: Buffer): { readonly edge: Edge; readonly files: readonly TileFile[] } {
  const size = edge.size + entries.length / entryBytes;
  checkSize(size);
  const bundles = lay(edge.bundle, bundled(entries), bundledBytes, hashesAt(1, edge.size), bundlePath);
  const files = [...bundles.files];
  const partials: Buffer[] = [];
  let rising = leafHashes(entries);
  for (let level = 0; rising.length > 0 || level < edge.partials.length; level++) {
    const path = (index: number, width: number) => tilePath(level, index, width);
    const tiles = lay(edge.partials[level] ?? nothing, rising, hashBytes, hashesAt(level + 1, edge.size), path);
    files.push(...tiles.files);
    partials.push(tiles.rest);
    rising = Buffer.concat(tiles.full.map(rootOver));
  }
  return { edge: { size, partials, bundle: bundles.rest }, files };
}

/** The tree's root. From the lowest level up, what is lower joins as the last and smallest node. */
export function rootOf({ size, partials }: Pick<Edge, "size" | "partials">): Buffer {
  if (size === 0) return emptyRoot;
  let lower: Buffer = nothing;
  for (const partial of partials) {
    if (partial.length + lower.length > 0) lower = rootOver(Buffer.concat([partial, lower]));
  }
  return lower;
}

/** The entries of a bundle; undefined where it does not consist of so many of 32 bytes. */
export function entriesOf(bundle: Buffer, count: number): Buffer | undefined {
  if (bundle.length !== count * bundledBytes) return undefined;
  const entries = Buffer.allocUnsafe(count * entryBytes);
  for (let from = 0, at = 0; from < bundle.length; from += bundledBytes, at += entryBytes) {
    if (bundle.readUInt16BE(from) !== entryBytes) return undefined;
    bundle.copy(entries, at, from + 2, from + bundledBytes);
  }
  return entries;
}

function bundled(entries: Buffer): Buffer {
  const bundle = Buffer.allocUnsafe((entries.length / entryBytes) * bundledBytes);
  for (let from = 0, at = 0; from < entries.length; from += entryBytes, at += bundledBytes) {
    bundle.writeUInt16BE(entryBytes, at);
    entries.copy(bundle, at + 2, from, from + entryBytes);
  }
  return bundle;
}

/** Lays units behind those of a tile that is not full: tiles of 256 from index `first` on, and the rest behind them. */
function lay(
  before: Buffer,
  added: Buffer,
  unitBytes: number,
  first: number,
  path: (index: number, width: number) => string,
): { readonly files: readonly TileFile[]; readonly full: readonly Buffer[]; readonly rest: Buffer } {
  if (added.length === 0) return { files: [], full: [], rest: before };
  const all = Buffer.concat([before, added]);
  const full: Buffer[] = [];
  let at = 0;
  for (const step = tileWidth * unitBytes; at + step <= all.length; at += step) full.push(all.subarray(at, at + step));
  // A copy, so that the edge does not keep all that was ever added.
  const rest = Buffer.from(all.subarray(at));
  const files = full.map((bytes, number) => ({ path: path(first + number, tileWidth), bytes }));
  if (rest.length > 0) files.push({ path: path(first + full.length, rest.length / unitBytes), bytes: rest });
  return { files, full, rest };
}
