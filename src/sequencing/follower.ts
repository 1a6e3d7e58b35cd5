import type { Clock } from "../base/index.ts";
import { isBefore, type Journal, type Position } from "../journal/index.ts";
import { appendEntriesMax, type Batch, entryBytes, type Loose, type Sequencer } from "../log/index.ts";
import { formatKeyStatement, type KeyStatement, keyStatementEntry, type SigningKeys } from "../receipt/index.ts";
import { cursorOf, cursorValue, statementsMax } from "./cursor.ts";
import { full, type Standing } from "./standing.ts";

export interface FollowerOptions {
  readonly journal: Journal;
  readonly clock: Clock;
  readonly log: Sequencer;
  /** Where in the journal it begins. */
  readonly at: Position;
  readonly signing: Pick<SigningKeys, "leavesOf" | "sealedLeaves">;
  readonly onStanding: (standing: Standing) => void;
  /** The log has grown. */
  readonly onAppended: () => void;
}

/** A statement that is not in the log yet, and what has to be in it before. */
export interface Pending {
  readonly statement: KeyStatement;
  readonly after: Position;
}

/** What is to be appended at once, and where it ends. */
interface Gathered {
  readonly batches: readonly Batch[];
  readonly end: Position;
}

/** A batch more than that is still within what one append takes. */
const gatheredEntries = appendEntriesMax / 2;
/** What has come within this time goes into one append: it costs some ten syncs however much it holds. */
const betweenAppendsMs = 400;
const retryMs = 1_000;

/** Appends the journal's sealed batches to a log, in order, as they become durable. */
export class Follower {
  readonly #options: FollowerOptions;
  readonly #stop = new AbortController();
  /** Ends a reading or a pause before its time. */
  #wake = new AbortController();
  /** At the log's own cursor, or behind it where nothing was sealed since. */
  #at: Position;
  #pending: Pending | undefined;

  constructor(options: FollowerOptions) {
    this.#options = options;
    this.#at = options.at;
  }

  /** Everything before it is in the log. */
  get at(): Position {
    return this.#at;
  }

  /** Hands over a statement, which is logged once all before it is. */
  state(pending: Pending): void {
    this.#pending = pending;
    this.#wake.abort();
  }

  stop(): void {
    this.#stop.abort();
    this.#wake.abort();
  }

  /** Follows until it is stopped. Rejects where the log cannot be written otherwise than for want of room. */
  async run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      this.#wake = new AbortController();
      if (this.#isDue(this.#at)) await this.#append([], this.#at);
      await this.#follow(this.#wake.signal);
    }
  }

  /** Goes on with what is durable, until it is woken. */
  async #follow(signal: AbortSignal): Promise<void> {
    const { journal } = this.#options;
    while (!signal.aborted) {
      const { batches, end } = this.#gatherRecent() ?? (await this.#gatherRead());
      if (end === this.#at) {
        // Where the journal has ended before anybody stopped this, nothing more will come.
        if (!(await journal.grown(end, signal)) && !signal.aborted) this.stop();
        continue;
      }
      await this.#append(batches, end);
      if (this.#stop.signal.aborted) return;
      await this.#pause(betweenAppendsMs);
    }
  }

  /** What was sealed lately, from memory; undefined where it has to be read. */
  #gatherRecent(): Gathered | undefined {
    const { journal, signing } = this.#options;
    const recent = journal.recent(this.#at);
    if (recent === undefined) return undefined;
    const batches: Batch[] = [];
    let [entries, end] = [0, this.#at];
    for (const batch of recent) {
      const leaves = batch.seal === undefined ? undefined : signing.sealedLeaves(batch.seal);
      if (batch.seal !== undefined && leaves === undefined) return undefined;
      if (leaves !== undefined) batches.push({ ...batch.start, entries: leaves });
      entries += (leaves?.length ?? 0) / entryBytes;
      end = batch.end;
      if (entries >= gatheredEntries) break;
    }
    return { batches, end };
  }

  async #gatherRead(): Promise<Gathered> {
    const { journal, signing } = this.#options;
    const batches: Batch[] = [];
    let [entries, end] = [0, this.#at];
    for await (const batch of journal.readSettled(this.#at)) {
      if (batch.seal !== undefined) batches.push({ ...batch.start, entries: signing.leavesOf(batch) });
      entries += batch.leaves.length;
      end = batch.end;
      if (entries >= gatheredEntries) break;
    }
    return { batches, end };
  }

  /** Appends what was gathered up to `end`, and the statement that is due there; tries again until there is room. */
  async #append(batches: readonly Batch[], end: Position): Promise<void> {
    const { log, journal, onAppended, onStanding } = this.#options;
    const { position, statements } = cursorOf(log.cursor);
    const due = this.#isDue(end) ? this.#pending : undefined;
    // Nothing was sealed: the place in the journal can be found again, until a segment is to be let go.
    if (batches.length === 0 && due === undefined && position?.segment === end.segment) {
      this.#at = end;
      return;
    }
    const index = log.size + batches.reduce((sum, { entries }) => sum + entries.length / entryBytes, 0);
    const loose: readonly Loose[] = due === undefined ? [] : [{ entries: entryOf(due) }];
    const stated = due === undefined ? [] : [[due.statement.number, index] as const];
    const known = new Map([...statements, ...stated].slice(-statementsMax));
    const cursor = cursorValue({ position: end, statements: known });
    for (;;) {
      const appended = await log.append([...batches, ...loose], cursor);
      if (appended.outcome === "appended") break;
      onStanding(full(appended.reason));
      await this.#pause(retryMs);
      if (this.#stop.signal.aborted) return;
    }
    if (due === this.#pending) this.#pending = undefined;
    this.#at = end;
    onStanding({ outcome: "open" });
    onAppended();
    await journal.release(end, "log");
  }

  #isDue(end: Position): boolean {
    return this.#pending !== undefined && !isBefore(end, this.#pending.after);
  }

  /** Until the time is over, or somebody wakes this. */
  async #pause(delayMs: number): Promise<void> {
    const { signal } = this.#wake;
    if (signal.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const woken = (): void => resolve();
    const cancel = this.#options.clock.after(delayMs, resolve);
    signal.addEventListener("abort", woken, { once: true });
    await promise;
    cancel();
    signal.removeEventListener("abort", woken);
  }
}

function entryOf({ statement }: Pending): Buffer {
  return keyStatementEntry(formatKeyStatement(statement));
}
