import type { KeyObject } from "node:crypto";
import { type CanonicalValue, type Clock, DiskFullError } from "../base/index.ts";
import {
  batchesPath,
  type BatchPosition,
  type BatchRecord,
  batchRecordBytes,
  checkPosition,
  encodeBatches,
  findBatch,
  type FoundBatch,
  isBefore,
} from "./batches.ts";
import { type Checkpoint, formatCheckpoint } from "./checkpoint.ts";
import type { Disk } from "./disk.ts";
import { DurableFiles } from "./durable-files.ts";
import { type Edge, entryBytes, grow, rootOf, type TileFile } from "./edge.ts";
import { signText, verifierKeyOf, type VerifierKey } from "./keys.ts";
import { formatNote } from "./note.ts";
import { checkpointPath, type FoundLog, readLog, type Unopened } from "./opening.ts";
import { tilesOf } from "./reading.ts";
import { checkCursor, encodeState, type LogState, statePath } from "./state.ts";
import { outgrown, type ReadTile } from "./tiles.ts";

/** A key that signs checkpoints, under the log's name. */
export interface LogKey {
  /** Ed25519. */
  readonly privateKey: KeyObject;
  /** A key that is on its way out signs beside the others until then; without it, a key signs for good. */
  readonly untilMs?: number;
}

export interface SequencerOptions {
  readonly disk: Disk;
  readonly clock: Clock;
  /** The log's name, such as "example.com/receipts": what its checkpoints begin with. It never changes. */
  readonly origin: string;
  readonly keys: readonly LogKey[];
  /** Checkpoints of this log that are known from elsewhere, so that no older copy of the folder goes on from behind. */
  readonly published?: readonly Checkpoint[];
}

export type OpenedSequencer =
  | { readonly outcome: "opened"; readonly log: Sequencer }
  | Unopened
  | { readonly outcome: "full"; readonly reason: string };

/** Entries that were made durable together where they come from. */
export interface Batch extends BatchPosition, Loose {}

/** Entries that come from nowhere that has positions: whoever wants to find them again notes their index. */
export interface Loose {
  /** At least one, 32 bytes each, in their order. */
  readonly entries: Buffer;
}

export type Appended =
  /** `first`: the index of the first new entry. Without room for it, the checkpoint is published with the next append. */
  | { readonly outcome: "appended"; readonly first: number; readonly size: number; readonly published: boolean }
  /** There is no room on the disk, and the log is as it was. */
  | { readonly outcome: "full"; readonly reason: string };

/** Entries that one append takes at most: their tiles are in memory at once. */
export const appendEntriesMax = 65_536;

/** Files that are written and synced at once. */
const writesAtOnce = 32;

/**
 * Opens a log's folder, or makes a new log in an empty one. What it finds there is held against itself first (`readLog`).
 * One process at a time may have a log open; who keeps the folder keeps the others out.
 */
export async function openSequencer(options: SequencerOptions): Promise<OpenedSequencer> {
  const { disk, origin, published = [] } = options;
  if (options.keys.every(({ untilMs }) => untilMs !== undefined)) throw new RangeError("a log needs a key that stays");
  const found = await readLog(disk, { origin, published, keys: verifierKeysOf(options) });
  if (found.outcome !== "read") return found;
  const log = new Sequencer(options, found);
  try {
    await log.begin();
    return { outcome: "opened", log };
  } catch (error) {
    if (error instanceof DiskFullError) return { outcome: "full", reason: error.message };
    throw error;
  }
}

function verifierKeysOf({ keys, origin }: SequencerOptions): readonly VerifierKey[] {
  return keys.map(({ privateKey }) => verifierKeyOf("ed25519", { name: origin, privateKey }));
}

/**
 * The one writer of a log. An append is durable in this order: tiles, entries and batches are written and synced; then the
 * state's file is replaced, which is the moment at which the log has grown; then the checkpoint is signed and shown. So
 * no checkpoint is ever shown that a crash takes back.
 */
export class Sequencer {
  readonly #options: SequencerOptions;
  readonly #files: DurableFiles;
  readonly #isNew: boolean;
  readonly readTile: ReadTile;
  #edge: Edge;
  #state: LogState;
  #lastBatch: BatchPosition | undefined;
  #checkpoint: string | undefined;
  #isBusy = false;
  #failure: unknown;

  /** Use `openSequencer`. */
  constructor(options: SequencerOptions, found: FoundLog) {
    this.#options = options;
    this.#isNew = found.isNew;
    this.#files = new DurableFiles(options.disk);
    this.readTile = tilesOf(options.disk);
    this.#edge = found.edge;
    this.#state = found.state;
    this.#lastBatch = found.lastBatch;
    this.#checkpoint = found.checkpoint;
  }

  get size(): number {
    return this.#state.size;
  }

  get root(): Buffer {
    return this.#state.root;
  }

  /** What came with the last append; null in a new log. */
  get cursor(): CanonicalValue {
    return this.#state.cursor;
  }

  /** The signed note that is shown now; undefined as long as there was no room for the first. */
  get checkpoint(): string | undefined {
    return this.#checkpoint;
  }

  /** Makes durable what an earlier process may have left undone. To be called once, before anything else. */
  begin(): Promise<void> {
    return this.#alone(async () => {
      if (this.#isNew) {
        await this.#files.write(`${statePath}.new`, encodeState(this.#state));
        await this.#files.rename(`${statePath}.new`, statePath);
      }
      const { batches } = this.#state;
      if (batches > 0) await this.#files.writeEnd(batchesPath, batches * batchRecordBytes, Buffer.alloc(0));
      // Only now is a state durable whose process was killed between its rename and the sync.
      await this.#files.sync();
      await this.#publish();
      await this.#removeOutgrown();
    });
  }

  /**
   * Appends batches in the order of their positions, and moves the cursor to what follows them; without batches it moves
   * the cursor only. One append at a time. Once it resolves the entries are in the log for good. Where writing fails
   * otherwise than for want of room it throws, and the log has to be opened anew to know what the disk holds.
   */
  async append(batches: readonly (Batch | Loose)[], cursor: CanonicalValue): Promise<Appended> {
    this.#check(batches);
    checkCursor(cursor);
    return this.#alone(async () => {
      const first = this.#state.size;
      const { edge, files } = grow(this.#edge, Buffer.concat(batches.map(({ entries }) => entries)));
      const placed = batches.filter(isPlaced);
      const state = this.#stateOf(edge, this.#state.batches + placed.length, cursor);
      if (!(await this.#hasWritten(files, recordsOf(batches, first), state))) {
        return { outcome: "full", reason: "There is no room on the disk for more of the log." };
      }
      await this.#files.rename(`${statePath}.new`, statePath);
      await this.#files.sync();
      [this.#edge, this.#state, this.#lastBatch] = [edge, state, placed.at(-1) ?? this.#lastBatch];
      const published = await this.#publish();
      await this.#removeOutgrown();
      return { outcome: "appended", first, size: state.size, published };
    });
  }

  /** Where a batch that was appended begins in the log. */
  find(position: BatchPosition): Promise<FoundBatch> {
    return findBatch(this.#options.disk, this.#state.batches, position);
  }

  #check(batches: readonly (Batch | Loose)[]): void {
    let last = this.#lastBatch;
    let bytes = 0;
    for (const batch of batches) {
      const { entries } = batch;
      if (entries.length === 0 || entries.length % entryBytes !== 0) throw new RangeError("entries have 32 bytes each");
      bytes += entries.length;
      if (!isPlaced(batch)) continue;
      const { segment, offset } = batch;
      checkPosition(batch);
      // This also keeps a batch from being appended twice.
      if (last !== undefined && !isBefore(last, batch)) {
        throw new RangeError(`the batch at segment ${segment}, offset ${offset} does not follow the one before it`);
      }
      last = batch;
    }
    if (bytes > appendEntriesMax * entryBytes) throw new RangeError(`one append takes ${appendEntriesMax} entries`);
  }

  #stateOf(edge: Edge, batches: number, cursor: CanonicalValue): LogState {
    const { origin, size: previousSize } = this.#state;
    return { origin, size: edge.size, root: rootOf(edge), previousSize, batches, cursor };
  }

  /** Whether all that comes before the state's rename is on the disk; false where there is no room for it. */
  async #hasWritten(files: readonly TileFile[], records: readonly BatchRecord[], state: LogState): Promise<boolean> {
    try {
      const writes = files.map(
        ({ path, bytes }) =>
          () =>
            this.#files.write(path, bytes),
      );
      const recordsAt = this.#state.batches * batchRecordBytes;
      if (records.length > 0) writes.push(() => this.#files.writeEnd(batchesPath, recordsAt, encodeBatches(records)));
      await together(writes);
      await this.#files.sync();
      await this.#files.write(`${statePath}.new`, encodeState(state));
      return true;
    } catch (error) {
      if (error instanceof DiskFullError) return false;
      throw error;
    }
  }

  /** Signs the state as it is on the disk, and shows it; false where there is no room. */
  async #publish(): Promise<boolean> {
    const { clock, keys } = this.#options;
    const checkpoint = signedCheckpoint(this.#state, keys, clock.nowMs());
    if (checkpoint === this.#checkpoint) return true;
    try {
      await this.#files.write(`${checkpointPath}.new`, Buffer.from(checkpoint));
    } catch (error) {
      if (error instanceof DiskFullError) return false;
      throw error;
    }
    // Its new name needs no sync of its own: whoever opens the log after a power cut signs the same state again.
    await this.#files.rename(`${checkpointPath}.new`, checkpointPath);
    this.#checkpoint = checkpoint;
    return true;
  }

  /** A partial tile may go once the full one is there (c2sp.org/tlog-tiles, "Partial Tiles"). */
  async #removeOutgrown(): Promise<void> {
    for (const folder of outgrown(this.#state.previousSize, this.#state.size)) await this.#files.removeFolder(folder);
  }

  async #alone<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#failure !== undefined)
      throw new Error("the log failed, and has to be opened anew", { cause: this.#failure });
    if (this.#isBusy) throw new Error("a log takes one append at a time");
    this.#isBusy = true;
    try {
      return await work();
    } catch (error) {
      this.#failure = error;
      throw error;
    } finally {
      this.#isBusy = false;
    }
  }
}

/** Does some at once, and none is under way any more when it ends, so that a next try does not meet it. */
async function together(writes: readonly (() => Promise<void>)[]): Promise<void> {
  for (let at = 0; at < writes.length; at += writesAtOnce) {
    const settled = await Promise.allSettled(writes.slice(at, at + writesAtOnce).map((write) => write()));
    const errors = settled.flatMap((each) => (each.status === "rejected" ? [each.reason as unknown] : []));
    if (errors.length > 0) throw errors.find((error) => !(error instanceof DiskFullError)) ?? errors[0];
  }
}

function recordsOf(batches: readonly (Batch | Loose)[], first: number): readonly BatchRecord[] {
  let next = first;
  return batches.flatMap((batch) => {
    const at = next;
    next += batch.entries.length / entryBytes;
    return isPlaced(batch) ? [{ segment: batch.segment, offset: batch.offset, first: at }] : [];
  });
}

function isPlaced(batch: Batch | Loose): batch is Batch {
  return "segment" in batch;
}

function signedCheckpoint({ origin, size, root }: LogState, keys: readonly LogKey[], nowMs: number): string {
  const text = formatCheckpoint({ origin, size, root, extensions: [] });
  const active = keys.filter(({ untilMs }) => untilMs === undefined || nowMs < untilMs);
  return formatNote({ text, signatures: active.map(({ privateKey }) => signText(text, { name: origin, privateKey })) });
}
