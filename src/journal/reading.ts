import type { Disk } from "./disk.ts";
import { type JournalRecord, type Position } from "./record.ts";
import { damaged, type UsedSegment } from "./recovery.ts";
import { type JournalBatch, segmentName, SegmentReader } from "./segment.ts";

export interface SettlementInBatch {
  readonly settlement: Extract<JournalRecord, { kind: "settlement" }>;
  readonly batch: JournalBatch;
}

/** What a reader sees of a journal that goes on. */
export interface Readable {
  readonly disk: Disk;
  readonly segments: ReadonlyMap<number, UsedSegment>;
  durable(): Position;
  /** Resolves once `durable` has moved on from `seen`: true; false where it never will, or the signal has aborted. */
  more(seen: Position, signal: AbortSignal): Promise<boolean>;
}

export function isBefore(a: Position, b: Position): boolean {
  return a.segment < b.segment || (a.segment === b.segment && a.offset < b.offset);
}

/** See `Journal.read`. One file is open at a time, and one window of memory. */
export async function* readBatches(
  journal: Readable,
  from: Position,
  follow: AbortSignal | undefined,
  intentBodies: "with" | "without",
): AsyncGenerator<JournalBatch, void, void> {
  if (isBefore(journal.durable(), from)) {
    throw new Error(
      `the journal ends before segment ${from.segment}, offset ${from.offset}: that is another journal's`,
    );
  }
  let at: Position | undefined = from;
  while (at !== undefined) at = yield* readSegment(journal, at, follow, intentBodies);
}

/** Reads from `from` to the end of its segment; returns where the next one begins, or undefined where reading is over. */
async function* readSegment(
  journal: Readable,
  from: Position,
  follow: AbortSignal | undefined,
  intentBodies: "with" | "without",
): AsyncGenerator<JournalBatch, Position | undefined, void> {
  const segment = journal.segments.get(from.segment);
  if (segment === undefined) throw new Error(`journal segment ${from.segment} is not here any more`);
  const file = await journal.disk.open(segmentName(from.segment));
  try {
    let offset = from.offset;
    for (;;) {
      const durable = journal.durable();
      const finished = durable.segment > from.segment;
      const limit = finished ? segment.end : durable.offset;
      const reader = new SegmentReader(file, from.segment, offset, limit, intentBodies);
      for (;;) {
        const read = await reader.next();
        if (read.kind === "end") return firstOf(journal, from.segment + 1);
        if (read.kind === "stopped") {
          if (finished || read.offset !== limit || read.open.records.length > 0)
            throw damagedAt(from.segment, read.offset);
          break;
        }
        offset = read.batch.end.offset;
        yield read.batch;
      }
      if (follow === undefined && !isBefore(durable, journal.durable())) return undefined;
      if (follow !== undefined && !(await journal.more(durable, follow))) return undefined;
    }
  } finally {
    await file.close();
  }
}

function firstOf(journal: Readable, number: number): Position {
  const segment = journal.segments.get(number);
  if (segment === undefined) throw new Error(`journal segment ${number} is not here any more`);
  return { segment: number, offset: segment.headerBytes };
}

function damagedAt(segment: number, offset: number): Error {
  return damaged({ segment, offset }, "a record that was read back is not intact");
}

/** See `Journal.readSettlement`. */
export async function readSettlement(
  journal: Omit<Readable, "more">,
  position: Position,
): Promise<SettlementInBatch | undefined> {
  const durable = journal.durable();
  const segment = journal.segments.get(position.segment);
  if (segment === undefined || !isBefore(position, durable) || position.offset < segment.headerBytes) return undefined;
  const limit = durable.segment > position.segment ? segment.end : durable.offset;
  const file = await journal.disk.open(segmentName(position.segment));
  try {
    const found = await new SegmentReader(file, position.segment, position.offset, limit).one();
    if (found?.kind !== "settlement") return undefined;
    const read = await new SegmentReader(file, position.segment, found.batchStart, limit).next();
    if (read.kind !== "batch") throw damagedAt(position.segment, found.batchStart);
    return { settlement: found, batch: read.batch };
  } finally {
    await file.close();
  }
}
