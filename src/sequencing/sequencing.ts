import { type Clock, type Refusal, refuse } from "../base/index.ts";
import { writeWhole } from "../installation/index.ts";
import { isBefore, type Journal } from "../journal/index.ts";
import type { Sequencer } from "../log/index.ts";
import { keyStatementEntry, type SigningKeys, type StatedReceiptKey } from "../receipt/index.ts";
import { cursorOf } from "./cursor.ts";
import { EndedLogs } from "./ended-logs.ts";
import { Follower } from "./follower.ts";
import { beginLog, originOf, readGenerations } from "./generations.ts";
import { KeyBook } from "./key-book.ts";
import { cosignedPath, type OpenedLog, openNewest } from "./opening.ts";
import {
  lastShownOf,
  type LogResource,
  proofOf,
  type ReceiptPlace,
  type ReceiptProof,
  resourceOf,
  shownOf,
} from "./showing.ts";
import { failed, isSameStanding, type Standing } from "./standing.ts";
import { timestampResource, Timestamps, type TimestampsOptions } from "./timestamps.ts";
import { type Post, type Shown, Witnesses, type WitnessSettings, type WitnessStatus } from "./witnesses.ts";

export interface SequencingOptions {
  /** The data folder. */
  readonly data: string;
  readonly journal: Journal;
  readonly signing: SigningKeys;
  readonly clock: Clock;
  /** The first log's name. */
  readonly origin: string;
  /** Checkpoints that are known from elsewhere, as signed notes: no log goes on from behind one of its own. */
  readonly published: readonly Buffer[];
  /** What goes on, by data class, while the log cannot be written. */
  readonly whenDamaged: Readonly<Record<string, "serve" | "stop">>;
  /** Segments of the journal that may wait for a log that cannot be written: beyond them nothing is served. */
  readonly waitingSegmentsMax: number;
  readonly witnesses: readonly WitnessSettings[];
  readonly post: Post;
  /** Who dates a checkpoint once an hour; left out: nobody. */
  readonly timestamps?: Omit<TimestampsOptions, "clock">;
  /** How the log stands has changed. */
  readonly onStanding: (standing: Standing) => void;
}

export interface LogStatus {
  readonly state: Standing["outcome"];
  readonly reason: string | null;
  readonly next: string | null;
  readonly origin: string;
  readonly size: number;
  /** Verifier keys of those that sign now. */
  readonly keys: readonly string[];
  /** The newest key statement, and whether it is in the log. */
  readonly statement: { readonly number: number; readonly index: number | null } | null;
  readonly witnesses: readonly WitnessStatus[];
  /** Logs that ended, by their names. */
  readonly ended: readonly string[];
}

const retryMs = 1_000;

/** Opens the newest log, and follows the journal from where it stands. Damage is a standing, never a failed start. */
export async function openSequencing(options: SequencingOptions): Promise<Sequencing> {
  const sequencing = new Sequencing(options);
  await sequencing.start();
  return sequencing;
}

/** The transparency log of a running cloud: what it shows, how it stands, and its keys. */
export class Sequencing {
  readonly #options: SequencingOptions;
  readonly #book: KeyBook;
  readonly #ended: EndedLogs;
  readonly #witnesses: Witnesses;
  readonly #timestamps: Timestamps | undefined;
  #opened: OpenedLog | undefined;
  #follower: Follower | undefined;
  #cosigned: Shown | undefined;
  #standing: Standing = { outcome: "open" };
  #isStopping = false;
  #endPause: () => void = () => undefined;
  #running: Promise<void> = Promise.resolve();

  /** Use `openSequencing`. */
  constructor(options: SequencingOptions) {
    this.#options = options;
    this.#book = new KeyBook(options);
    this.#ended = new EndedLogs(options, this.#book);
    this.#witnesses = new Witnesses({ ...options, onCosigned: (cosigned) => this.#keepCosigned(cosigned) });
    const { clock, timestamps } = options;
    this.#timestamps = timestamps && new Timestamps({ clock, ...timestamps });
  }

  async start(): Promise<void> {
    const { data } = this.#options;
    // Whoever has stated keys has had a log: one that is gone then is missing, not new.
    if (readGenerations(data).length === 0 && this.#book.latest === undefined) beginLog(data, null);
    await this.#open();
    this.#running = this.#run();
  }

  async close(): Promise<void> {
    this.#witnesses.close();
    this.#timestamps?.close();
    await this.#halt();
  }

  /** Why this class of data is not served at the moment; undefined: it is. */
  mayServe(dataClass: string): Refusal | undefined {
    if (this.#standing.outcome === "open") return undefined;
    const { journal, waitingSegmentsMax, whenDamaged } = this.#options;
    if (journal.durable.segment - journal.first.segment > waitingSegmentsMax) {
      const message = "The transparency log cannot be written, and the journal holds all that may wait for it.";
      return refuse("log_unavailable", message, { retryAfterSeconds: 60 });
    }
    if (whenDamaged[dataClass] === "serve") return undefined;
    const message = `The transparency log cannot be written, and ${dataClass} data is not served meanwhile.`;
    return refuse("log_unavailable", message, { retryAfterSeconds: 2 });
  }

  status(): LogStatus {
    const standing = this.#standing;
    const { latest } = this.#book;
    const origin = this.#origin;
    return {
      state: standing.outcome,
      reason: standing.outcome === "open" ? null : standing.reason,
      next: standing.outcome === "open" ? null : standing.next,
      origin,
      size: this.#opened?.log.size ?? 0,
      keys: this.#book.verifierKeys(origin),
      statement: latest === undefined ? null : { number: latest.number, index: this.#indexOf(latest.number) ?? null },
      witnesses: this.#witnesses.status,
      ended: this.#ended.origins,
    };
  }

  /** The newest key statement whose proof can be had; what the last change of keys has made may not be in the log yet. */
  provenStatement(): number | null {
    if (this.#opened === undefined) return null;
    const { log } = this.#opened;
    const size = lastShownOf(log, this.#origin)?.checkpoint.size ?? 0;
    const shown = [...cursorOf(log.cursor).statements].filter(([, index]) => index < size);
    return shown.length === 0 ? null : Math.max(...shown.map(([number]) => number));
  }

  /** What is served below the log's prefix: "checkpoint", "tile/...", "keys/...", "ended/N/...". */
  async resource(path: string): Promise<LogResource | undefined> {
    const [, ended, below] = /^ended\/([1-9]\d{0,5})\/(.+)$/.exec(path) ?? [];
    if (ended !== undefined) {
      const found = await this.#ended.find(Number(ended));
      if (found === undefined) return undefined;
      return timestampResource(found.folder, below!) ?? resourceOf(found.log, found.folder, below!);
    }
    const [, statement, suffix] = /^keys\/([1-9]\d{0,8})(\.tlog-proof)?$/.exec(path) ?? [];
    if (statement !== undefined) return this.#keyResource(Number(statement), suffix !== undefined);
    if (this.#opened === undefined) return undefined;
    const { log, generation } = this.#opened;
    if (path === "checkpoint") return this.#checkpoint(log);
    return timestampResource(generation.folder, path) ?? resourceOf(log, generation.folder, path);
  }

  /** The proof that a receipt is in the log, against the newest checkpoint that witnesses have cosigned and that has it. */
  async prove(place: ReceiptPlace): Promise<ReceiptProof> {
    const log = this.#opened?.log;
    const at = this.#follower?.at;
    const found = await log?.find(place.batch);
    if (found?.outcome === "damaged") return found;
    if (log !== undefined && found?.outcome === "found")
      return this.#proveAt(log, place.leaf, found.first + place.index);
    const before = await this.#ended.prove(place);
    if (before !== undefined) return before;
    if (this.#standing.outcome !== "open") return { outcome: "damaged", reason: this.#standing.reason };
    // What lies before the place that following had reached was sealed before there was a log.
    return { outcome: at !== undefined && isBefore(place.batch, at) ? "absent" : "pending" };
  }

  /** The keys of receipts, as the newest statement has them. */
  statedKeys(): readonly StatedReceiptKey[] {
    return this.#book.latest?.receiptKeys ?? [];
  }

  /** Makes a new key for the log; the one before signs beside it for so long. */
  async rotateLogKey(overlapMs: number): Promise<void> {
    this.#book.makeLogKey();
    this.#state({ retiresAtMs: this.#options.clock.nowMs() + overlapMs });
    await this.#reopen();
  }

  /** Makes a new signing key. What was sealed by the one before holds. */
  async rotateSigningKey(): Promise<void> {
    this.#options.signing.rotate(this.#options.clock.nowMs());
    this.#state();
    await this.#logStatement();
  }

  /** Revokes a signing key: what it has sealed up to now holds, as the log shows; from here on nothing of it does. */
  async revokeSigningKey(keyId: string): Promise<Refusal | undefined> {
    const { signing, clock } = this.#options;
    if (signing.all.every(({ id }) => id !== keyId)) {
      return refuse("not_found", `There is no signing key ${keyId.slice(0, 100)}.`);
    }
    if (signing.activeKeyId === keyId) signing.rotate(clock.nowMs());
    this.#state({ revoked: keyId });
    signing.destroy(keyId);
    await this.#logStatement();
    return undefined;
  }

  /** Ends the log that cannot go on, and begins another one. */
  async begin(): Promise<Refusal | undefined> {
    const { outcome } = this.#standing;
    if (outcome === "open" || outcome === "full" || outcome === "failed") {
      return refuse("log_open", `The log ${this.#origin} goes on: there is no reason to begin another one.`);
    }
    beginLog(this.#options.data, this.#options.journal.first);
    await this.#reopen();
    return undefined;
  }

  /** The name of the log that goes on, or would. */
  get #origin(): string {
    if (this.#opened !== undefined) return this.#opened.origin;
    const { data, origin } = this.#options;
    const newest = readGenerations(data).at(-1);
    return newest === undefined ? origin : originOf(origin, newest);
  }

  async #reopen(): Promise<void> {
    await this.#halt();
    this.#isStopping = false;
    await this.#open();
    this.#running = this.#run();
  }

  async #halt(): Promise<void> {
    this.#isStopping = true;
    this.#follower?.stop();
    this.#endPause();
    await this.#running;
  }

  async #open(): Promise<void> {
    const { journal, clock, signing } = this.#options;
    [this.#opened, this.#follower, this.#cosigned] = [undefined, undefined, undefined];
    const opened = await openNewest(this.#options, this.#book);
    if (opened.outcome !== "opened") return this.#stand(opened);
    const { log, at } = opened;
    this.#opened = opened;
    this.#cosigned = opened.cosigned;
    this.#follower = new Follower({
      journal,
      clock,
      log,
      at,
      signing,
      onStanding: (standing) => this.#stand(standing),
      onAppended: () => this.#show(),
    });
    await journal.release(cursorOf(log.cursor).position ?? journal.first, "log");
    this.#state();
    const { latest } = this.#book;
    if (latest !== undefined && this.#indexOf(latest.number) === undefined) {
      // What an earlier process sealed may be in the journal still.
      this.#follower.state({ statement: latest, after: journal.durable });
    }
    this.#stand({ outcome: "open" });
    return this.#show();
  }

  /** Follows the journal until it is stopped, also after a failure. A log that cannot go on waits for its operator. */
  async #run(): Promise<void> {
    while (!this.#isStopping) {
      try {
        if (this.#follower === undefined) await this.#open();
        const follower = this.#follower;
        await follower?.run();
        if (follower !== undefined) return;
      } catch (error) {
        this.#follower = undefined;
        this.#stand(failed(error));
      }
      const { outcome } = this.#standing;
      if (this.#isStopping || (outcome !== "full" && outcome !== "failed")) return;
      await this.#pause(retryMs);
    }
  }

  /** Writes a statement where the keys are not as the last one has them. */
  #state(changes: { readonly revoked?: string; readonly retiresAtMs?: number } = {}): void {
    const placeOf = (number: number) => {
      const index = this.#indexOf(number);
      return index === undefined ? undefined : { log: this.#origin, index };
    };
    this.#book.state(this.#origin, placeOf, changes);
  }

  /** Has the newest statement logged, behind all that was sealed before it was made. */
  async #logStatement(): Promise<void> {
    const after = await this.#options.journal.flushed();
    const { latest } = this.#book;
    if (latest !== undefined) this.#follower?.state({ statement: latest, after });
  }

  #indexOf(statement: number): number | undefined {
    return this.#opened === undefined ? undefined : cursorOf(this.#opened.log.cursor).statements.get(statement);
  }

  /** The newest checkpoint, with the cosignatures that it has. */
  #checkpoint(log: Sequencer): LogResource | undefined {
    const plain = log.checkpoint;
    if (plain === undefined) return undefined;
    const isCosigned = this.#cosigned?.note.includes(plain) === true;
    const bytes = isCosigned ? this.#cosigned!.note : Buffer.from(plain);
    return { bytes, contentType: "text/plain; charset=utf-8", isFixed: false };
  }

  async #keyResource(number: number, isProof: boolean): Promise<LogResource | undefined> {
    const bytes = this.#book.read(number);
    if (bytes === undefined) return undefined;
    if (!isProof) return { bytes, contentType: "application/json", isFixed: true };
    const index = this.#indexOf(number);
    if (index === undefined) return undefined;
    const proof = await this.#proveAt(this.#opened!.log, keyStatementEntry(bytes), index, bytes);
    if (proof.outcome !== "proven") return undefined;
    return { bytes: proof.proof, contentType: "text/plain; charset=utf-8", isFixed: false };
  }

  async #proveAt(log: Sequencer, entry: Buffer, index: number, extra?: Buffer): Promise<ReceiptProof> {
    const cosigned = this.#cosigned;
    const isCosigned = cosigned !== undefined && cosigned.checkpoint.size > index;
    const shown = isCosigned ? cosigned : lastShownOf(log, this.#origin);
    const holdsIt = shown !== undefined && shown.checkpoint.size > index;
    return holdsIt ? proofOf(log, entry, index, shown, extra) : { outcome: "pending" };
  }

  #show(): void {
    const log = this.#opened?.log;
    const shown = log && shownOf(log, this.#origin);
    if (shown === undefined) return;
    this.#witnesses.shown(shown, log!.readTile);
    if (this.#options.witnesses.length === 0) this.#date(shown);
  }

  /** Where there are witnesses, what they have cosigned is dated, so that their signatures are too. */
  #date({ checkpoint, note }: Shown): void {
    this.#timestamps?.shown({ size: checkpoint.size, note, folder: this.#opened!.generation.folder });
  }

  #keepCosigned(cosigned: Shown): void {
    if (this.#opened === undefined || cosigned.checkpoint.origin !== this.#origin) return;
    this.#cosigned = cosigned;
    this.#date(cosigned);
    try {
      writeWhole(cosignedPath(this.#opened.generation), cosigned.note.toString(), 0o600);
    } catch {
      // Without room for it it is in memory only, and witnesses sign again after a restart.
    }
  }

  #stand(standing: Standing): void {
    const isNew = !isSameStanding(this.#standing, standing);
    this.#standing = standing;
    if (isNew) this.#options.onStanding(standing);
  }

  async #pause(delayMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const cancel = this.#options.clock.after(delayMs, resolve);
    this.#endPause = () => resolve();
    await promise;
    cancel();
    this.#endPause = () => undefined;
  }
}
