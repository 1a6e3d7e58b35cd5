import { type Clock, type Refusal, refuse, RefusalError } from "../base/index.ts";
import { commitLineBytesMax, lineBytesMax, type Position, writeCommit, writeEnd } from "./record.ts";
import { RecentBatches } from "./recent.ts";
import type { UsedSegment } from "./recovery.ts";
import { roomBytes } from "./room.ts";
import { segmentName } from "./segment.ts";

/** A record in the journal. `durable` rejects with a `RefusalError` (journal_failed) where the disk failed first. */
export interface Written {
  readonly position: Position;
  readonly durable: Promise<void>;
}

/** The batch that records join until the sync before it has ended. */
interface Batch {
  readonly segment: UsedSegment;
  readonly start: number;
  records: number;
  readonly leaves: string[];
  /** The segments whose intents it settles, one entry a settlement. */
  readonly settled: UsedSegment[];
  end: Position;
  seal: string | undefined;
  readonly synced: PromiseWithResolvers<void>;
}

const batchBytesMax = 1024 * 1024;
const leavesMax = 1_024;
const stagedBytesMax = 256 * 1024;

/**
 * Group commit. Lines are staged, and batch by batch handed to the operating system and synced: one sync is under way at
 * most, and the batch after it is collected meanwhile. So batches grow with the disk's latency, and no timer is needed.
 * What is only staged when the process is killed was told to nobody.
 */
export class BatchWriter {
  /** The next line is written into `staged` at `makeRoom()`, then taken by `append`. */
  readonly staged = Buffer.allocUnsafeSlow(stagedBytesMax);
  readonly counts = { batches: 0, records: 0, bytes: 0 };
  readonly recent = new RecentBatches();
  lastSyncMs: number | undefined;
  readonly #clock: Clock;
  readonly #seal: (payloads: readonly string[]) => string;
  readonly #onSynced: (settled: readonly UsedSegment[]) => void;
  #current: UsedSegment;
  #stagedBytes = 0;
  #turnScheduled = false;
  #batch: Batch | undefined;
  /** Closed batches that wait for a sync, and those that one is under way for. */
  #waiting: Batch[] = [];
  #syncing: readonly Batch[] = [];
  /** Segments that took their last line, until they are synced for the last time. */
  #full: UsedSegment[] = [];
  #durable: Position;
  #failure: Refusal | undefined;

  constructor(settings: {
    readonly clock: Clock;
    readonly seal: (payloads: readonly string[]) => string;
    readonly current: UsedSegment;
    /** Called after every sync, also a failed one, with what its batches settled. */
    readonly onSynced: (settled: readonly UsedSegment[]) => void;
  }) {
    this.#clock = settings.clock;
    this.#seal = settings.seal;
    this.#current = settings.current;
    this.#onSynced = settings.onSynced;
    this.#durable = { segment: settings.current.number, offset: settings.current.end };
  }

  get current(): UsedSegment {
    return this.#current;
  }

  /** Everything before it is durable. */
  get durable(): Position {
    return this.#durable;
  }

  /** Set for good by the first write or sync that fails: what the disk then holds is not known (fsyncgate). */
  get failure(): Refusal | undefined {
    return this.#failure;
  }

  /** Bytes that one more record may take in the current segment. */
  get roomBytes(): number {
    return roomBytes(this.#current.sizeBytes, this.#current.end) - commitLineBytesMax;
  }

  /** Where the batch begins that the next record joins, and how many leaves it has. */
  get batchStart(): number {
    return this.#batch?.start ?? this.#current.end;
  }

  get leafCount(): number {
    return this.#batch?.leaves.length ?? 0;
  }

  /** The place in `staged` with room for the longest line. */
  makeRoom(): number {
    // A commit and an end mark may have to follow before the next chance to write.
    if (this.#stagedBytes + lineBytesMax + 2 * commitLineBytesMax > stagedBytesMax) this.#write();
    return this.#stagedBytes;
  }

  /** Takes the line that was just written at `makeRoom()`; the caller has seen that `roomBytes` suffices. */
  append(lengthBytes: number): Written {
    const position = { segment: this.#current.number, offset: this.#current.end };
    const batch = (this.#batch ??= this.#openBatch(position));
    batch.records++;
    this.#advance(lengthBytes);
    this.counts.records++;
    if (!this.#turnScheduled) {
      this.#turnScheduled = true;
      setImmediate(this.#endTurn);
    }
    return { position, durable: batch.synced.promise };
  }

  /** Notes what the record just appended settles. */
  settled(intentSegment: UsedSegment, receipt: string | undefined): void {
    const batch = this.#batch!;
    batch.settled.push(intentSegment);
    if (receipt !== undefined) batch.leaves.push(receipt);
  }

  /** Ends a batch that has reached its bounds; to be called after each record is complete. */
  closeIfLarge(): void {
    const batch = this.#batch;
    if (batch === undefined) return;
    if (this.#current.end - batch.start >= batchBytesMax || batch.leaves.length >= leavesMax) this.#closeBatch();
  }

  /** Finishes the current segment and goes on in `next`, which is prepared and empty. */
  rotate(next: UsedSegment): void {
    this.#closeBatch();
    this.#advance(writeEnd(this.staged, this.makeRoom()));
    this.#write();
    this.#full.push(this.#current);
    this.#current = next;
  }

  /** Resolves when everything that was appended is durable, or the disk has failed. */
  async flush(): Promise<void> {
    this.#endTurn();
    for (let batch = this.#lastBatch(); batch !== undefined; batch = this.#lastBatch()) {
      // A failure is kept in `failure`, where every caller looks.
      await batch.synced.promise.catch(() => undefined);
    }
  }

  /** The end of the batch that what was appended last is in, once it is durable; undefined where all of it is. */
  async flushed(): Promise<Position | undefined> {
    const batch = this.#lastBatch();
    await batch?.synced.promise;
    return batch?.end;
  }

  async close(): Promise<void> {
    await this.flush();
    for (const segment of [...this.#full, this.#current]) await segment.file.close();
  }

  /** At the end of a turn of the event loop, and of a sync: what was staged goes to the disk, where it idles. */
  readonly #endTurn = (): void => {
    this.#turnScheduled = false;
    if (this.#syncing.length === 0) this.#commit();
  };

  #openBatch(position: Position): Batch {
    const synced = Promise.withResolvers<void>();
    // Whoever waits for it hears of a failure; that nobody waits must not end the process.
    synced.promise.catch(() => undefined);
    return {
      segment: this.#current,
      start: position.offset,
      records: 0,
      leaves: [],
      settled: [],
      end: position,
      seal: undefined,
      synced,
    };
  }

  #closeBatch(): void {
    const batch = this.#batch;
    if (batch === undefined || this.#failure !== undefined) return;
    try {
      const seal = batch.leaves.length === 0 ? undefined : this.#seal(batch.leaves);
      batch.seal = seal;
      const commit = { batchStart: batch.start, records: batch.records, durable: this.#durable, seal };
      this.#advance(writeCommit(this.staged, this.makeRoom(), commit));
    } catch (error) {
      this.#fail(error);
      return;
    }
    batch.end = { segment: this.#current.number, offset: this.#current.end };
    this.#batch = undefined;
    this.#waiting.push(batch);
    this.counts.batches++;
  }

  #advance(lengthBytes: number): void {
    this.#stagedBytes += lengthBytes;
    this.#current.end += lengthBytes;
    this.counts.bytes += lengthBytes;
  }

  #write(): void {
    const length = this.#stagedBytes;
    if (length === 0 || this.#failure !== undefined) return;
    this.#stagedBytes = 0;
    try {
      this.#current.file.write(this.staged, length, this.#current.end - length);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Closes the batch and syncs all that is closed. */
  #commit(): void {
    this.#closeBatch();
    this.#write();
    if (this.#failure !== undefined || this.#waiting.length === 0) return;
    const batches = this.#waiting;
    this.#waiting = [];
    this.#syncing = batches;
    const startedMs = this.#clock.monotonicMs();
    this.#sync(batches.at(-1)!.segment).then(
      () => this.#synced(batches, this.#clock.monotonicMs() - startedMs),
      (error: unknown) => this.#fail(error),
    );
  }

  /** Full segments first: what is in a later one is never durable before them. */
  async #sync(last: UsedSegment): Promise<void> {
    const full = this.#full;
    this.#full = [];
    for (const segment of full) {
      try {
        await segment.file.datasync();
      } finally {
        await segment.file.close();
      }
    }
    if (!full.includes(last)) await last.file.datasync();
  }

  #synced(batches: readonly Batch[], syncMs: number): void {
    if (this.#failure !== undefined) return;
    this.#durable = batches.at(-1)!.end;
    this.lastSyncMs = syncMs;
    this.#syncing = [];
    for (const batch of batches) {
      const { segment, start, end, seal } = batch;
      this.recent.add({ start: { segment: segment.number, offset: start }, end, seal });
      batch.synced.resolve();
      this.#onSynced(batch.settled);
    }
    this.#endTurn();
  }

  #fail(error: unknown): void {
    if (this.#failure !== undefined) return;
    const cause = error instanceof Error ? error.message : String(error);
    this.#failure = refuse(
      "journal_failed",
      `Writing journal segment ${segmentName(this.#current.number)} failed: ${cause}.`,
    );
    const lost = [...this.#syncing, ...this.#waiting, ...(this.#batch === undefined ? [] : [this.#batch])];
    this.#syncing = [];
    this.#waiting = [];
    this.#batch = undefined;
    for (const batch of lost) batch.synced.reject(new RefusalError(this.#failure));
    this.#onSynced([]);
  }

  #lastBatch(): Batch | undefined {
    return this.#batch ?? this.#waiting.at(-1) ?? this.#syncing.at(-1);
  }
}
