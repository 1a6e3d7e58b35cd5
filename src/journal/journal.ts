import {
  type Clock,
  type GatewayId,
  type InstallationId,
  type Refusal,
  refuse,
  RefusalError,
  type RequestId,
} from "../base/index.ts";
import type { Disk } from "./disk.ts";
import { NoteLimit } from "./notes.ts";
import { isBefore, type Readable, readBatches, readSettlement, type SettlementInBatch } from "./reading.ts";
import {
  commitLineBytesMax,
  noteBytesMax,
  type NoteKind,
  type Position,
  writeIntent,
  writeNote,
  writeSettlement,
} from "./record.ts";
import type { SealedBatch } from "./recent.ts";
import { recover, type Recovered, type UsedSegment } from "./recovery.ts";
import { settlementRoomBytes, settlementsIn } from "./room.ts";
import { type JournalBatch, segmentName } from "./segment.ts";
import { Spares } from "./spares.ts";
import { BatchWriter, type Written } from "./writer.ts";

export interface JournalOptions {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly installation: InstallationId;
  readonly gateway: GatewayId;
  /** Size of a segment, from 64 KiB to 1 GiB; a change holds for segments to come. */
  readonly segmentBytes: number;
  /** Seals the receipts of one batch; at most `sealBytesMax` bytes on one line. */
  readonly seal: (payloads: readonly string[]) => string;
  /** Notes beyond it are counted, not kept. */
  readonly notesPerSecond?: number;
  /** Who reads this journal and says how far: a segment stays until all of them have let it go. By default the shipping. */
  readonly followers?: readonly Follower[];
  /** Number of the first segment in an empty folder: one more than what an earlier journal's shipping reached. */
  readonly firstSegment?: number;
}

export type Follower = "shipping" | "log";

/** A request whose settlement has its room. */
export interface Intent extends Written {
  readonly outcome: "intended";
  readonly request: RequestId;
}

export interface JournalState {
  /** Since it was opened. */
  readonly batches: number;
  readonly records: number;
  readonly bytes: number;
  readonly droppedNotes: number;
  /** Milliseconds that the last datasync took; undefined before the first. */
  readonly lastSyncMs: number | undefined;
  readonly openIntents: number;
  /** Bytes kept free for the settlements of open intents. */
  readonly reservedBytes: number;
  /** Bytes of records behind what shipping has let go. */
  readonly unshippedBytes: number;
  readonly segments: number;
  readonly spareSegments: number;
  /** Bytes that a crash had torn, cleared when it was opened. */
  readonly clearedBytes: number;
  /** Why the last attempt to prepare a segment failed. */
  readonly spareFailure: string | undefined;
  readonly failed: boolean;
}

/** Opens a journal: reads what is there, mends what a crash tore (`recover`), and goes on behind it. */
export async function openJournal(options: JournalOptions): Promise<Journal> {
  const { segmentBytes } = options;
  if (!(segmentBytes >= 64 * 1024 && segmentBytes <= 1024 ** 3)) {
    throw new RangeError(`a journal segment has 64 KiB to 1 GiB, not ${segmentBytes} bytes`);
  }
  return new Journal(options, await recover(options.disk, { firstSegment: 1, ...options }));
}

/** A running journal of one gateway: what is promised about room, notes and released segments. */
export class Journal {
  readonly gateway: GatewayId;
  readonly #disk: Disk;
  /** All that hold records, the oldest first; the last is the current one. */
  readonly #segments = new Map<number, UsedSegment>();
  readonly #writer: BatchWriter;
  readonly #spares: Spares;
  readonly #notes: NoteLimit;
  readonly #open = new Set<Intent>();
  readonly #recovered = new Map<Intent, string>();
  readonly #clearedBytes: number;
  #closed = false;
  /** How far each follower has let it go. */
  readonly #released: Map<Follower, Position>;
  #releasing: Promise<void> = Promise.resolve();
  #followers: (() => void)[] = [];

  /** Use `openJournal`. */
  constructor(options: JournalOptions, recovered: Recovered) {
    const { disk, clock, seal, segmentBytes } = options;
    const { current, finished, spares } = recovered;
    this.gateway = options.gateway;
    this.#disk = disk;
    this.#notes = new NoteLimit(clock, options.notesPerSecond ?? 200);
    this.#writer = new BatchWriter({ clock, seal, current, onSynced: (settled) => this.#onSynced(settled) });
    this.#clearedBytes = recovered.clearedBytes;
    for (const segment of [...finished, current]) this.#segments.set(segment.number, segment);
    this.#released = new Map((options.followers ?? ["shipping"]).map((follower) => [follower, this.first]));
    for (const { request, position, body } of recovered.openIntents) {
      const intent: Intent = { outcome: "intended", request, position, durable: Promise.resolve() };
      this.#open.add(intent);
      this.#recovered.set(intent, body);
    }
    this.#spares = new Spares(disk, clock, { identity: options, segmentBytes, after: current.number, ready: spares });
    this.#spares.replenish(this.#open.size);
  }

  /**
   * Appends an intent (`body`: JSON text of at most `intentBytesMax` bytes) and keeps room for its settlement. Refuses
   * with `journal_full` where that room is not there, with `journal_failed` after a failed write or sync. `instead`: an
   * open intent of the same request, whose place this one takes: it runs elsewhere now.
   */
  intend(request: RequestId, body: string, instead?: Intent): Intent | Refusal {
    if (instead !== undefined && (instead.request !== request || !this.#open.has(instead))) {
      throw new Error(`request ${request} has no such open intent in this journal`);
    }
    const stopped = this.#stopped();
    if (stopped !== undefined) return stopped;
    this.#recordDropped();
    const { staged } = this.#writer;
    let length = writeIntent(staged, this.#writer.makeRoom(), request, body);
    this.#spares.replenish(this.#open.size);
    if (!this.#hasRoom(length, this.#open.size + 1)) {
      const cause = this.#spares.failure ?? "the next segment is still being prepared";
      return refuse("journal_full", `The journal has no room for another request: ${cause}.`, { retryAfterSeconds: 1 });
    }
    if (this.#rotateFor(length)) length = writeIntent(staged, this.#writer.makeRoom(), request, body);
    const { position, durable } = this.#writer.append(length);
    if (instead !== undefined) this.#letGo(instead);
    this.#writer.closeIfLarge();
    const intent: Intent = { outcome: "intended", request, position, durable };
    this.#open.add(intent);
    this.#segments.get(position.segment)!.openIntents++;
    return intent;
  }

  /**
   * Appends the settlement of an intent, once: `body` (JSON text) and the receipt's canonical statement, together at
   * most `settlementBytesMax` bytes. Its room is there. Throws a `RefusalError` where the journal has failed.
   */
  settle(intent: Intent, body: string, receipt?: string): Written {
    const stopped = this.#stopped();
    if (stopped !== undefined) throw new RefusalError(stopped);
    if (!this.#open.has(intent)) throw new Error(`request ${intent.request} has no open intent in this journal`);
    let length = this.#writeSettlement(intent, body, receipt);
    if (this.#rotateFor(length)) length = this.#writeSettlement(intent, body, receipt);
    const written = this.#writer.append(length);
    this.#letGo(intent, receipt);
    this.#writer.closeIfLarge();
    return written;
  }

  /** The record just appended takes an intent's place. */
  #letGo(intent: Intent, receipt?: string): void {
    this.#writer.settled(this.#segments.get(intent.position.segment)!, receipt);
    this.#open.delete(intent);
    this.#recovered.delete(intent);
  }

  /** Keeps a note, or counts it as dropped where there are too many, it is too long, or room is short. */
  note(kind: "refusal" | "policy", body: string): void {
    this.#recordDropped();
    const fits = body.length * 3 <= noteBytesMax || Buffer.byteLength(body) <= noteBytesMax;
    const stopped = this.#stopped() !== undefined;
    if (stopped || !fits || !this.#notes.admits() || !this.#appendNote(kind, body)) this.#notes.drop();
  }

  /** The open intents that were found when the journal was opened, to be settled by what the hosts remember. */
  openIntents(): readonly { readonly intent: Intent; readonly body: string }[] {
    return [...this.#recovered].map(([intent, body]) => ({ intent, body }));
  }

  /** Everything before it is durable. */
  get durable(): Position {
    return this.#writer.durable;
  }

  /** Where the oldest batch begins. */
  get first(): Position {
    const [oldest] = this.#segments.values();
    return { segment: oldest!.number, offset: oldest!.headerBytes };
  }

  /**
   * All durable batches from `from` on (a batch's `end`; undefined: the oldest), in order, through a window of bounded
   * size. Ends at the durable end, or, with `follow`, waits there for more until that signal aborts or the journal
   * closes or fails. Throws where `from` lies outside this journal, or a record is damaged.
   */
  read(from?: Position, follow?: AbortSignal): AsyncGenerator<JournalBatch, void, void> {
    return readBatches(this.#readable(), from ?? this.first, follow, "with");
  }

  /** As `read`, for who has no use for the bodies of intents: they are empty. */
  readSettled(from?: Position, follow?: AbortSignal): AsyncGenerator<JournalBatch, void, void> {
    return readBatches(this.#readable(), from ?? this.first, follow, "without");
  }

  /**
   * The durable batches behind a position, where all of them are still at hand: what was synced lately by this process.
   * undefined: they have to be read.
   */
  recent(from: Position): readonly SealedBatch[] | undefined {
    return this.#writer.recent.behind(from);
  }

  /** Resolves once there is more behind `seen` that is durable: true; false where there never will be, or it was aborted. */
  grown(seen: Position, signal: AbortSignal): Promise<boolean> {
    return this.#more(seen, signal);
  }

  /** A durable settlement and its batch; undefined where there is none at `position` (any more, or not yet). */
  readSettlement(position: Position): Promise<SettlementInBatch | undefined> {
    return readSettlement(this.#readable(), position);
  }

  /** Resolves with the end of what was appended up to now, once that is durable; rejects where the disk fails first. */
  async flushed(): Promise<Position> {
    return (await this.#writer.flushed()) ?? this.durable;
  }

  /**
   * Tells what a follower has no more use for, and removes the oldest segments that lie whole before what all of them
   * have let go, and have no open intent.
   */
  release(upTo: Position, by: Follower = "shipping"): Promise<void> {
    if (isBefore(this.durable, upTo)) throw new RangeError("what is released was never durable in this journal");
    const before = this.#released.get(by);
    if (before === undefined) throw new RangeError(`${by} does not follow this journal`);
    if (isBefore(before, upTo)) this.#released.set(by, upTo);
    const released = this.#releasing.then(() => this.#removeReleased());
    // The caller hears of a failure; the next release tries again.
    this.#releasing = released.catch(() => undefined);
    return released;
  }

  state(): JournalState {
    let unshippedBytes = 0;
    const shipped = this.#released.get("shipping") ?? this.first;
    for (const segment of this.#segments.values()) {
      if (segment.number < shipped.segment) continue;
      const from = segment.number === shipped.segment ? shipped.offset : segment.headerBytes;
      unshippedBytes += segment.end - from;
    }
    return {
      ...this.#writer.counts,
      droppedNotes: this.#notes.dropped,
      lastSyncMs: this.#writer.lastSyncMs,
      openIntents: this.#open.size,
      reservedBytes: this.#open.size * settlementRoomBytes,
      unshippedBytes,
      segments: this.#segments.size,
      spareSegments: this.#spares.count,
      spareFailure: this.#spares.failure,
      clearedBytes: this.#clearedBytes,
      failed: this.#writer.failure !== undefined,
    };
  }

  /** Takes nothing more, waits until all is durable, closes the files. Open intents stay open for the next process. */
  async close(): Promise<void> {
    if (this.#closed) return;
    if (this.#notes.unrecorded > 0) this.#recordDropped(true);
    this.#closed = true;
    await this.#writer.close();
    this.#wakeFollowers();
    await this.#releasing;
    await this.#spares.close();
  }

  #stopped(): Refusal | undefined {
    return this.#writer.failure ?? (this.#closed ? refuse("draining", "The journal is closed.") : undefined);
  }

  /** Whether a record of `lengthBytes` leaves room for `settlements` of the largest size. */
  #hasRoom(lengthBytes: number, settlements: number): boolean {
    const here = this.#writer.roomBytes;
    if (lengthBytes <= here) return settlementsIn(here - lengthBytes) + this.#spares.settlements >= settlements;
    const spareBytes = this.#spares.firstRoomBytes;
    const there = spareBytes - commitLineBytesMax - lengthBytes;
    return there >= 0 && settlementsIn(there) + this.#spares.settlements - settlementsIn(spareBytes) >= settlements;
  }

  /** Goes on in the next segment where a record of `lengthBytes` does not fit into this one; says whether it did. */
  #rotateFor(lengthBytes: number): boolean {
    if (lengthBytes <= this.#writer.roomBytes) return false;
    const { number, file, headerBytes } = this.#spares.take();
    const next = { number, file, headerBytes, sizeBytes: file.sizeBytes, end: headerBytes, openIntents: 0 };
    this.#segments.set(number, next);
    this.#writer.rotate(next);
    this.#spares.replenish(this.#open.size);
    return true;
  }

  #writeSettlement(intent: Intent, body: string, receipt: string | undefined): number {
    const { batchStart, leafCount: leaf } = this.#writer;
    const line = { request: intent.request, intent: intent.position, batchStart, leaf, body, receipt };
    return writeSettlement(this.#writer.staged, this.#writer.makeRoom(), line);
  }

  #appendNote(kind: NoteKind, body: string): boolean {
    const length = writeNote(this.#writer.staged, this.#writer.makeRoom(), kind, body);
    if (!this.#hasRoom(length, this.#open.size)) return false;
    if (this.#rotateFor(length)) writeNote(this.#writer.staged, this.#writer.makeRoom(), kind, body);
    this.#writer.append(length);
    this.#writer.closeIfLarge();
    return true;
  }

  /** Dropped notes are told of by a note, in the first second that has a place for it. */
  #recordDropped(now = false): void {
    const { unrecorded } = this.#notes;
    if (unrecorded === 0 || this.#stopped() !== undefined || !(now || this.#notes.admits())) return;
    if (this.#appendNote("dropped", `{"dropped":${unrecorded}}`)) this.#notes.recorded();
  }

  #readable(): Readable {
    return {
      disk: this.#disk,
      segments: this.#segments,
      durable: () => this.durable,
      more: (seen, signal) => this.#more(seen, signal),
    };
  }

  async #more(seen: Position, signal: AbortSignal): Promise<boolean> {
    const over = (): boolean => signal.aborted || this.#stopped() !== undefined;
    while (!over() && !isBefore(seen, this.durable)) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const wake = (): void => resolve();
      this.#followers.push(wake);
      signal.addEventListener("abort", wake);
      await promise;
      signal.removeEventListener("abort", wake);
    }
    return !signal.aborted && isBefore(seen, this.durable);
  }

  #onSynced(settled: readonly UsedSegment[]): void {
    for (const segment of settled) segment.openIntents--;
    this.#wakeFollowers();
  }

  #wakeFollowers(): void {
    const followers = this.#followers;
    if (followers.length === 0) return;
    this.#followers = [];
    for (const wake of followers) wake();
  }

  /** Oldest first, so that a crash in between leaves no gap. */
  async #removeReleased(): Promise<void> {
    const oldest = Math.min(...[...this.#released.values()].map(({ segment }) => segment));
    for (const segment of this.#segments.values()) {
      if (segment.number >= oldest || segment.openIntents > 0) break;
      await this.#disk.remove(segmentName(segment.number));
      this.#segments.delete(segment.number);
      await this.#disk.syncFolder();
    }
  }
}
