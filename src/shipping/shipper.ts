import type { Clock, ProjectId, ReceiptId } from "../base/index.ts";
import { isBefore, type Journal, type JournalBatch, type Position } from "../journal/index.ts";

/** Whole batches of the journal, in order, and where they begin and end. */
export interface Shipment {
  readonly from: Position;
  /** Whether nothing of this journal was ever shipped. */
  readonly isFirst: boolean;
  readonly to: Position;
  readonly batches: readonly JournalBatch[];
  /**
   * Whether its commit must outlive a crash of the database, and all before it with it. Others spare the disk a sync that
   * answers under way would wait behind: what a crash takes is still in the journal, and is written again.
   */
  readonly isDurable: boolean;
}

export interface ShipperOptions {
  readonly journal: Journal;
  readonly clock: Clock;
  /** Where shipping stood when this process began; undefined: at the journal's beginning. */
  readonly from: Position | undefined;
  /** Most settlements that may wait before no more requests are taken. */
  readonly waitingMax: number;
  /**
   * Writes a shipment and the watermark in one transaction. Resolves with where the watermark stands then: at `to`;
   * before it where an earlier try whose answer was lost had been committed; before `from` where the database has lost
   * what it had confirmed, in a crash. Rejects where the database is away.
   */
  readonly write: (shipment: Shipment) => Promise<Position>;
  readonly onFailure: (error: unknown, retryInMs: number) => void;
}

export interface Shipper {
  /** Whether too much waits for the database. */
  readonly behind: boolean;
  /** Settlements that are durable and not yet shipped. */
  readonly waiting: number;
  /** A settlement is durable. */
  settled(receipt: ReceiptId, project: ProjectId, position: Position): void;
  /** Where a receipt that is not yet shipped stands; undefined: shipped, or never there, or another project's. */
  unshipped(receipt: ReceiptId, project: ProjectId): Position | undefined;
  /** Resolves once everything that is durable now has been shipped: true; false after `waitMs`. */
  caughtUp(waitMs: number): Promise<boolean>;
  close(): Promise<void>;
}

const recordsAtOnce = 1_000;
/**
 * A transaction costs the same for one settlement as for hundreds: what comes within this time goes in one. Whoever
 * waits for the books (`caughtUp`) ends the pause.
 */
const betweenShipmentsMs = 100;
const firstRetryMs = 100;
const lastRetryMs = 5_000;

export function createShipper(options: ShipperOptions): Shipper {
  return new JournalShipper(options);
}

class JournalShipper implements Shipper {
  readonly #options: ShipperOptions;
  readonly #stop = new AbortController();
  readonly #places = new Map<ReceiptId, { readonly project: ProjectId; readonly position: Position }>();
  #shipped: Position;
  #isFirst: boolean;
  /** Whether a crash of the database would lose nothing. What an earlier process left there may not be safe yet. */
  #isLastDurable: boolean;
  #waiters: { readonly upTo: Position; readonly done: () => void }[] = [];
  #endPause: () => void = () => undefined;
  readonly #running: Promise<void>;

  constructor(options: ShipperOptions) {
    this.#options = options;
    this.#shipped = options.from ?? options.journal.first;
    this.#isFirst = options.from === undefined;
    this.#isLastDurable = this.#isFirst;
    this.#running = this.#run();
  }

  get behind(): boolean {
    return this.#places.size >= this.#options.waitingMax;
  }
  get waiting(): number {
    return this.#places.size;
  }

  settled(receipt: ReceiptId, project: ProjectId, position: Position): void {
    // The loop may have been faster than the request's own next step.
    if (isBefore(position, this.#shipped)) return;
    this.#places.set(receipt, { project, position });
  }

  unshipped(receipt: ReceiptId, project: ProjectId): Position | undefined {
    const place = this.#places.get(receipt);
    return place?.project === project ? place.position : undefined;
  }

  async caughtUp(waitMs: number): Promise<boolean> {
    const upTo = this.#options.journal.durable;
    if (!isBefore(this.#shipped, upTo)) return true;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const waiter = { upTo, done: () => resolve(true) };
    this.#waiters.push(waiter);
    this.#endPause();
    const cancel = this.#options.clock.after(waitMs, () => resolve(false));
    const reached = await promise;
    cancel();
    this.#waiters = this.#waiters.filter((other) => other !== waiter);
    return reached;
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  /** Reads on from what is shipped, also after a failure, until it is stopped or the journal ends. */
  async #run(): Promise<void> {
    let retryMs = firstRetryMs;
    while (!this.#stop.signal.aborted) {
      try {
        await this.#follow(() => (retryMs = firstRetryMs));
        return;
      } catch (error) {
        if (this.#stop.signal.aborted) return;
        this.#options.onFailure(error, retryMs);
        await this.#pause(retryMs);
        retryMs = Math.min(retryMs * 2, lastRetryMs);
      }
    }
  }

  async #follow(onShipped: () => void): Promise<void> {
    const { journal } = this.#options;
    await this.#makeDurable();
    let batches: JournalBatch[] = [];
    let records = 0;
    for await (const batch of journal.readSettled(this.#shipped, this.#stop.signal)) {
      batches.push(batch);
      records += batch.records.length;
      // What is there already goes in one transaction; behind the durable end nothing is waited for.
      if (records < recordsAtOnce && isBefore(batch.end, journal.durable)) continue;
      await this.#ship(batches);
      onShipped();
      batches = [];
      records = 0;
      if (this.#waiters.length === 0) await this.#pause(betweenShipmentsMs);
      await this.#makeDurable();
    }
    await this.#ship(batches);
  }

  /** An earlier try whose answer was lost may have written the first of the batches: the others are left to write. */
  async #ship(batches: readonly JournalBatch[]): Promise<void> {
    for (let left = batches; left.length > 0;) {
      const from = this.#shipped;
      const to = left.at(-1)!.end;
      // A segment goes once the next one is reached, and what it held must be safe by then.
      const isDurable = this.#isFirst || from.segment !== to.segment;
      const reached = await this.#write({ from, isFirst: this.#isFirst, to, batches: left, isDurable });
      left = left.filter(({ end }) => isBefore(reached, end));
      await this.#advance(reached);
    }
  }

  /** Where nothing more is there to ship, what could still be lost is made safe, by a commit of nothing. */
  async #makeDurable(): Promise<void> {
    if (this.#isLastDurable || isBefore(this.#shipped, this.#options.journal.durable)) return;
    const at = this.#shipped;
    await this.#write({ from: at, isFirst: false, to: at, batches: [], isDurable: true });
  }

  async #write(shipment: Shipment): Promise<Position> {
    if (!shipment.isDurable) this.#isLastDurable = false;
    const reached = await this.#options.write(shipment);
    if (isBefore(reached, this.#shipped)) this.#goBack(reached);
    if (shipment.isDurable) this.#isLastDurable = true;
    return reached;
  }

  /** The journal still has what the database lost: nothing of an unfinished segment is released. It is read again. */
  #goBack(to: Position): never {
    this.#shipped = to;
    throw new Error(
      `the database came back at segment ${to.segment}, offset ${to.offset}: shipping goes on from there`,
    );
  }

  async #advance(to: Position): Promise<void> {
    this.#isFirst = false;
    this.#shipped = to;
    for (const [receipt, { position }] of this.#places) if (isBefore(position, to)) this.#places.delete(receipt);
    for (const { upTo, done } of this.#waiters) if (!isBefore(to, upTo)) done();
    await this.#options.journal.release(to);
  }

  /** Until the time is over, somebody waits for the books, or the shipping is stopped. */
  async #pause(delayMs: number): Promise<void> {
    if (this.#stop.signal.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const cancel = this.#options.clock.after(delayMs, resolve);
    const stopped = (): void => resolve();
    this.#endPause = stopped;
    this.#stop.signal.addEventListener("abort", stopped, { once: true });
    await promise;
    cancel();
    this.#stop.signal.removeEventListener("abort", stopped);
    this.#endPause = () => undefined;
  }
}
