import type { RequestId } from "../base/index.ts";
import type { Disk, DiskFile } from "./disk.ts";
import { commitLineBytesMax, type Position, readLine, writeCommit } from "./record.ts";
import {
  type EmptySegment,
  type Identity,
  type OpenBatch,
  prepareSegment,
  segmentName,
  SegmentReader,
  segmentsAmong,
} from "./segment.ts";

/** The journal on disk is not what this gateway can go on with; the message says what to do. */
export class JournalOpenError extends Error {
  readonly reason: "foreign" | "damaged";
  /** The segment and the offset in it where the damage begins. */
  readonly position: Position;
  constructor(reason: "foreign" | "damaged", position: Position, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "JournalOpenError";
    this.reason = reason;
    this.position = position;
  }
}

export function damaged(position: Position, what: string): JournalOpenError {
  return new JournalOpenError(
    "damaged",
    position,
    `Journal segment ${segmentName(position.segment)} is damaged at byte ${position.offset}: ${what}. ` +
      "Nothing was changed. Check the disk, then restore the journal from a backup; or, to go on without the records " +
      "from there on that were not shipped yet, move the journal's folder aside and start again.",
  );
}

/** An intent without a settlement. */
export interface OpenIntent {
  readonly request: RequestId;
  readonly position: Position;
  readonly body: string;
}

/** A segment that holds records. */
export interface UsedSegment {
  readonly number: number;
  readonly file: DiskFile;
  readonly sizeBytes: number;
  /** Offset of its first record, and of the byte behind its last. */
  readonly headerBytes: number;
  end: number;
  /** Intents in it whose settlement is not written. */
  openIntents: number;
}

export interface Recovered {
  /** Finished segments, the oldest first; their files are closed. */
  readonly finished: readonly UsedSegment[];
  readonly current: UsedSegment;
  readonly spares: readonly EmptySegment[];
  readonly openIntents: readonly OpenIntent[];
  /** Bytes behind the last intact record that were cleared, because a crash had torn them. */
  readonly clearedBytes: number;
}

/**
 * Reads what a journal's folder holds, clears what a crash tore, seals the batch that it left open, and leaves
 * everything before `current.end` durable. Throws `JournalOpenError`, having changed nothing, where a record that had
 * been acknowledged is damaged or another installation wrote the folder.
 */
export async function recover(disk: Disk, options: RecoveryOptions): Promise<Recovered> {
  const { segments: numbers, leftovers } = segmentsAmong(await disk.list());
  const segments: UsedSegment[] = [];
  try {
    for (const number of numbers) {
      const before = segments.at(-1);
      if (before !== undefined && number !== before.number + 1) {
        throw damaged({ segment: before.number + 1, offset: 0 }, "the segment is missing");
      }
      segments.push(await openSegment(disk, options, number));
    }
    if (segments.length === 0) {
      const first = await prepareSegment(disk, options, options.firstSegment, options.segmentBytes);
      segments.push({ ...first, sizeBytes: first.file.sizeBytes, end: first.headerBytes, openIntents: 0 });
    }
    const recovered = await recoverFrom(segments, options.seal);
    for (const name of leftovers) await disk.remove(name);
    await disk.syncFolder();
    return recovered;
  } catch (error) {
    for (const segment of segments) await segment.file.close();
    throw error;
  }
}

export interface RecoveryOptions extends Identity {
  /** Size of the segments to come. */
  readonly segmentBytes: number;
  /** The number of the first segment in an empty folder. */
  readonly firstSegment: number;
  readonly seal: (payloads: readonly string[]) => string;
}

async function recoverFrom(segments: readonly UsedSegment[], seal: RecoveryOptions["seal"]): Promise<Recovered> {
  const open = new Map<RequestId, OpenIntent>();
  const cut = await readAll(segments, open);
  const clearedBytes = await clearTorn(segments, cut);
  await writeAgain(segments.slice(0, cut.index + 1), cut.durable);
  for (const segment of segments) await segment.file.datasync();
  const current = segments[cut.index]!;
  if (cut.open.records.length > 0) {
    sealOpenBatch(current, cut.open, seal);
    await current.file.datasync();
  }
  for (const intent of open.values()) {
    const segment = segments.find((candidate) => candidate.number === intent.position.segment);
    if (segment !== undefined) segment.openIntents++;
  }
  const finished = segments.slice(0, cut.index);
  for (const segment of finished) await segment.file.close();
  return { finished, current, spares: segments.slice(cut.index + 1), openIntents: [...open.values()], clearedBytes };
}

async function openSegment(disk: Disk, identity: Identity, number: number): Promise<UsedSegment> {
  const file = await disk.open(segmentName(number));
  const header = await new SegmentReader(file, number, 0, file.sizeBytes).header();
  if (header === undefined) throw damaged({ segment: number, offset: 0 }, "its header is not intact");
  const { installation, gateway, segment } = header.line;
  if (installation !== identity.installation || gateway !== identity.gateway || segment !== number) {
    throw new JournalOpenError(
      "foreign",
      { segment: number, offset: 0 },
      `Journal segment ${segmentName(number)} was written as segment ${segment} by gateway ${gateway} of installation ` +
        `${installation}; this is gateway ${identity.gateway} of installation ${identity.installation}. ` +
        "Nothing was changed. Use the data folder that belongs to this installation, or move the journal's folder aside.",
    );
  }
  const headerBytes = header.endOffset;
  return { number, file, sizeBytes: file.sizeBytes, headerBytes, end: headerBytes, openIntents: 0 };
}

/** Where the intact records end: the segment's place in the list, the offset, and the batch that is open there. */
interface Cut {
  readonly index: number;
  readonly offset: number;
  readonly open: OpenBatch;
  /** Everything before it was synced, as the last commit says. */
  readonly durable: Position;
}

/** Reads every segment up to the first that has no end mark, keeping the intents that are not settled. */
async function readAll(segments: readonly UsedSegment[], intents: Map<RequestId, OpenIntent>): Promise<Cut> {
  let durable: Position = { segment: segments[0]!.number, offset: segments[0]!.headerBytes };
  for (const [index, segment] of segments.entries()) {
    const reader = new SegmentReader(segment.file, segment.number, segment.headerBytes, segment.file.sizeBytes);
    for (;;) {
      const read = await reader.next();
      if (read.kind === "batch") {
        durable = read.durable;
        for (const record of read.batch.records) follow(record, intents);
        continue;
      }
      if (read.kind === "stopped") {
        for (const record of read.open.records) follow(record, intents);
        segment.end = read.offset;
        return { index, offset: read.offset, open: read.open, durable };
      }
      segment.end = read.offset;
      break;
    }
  }
  // The segment behind an end mark was durable before the mark was written.
  throw damaged({ segment: segments.at(-1)!.number + 1, offset: 0 }, "the segment is missing");
}

function follow(record: OpenBatch["records"][number], intents: Map<RequestId, OpenIntent>): void {
  if (record.kind === "intent") {
    intents.set(record.request, { request: record.request, position: record.position, body: record.body });
  } else if (record.kind === "settlement") intents.delete(record.request);
}

/** Overwrites what stands behind the cut with zeros, after making sure that none of it was ever acknowledged. */
async function clearTorn(segments: readonly UsedSegment[], cut: Cut): Promise<number> {
  const cutSegment = segments[cut.index]!;
  const dirty: { segment: UsedSegment; from: number; to: number }[] = [];
  for (const segment of segments.slice(cut.index)) {
    const from = segment === cutSegment ? cut.offset : segment.headerBytes;
    const rest = await inspect(segment, from);
    const durable = rest.durable;
    if (durable !== undefined && isAfter(durable, { segment: cutSegment.number, offset: cut.offset })) {
      throw damaged({ segment: cutSegment.number, offset: cut.offset }, "a record that had been synced is not intact");
    }
    if (segment === cutSegment && rest.end > from && !(await isTorn(segment.file, from))) {
      throw damaged({ segment: cutSegment.number, offset: cut.offset }, "a record's bytes do not match its checksum");
    }
    if (rest.end > from) dirty.push({ segment, from, to: rest.end });
  }
  let clearedBytes = 0;
  for (const { segment, from, to } of dirty) {
    segment.file.write(Buffer.alloc(to - from), to - from, from);
    await segment.file.datasync();
    clearedBytes += to - from;
  }
  return clearedBytes;
}

function isAfter(a: Position, b: Position): boolean {
  return a.segment > b.segment || (a.segment === b.segment && a.offset > b.offset);
}

const inspectBytes = 256 * 1024;

/** What stands behind `from`: where its last byte that is not zero ends, and how far its commits say all was synced. */
async function inspect(segment: UsedSegment, from: number): Promise<{ end: number; durable: Position | undefined }> {
  const window = Buffer.allocUnsafe(inspectBytes + commitLineBytesMax);
  let end = from;
  let durable: Position | undefined;
  // Windows overlap by the longest commit line, so that each one lies whole in some window.
  for (let at = from; at < segment.file.sizeBytes; at += inspectBytes) {
    const filled = await segment.file.read(window, at);
    const last = lastUsed(window, filled);
    if (last < 0) continue;
    end = Math.max(end, at + last + 1);
    for (let lineAt = 0; lineAt >= 0 && lineAt <= last; lineAt = nextLine(window, lineAt)) {
      const read = readLine(window, lineAt, filled, { segment: segment.number, offset: at });
      if (typeof read === "string" || read.line.kind !== "commit") continue;
      if (durable === undefined || isAfter(read.line.durable, durable)) durable = read.line.durable;
    }
  }
  return { end, durable };
}

function nextLine(window: Buffer, at: number): number {
  const lineFeed = window.indexOf(0x0a, at);
  return lineFeed < 0 ? -1 : lineFeed + 1;
}

function lastUsed(window: Buffer, filled: number): number {
  let last = filled - 1;
  while (last >= 0 && window[last] === 0) last--;
  return last;
}

const sectorBytes = 512;

/**
 * Whether a crash alone can have left the bytes at `offset`. Sectors reach the disk whole or not at all, and a killed
 * write stops somewhere: either leaves zeros up to the end of a sector, which no intact line holds.
 */
async function isTorn(file: DiskFile, offset: number): Promise<boolean> {
  const bytes = Buffer.alloc(commitLineBytesMax + 32 * 1024);
  const filled = await file.read(bytes, offset);
  // A length that is itself torn says nothing.
  const stated = /^[0-9a-f]{8}$/.exec(bytes.toString("latin1", 9, 17));
  const lineFeed = bytes.indexOf(0x0a);
  const ends = [stated === null ? filled : Number.parseInt(stated[0], 16), lineFeed < 0 ? filled : lineFeed + 1];
  return ends.every((end) => endsASectorInZero(bytes, offset, Math.min(end, filled)));
}

function endsASectorInZero(bytes: Buffer, offset: number, length: number): boolean {
  for (let at = 0; at < length;) {
    const sectorEnd = Math.min(length, at + sectorBytes - ((offset + at) % sectorBytes));
    if (bytes[sectorEnd - 1] === 0) return true;
    at = sectorEnd;
  }
  return false;
}

/**
 * Writes what may never have been synced once more. After a failed sync the operating system shows bytes that are not
 * on the medium, and takes them for clean: syncing again would not write them (fsyncgate).
 */
async function writeAgain(segments: readonly UsedSegment[], durable: Position): Promise<void> {
  const window = Buffer.allocUnsafe(inspectBytes);
  for (const segment of segments) {
    if (segment.number < durable.segment) continue;
    const from = segment.number === durable.segment ? durable.offset : segment.headerBytes;
    for (let at = from; at < segment.end; at += window.length) {
      const filled = await segment.file.read(window.subarray(0, segment.end - at), at);
      segment.file.write(window, filled, at);
    }
  }
}

/** The records of an open batch are real (a kill left them, or a power cut that spared them): they are kept and sealed. */
function sealOpenBatch(segment: UsedSegment, open: OpenBatch, seal: (payloads: readonly string[]) => string): void {
  const line = Buffer.alloc(commitLineBytesMax);
  const length = writeCommit(line, 0, {
    batchStart: open.start,
    records: open.records.length,
    durable: { segment: segment.number, offset: open.start },
    seal: open.leaves.length === 0 ? undefined : seal(open.leaves),
  });
  segment.file.write(line, length, segment.end);
  segment.end += length;
}
