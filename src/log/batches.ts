import { crc32 } from "node:zlib";
import type { Disk } from "./disk.ts";

/**
 * Where each batch of entries begins in the log, in a file of fixed records beside the tiles (docs/reference/log.md,
 * "Batches"). Batches are appended in the order of their positions, so that one is found by bisection.
 */
export interface BatchRecord extends BatchPosition {
  /** The index in the log of its first entry. */
  readonly first: number;
}

/** Where a batch stands in the journal that it comes from: two numbers below 2^32, compared in this order. */
export interface BatchPosition {
  readonly segment: number;
  readonly offset: number;
}

export type FoundBatch =
  | { readonly outcome: "found"; readonly first: number }
  | { readonly outcome: "absent" }
  | { readonly outcome: "damaged"; readonly reason: string };

export const batchesPath = "batches";
export const batchRecordBytes = 20;

export function encodeBatches(records: readonly BatchRecord[]): Buffer {
  const bytes = Buffer.allocUnsafe(records.length * batchRecordBytes);
  for (const [number, { segment, offset, first }] of records.entries()) {
    const at = number * batchRecordBytes;
    bytes.writeUInt32BE(segment, at);
    bytes.writeUInt32BE(offset, at + 4);
    bytes.writeBigUInt64BE(BigInt(first), at + 8);
    bytes.writeUInt32BE(crc32(bytes.subarray(at, at + 16)), at + 16);
  }
  return bytes;
}

/** One record of the file; undefined where it is not there whole, or not intact. */
export async function readBatch(disk: Disk, number: number): Promise<BatchRecord | undefined> {
  return decodeBatch(await disk.readPart(batchesPath, number * batchRecordBytes, batchRecordBytes), 0);
}

function decodeBatch(bytes: Buffer, number: number): BatchRecord | undefined {
  const at = number * batchRecordBytes;
  if (bytes.length < at + batchRecordBytes || crc32(bytes.subarray(at, at + 16)) !== bytes.readUInt32BE(at + 16)) {
    return undefined;
  }
  const first = Number(bytes.readBigUInt64BE(at + 8));
  return { segment: bytes.readUInt32BE(at), offset: bytes.readUInt32BE(at + 4), first };
}

/** Records that are read at once: a read costs more than what it reads. */
const recordsAtOnce = Math.floor(65_536 / batchRecordBytes);

/** The batch at exactly this position, among the first `count` records. */
export async function findBatch(disk: Disk, count: number, position: BatchPosition): Promise<FoundBatch> {
  let [low, high] = [0, count];
  while (low < high) {
    const from = Math.max(low, Math.floor((low + high - recordsAtOnce) / 2));
    const some = Math.min(recordsAtOnce, high - from);
    const bytes = await disk.readPart(batchesPath, from * batchRecordBytes, some * batchRecordBytes);
    const found = findAmong(bytes, some, position);
    if (found.outcome === "damaged") return damagedAt(from + found.record);
    if (found.outcome === "found") return found;
    if (found.outcome === "inside") return { outcome: "absent" };
    if (found.outcome === "before") high = from;
    else low = from + some;
  }
  return { outcome: "absent" };
}

function damagedAt(record: number): FoundBatch {
  return { outcome: "damaged", reason: `record ${record} of ${batchesPath} is not intact` };
}

/** `inside`: it is not there, and would be among these; else on which side of them it would be. */
type FoundAmong =
  | { readonly outcome: "found"; readonly first: number }
  | { readonly outcome: "damaged"; readonly record: number }
  | { readonly outcome: "before" | "inside" | "behind" };

function findAmong(bytes: Buffer, count: number, position: BatchPosition): FoundAmong {
  let [low, high] = [0, count];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const record = decodeBatch(bytes, middle);
    if (record === undefined) return { outcome: "damaged", record: middle };
    if (!isBefore(record, position) && !isBefore(position, record)) return { outcome: "found", first: record.first };
    if (isBefore(record, position)) low = middle + 1;
    else high = middle;
  }
  return { outcome: low === 0 ? "before" : low === count ? "behind" : "inside" };
}

export function checkPosition({ segment, offset }: BatchPosition): void {
  for (const each of [segment, offset]) {
    if (!(Number.isInteger(each) && each >= 0 && each < 2 ** 32))
      throw new RangeError(`${each} is no part of a position`);
  }
}

export function isBefore(a: BatchPosition, b: BatchPosition): boolean {
  return a.segment < b.segment || (a.segment === b.segment && a.offset < b.offset);
}
