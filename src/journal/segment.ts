import type { GatewayId, InstallationId } from "../base/index.ts";
import type { Disk, DiskFile } from "./disk.ts";
import { type JournalRecord, type Line, lineBytesMax, type Position, readLine, writeHeader } from "./record.ts";

export interface Identity {
  readonly installation: InstallationId;
  readonly gateway: GatewayId;
}

const suffix = ".journal";
const preparing = ".preparing";

export function segmentName(segment: number): string {
  return segment.toString().padStart(10, "0") + suffix;
}

/** The numbers of the segments among a folder's files, ascending; and what a crash left half-prepared. */
export function segmentsAmong(names: readonly string[]): { segments: number[]; leftovers: string[] } {
  const segments = names.filter((name) => /^\d{10}\.journal$/.test(name)).map((name) => Number(name.slice(0, 10)));
  return { segments: segments.sort((a, b) => a - b), leftovers: names.filter((name) => name.endsWith(preparing)) };
}

/** A segment that is ready for records: its header is durable, and so is its name. */
export interface EmptySegment {
  readonly number: number;
  readonly file: DiskFile;
  readonly headerBytes: number;
}

/** Makes a segment under another name first, so that one under its own name is always whole. */
export async function prepareSegment(
  disk: Disk,
  identity: Identity,
  segment: number,
  sizeBytes: number,
): Promise<EmptySegment> {
  const name = segmentName(segment);
  const file = await disk.preallocate(name + preparing, sizeBytes);
  const header = Buffer.alloc(lineBytesMax);
  const headerBytes = writeHeader(header, identity.installation, identity.gateway, segment);
  file.write(header, headerBytes, 0);
  await file.datasync();
  await disk.rename(name + preparing, name);
  await disk.syncFolder();
  return { number: segment, file, headerBytes };
}

/** What was written and synced together. Its settlements' receipts are the leaves that its seal signs. */
export interface JournalBatch {
  readonly start: Position;
  /** Where the next batch begins: what to hand to `read` and to remember as shipped. */
  readonly end: Position;
  readonly records: readonly JournalRecord[];
  /** The receipts of its settlements in their order; a settlement's `leaf` is its index in here. */
  readonly leaves: readonly string[];
  /** What the seal function returned for `leaves`; undefined where there are none. */
  readonly seal: string | undefined;
}

/** A batch whose end is not there: what a crash can leave at the end of a journal. */
export interface OpenBatch {
  readonly start: number;
  readonly records: JournalRecord[];
  readonly leaves: string[];
}

export type Read =
  /** `durable`: everything before it was synced when the batch was closed. */
  | { readonly kind: "batch"; readonly batch: JournalBatch; readonly durable: Position }
  /** The segment's end mark, which ends at `offset`. */
  | { readonly kind: "end"; readonly offset: number }
  /** No intact line at `offset`: the limit, unwritten room, or damage. `open`: records read since the last whole batch. */
  | { readonly kind: "stopped"; readonly offset: number; readonly open: OpenBatch };

const windowBytes = 256 * 1024;

/** Reads one segment's batches in order through a window of fixed size. */
export class SegmentReader {
  readonly #file: DiskFile;
  readonly #segment: number;
  readonly #limit: number;
  readonly #intentBodies: "with" | "without";
  readonly #window: Buffer;
  /** Offset in the segment of the window's first byte; bytes filled; where the next line begins. */
  #base: number;
  #filled = 0;
  #at = 0;
  #open: OpenBatch;

  /** Reads from `offset` to `limit` (offsets in the segment). */
  constructor(
    file: DiskFile,
    segment: number,
    offset: number,
    limit: number,
    intentBodies: "with" | "without" = "with",
  ) {
    this.#file = file;
    this.#intentBodies = intentBodies;
    this.#segment = segment;
    this.#limit = limit;
    this.#base = offset;
    this.#window = Buffer.allocUnsafe(Math.max(lineBytesMax, Math.min(windowBytes, limit - offset)));
    this.#open = { start: offset, records: [], leaves: [] };
  }

  /** The header, which is the segment's first line; undefined where it is not intact. */
  async header(): Promise<{ line: Extract<Line, { kind: "header" }>; endOffset: number } | undefined> {
    const line = await this.#line();
    if (line?.kind !== "header") return undefined;
    this.#open = { start: this.#base + this.#at, records: [], leaves: [] };
    return { line, endOffset: this.#open.start };
  }

  /** The line where reading stands, on its own; undefined where none is intact there. */
  one(): Promise<Line | undefined> {
    return this.#line();
  }

  async next(): Promise<Read> {
    for (;;) {
      const offset = this.#base + this.#at;
      const line = await this.#line();
      const open = this.#open;
      if (line === undefined || line.kind === "header") return { kind: "stopped", offset, open };
      if (line.kind === "end" && open.records.length === 0) return { kind: "end", offset: this.#base + this.#at };
      if (line.kind === "commit" && line.batchStart === open.start && line.records === open.records.length) {
        return { kind: "batch", batch: this.#close(line.seal), durable: line.durable };
      }
      // A mark that does not fit what stands before it is damage.
      if (line.kind === "end" || line.kind === "commit") return { kind: "stopped", offset, open };
      open.records.push(line);
      if (line.kind === "settlement" && line.receipt !== undefined) open.leaves.push(line.receipt);
    }
  }

  #close(seal: string | undefined): JournalBatch {
    const { start, records, leaves } = this.#open;
    const end = this.#base + this.#at;
    this.#open = { start: end, records: [], leaves: [] };
    const segment = this.#segment;
    return { start: { segment, offset: start }, end: { segment, offset: end }, records, leaves, seal };
  }

  async #line(): Promise<Line | undefined> {
    for (;;) {
      const base = { segment: this.#segment, offset: this.#base };
      const read = readLine(this.#window, this.#at, this.#filled, base, this.#intentBodies);
      if (read === "invalid") return undefined;
      if (read !== "more") {
        this.#at += read.lengthBytes;
        return read.line;
      }
      if (!(await this.#refill())) return undefined;
    }
  }

  /** Moves the window on; false where there is nothing more before the limit. */
  async #refill(): Promise<boolean> {
    this.#window.copy(this.#window, 0, this.#at, this.#filled);
    this.#base += this.#at;
    this.#filled -= this.#at;
    this.#at = 0;
    const wanted = Math.min(this.#window.length - this.#filled, this.#limit - this.#base - this.#filled);
    if (wanted <= 0) return false;
    const into = this.#window.subarray(this.#filled, this.#filled + wanted);
    const count = await this.#file.read(into, this.#base + this.#filled);
    this.#filled += count;
    return count > 0;
  }
}
