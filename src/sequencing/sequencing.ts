import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Clock, type Refusal, refuse } from "../base/index.ts";
import { writeWhole } from "../installation/index.ts";
import { isBefore, type Journal, type Position } from "../journal/index.ts";
import {
  appendEntriesMax,
  type Batch,
  type Checkpoint,
  entryBytes,
  folderDisk,
  type Loose,
  openCheckpoint,
  openSequencer,
  parseVerifierKey,
  type Sequencer,
} from "../log/index.ts";
import {
  formatKeyStatement,
  type KeyStatement,
  keyStatementEntry,
  type SigningKeys,
  type StatedReceiptKey,
} from "../receipt/index.ts";
import { type Cursor, cursorOf, cursorValue, statementsMax } from "./cursor.ts";
import { beginLog, type Generation, originOf, readGenerations } from "./generations.ts";
import { KeyBook } from "./key-book.ts";
import { type LogResource, proofOf, type ReceiptPlace, type ReceiptProof, resourceOf } from "./showing.ts";
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
  readonly witnesses: readonly WitnessSettings[];
  readonly post: Post;
  /** How the log stands has changed. */
  readonly onStanding: (standing: Standing) => void;
}

/** Whether the log goes on, and if not, why, and what the operator can do. */
export type Standing =
  | { readonly outcome: "open" }
  /** It goes on by itself once there is room, or the disk answers again. */
  | { readonly outcome: "full" | "failed"; readonly reason: string; readonly next: string }
  /** It cannot go on without contradicting what it has shown. */
  | { readonly outcome: "damaged" | "missing" | "ahead"; readonly reason: string; readonly next: string };

export interface LogStatus {
  readonly state: Standing["outcome"];
  readonly reason: string | null;
  readonly next: string | null;
  readonly origin: string;
  readonly size: number;
  readonly keys: readonly string[];
  /** The newest key statement, and whether it is in the log. */
  readonly statement: { readonly number: number; readonly index: number | null } | null;
  readonly witnesses: readonly WitnessStatus[];
  /** Logs that ended, by their names. */
  readonly ended: readonly string[];
}

/** What has come within this time goes into one append: it costs some ten syncs however much it holds. */
const betweenAppendsMs = 200;
const retryMs = 1_000;

/** Opens the newest log, and follows the journal from where it stands. Damage is a standing, never a failed start. */
export async function openSequencing(options: SequencingOptions): Promise<Sequencing> {
  const sequencing = new Sequencing(options);
  await sequencing.start();
  return sequencing;
}

export class Sequencing {
  readonly #options: SequencingOptions;
  readonly #book: KeyBook;
  readonly #stop = new AbortController();
  readonly #ended = new Map<number, Sequencer>();
  #witnesses: Witnesses;
  #generation: Generation | undefined;
  #log: Sequencer | undefined;
  #cosigned: Shown | undefined;
  #standing: Standing = { outcome: "open" };
  /** Where following stands: at the log's cursor, or behind it where nothing was sealed since. */
  #at: Position | undefined;
  /** A statement that is not in the log yet, and what has to be in it before. */
  #pending: { readonly statement: KeyStatement; readonly after: Position } | undefined;
  #wake = new AbortController();
  #running: Promise<void> = Promise.resolve();

  /** Use `openSequencing`. */
  constructor(options: SequencingOptions) {
    this.#options = options;
    this.#book = new KeyBook(options);
    this.#witnesses = this.#newWitnesses();
  }

  async start(): Promise<void> {
    if (readGenerations(this.#options.data).length === 0 && this.#book.latest === undefined) {
      beginLog(this.#options.data, null);
    }
    await this.#open();
    this.#running = this.#run();
  }

  async close(): Promise<void> {
    this.#stop.abort();
    this.#wake.abort();
    this.#witnesses.close();
    await this.#running;
  }

  get standing(): Standing {
    return this.#standing;
  }

  /** The name of the log that goes on. */
  get origin(): string {
    return this.#generation === undefined ? this.#options.origin : originOf(this.#options.origin, this.#generation);
  }

  /** Why this class of data is not served at the moment; undefined: it is. */
  mayServe(dataClass: string): Refusal | undefined {
    if (this.#standing.outcome === "open" || this.#options.whenDamaged[dataClass] === "serve") return undefined;
    const message = `The transparency log cannot be written, and ${dataClass} data is not served meanwhile.`;
    return refuse("log_unavailable", message, { retryAfterSeconds: 2 });
  }

  status(): LogStatus {
    const standing = this.#standing;
    const { latest } = this.#book;
    return {
      state: standing.outcome,
      reason: standing.outcome === "open" ? null : standing.reason,
      next: standing.outcome === "open" ? null : standing.next,
      origin: this.origin,
      size: this.#log?.size ?? 0,
      keys: this.#book.verifierKeys(this.origin),
      statement: latest === undefined ? null : { number: latest.number, index: this.#indexOf(latest.number) ?? null },
      witnesses: this.#witnesses.status,
      ended: readGenerations(this.#options.data)
        .slice(0, -1)
        .map((generation) => originOf(this.#options.origin, generation)),
    };
  }

  /** The checkpoint that is shown now, with the cosignatures that it has; undefined where there is none. */
  get checkpoint(): Buffer | undefined {
    const plain = this.#log?.checkpoint;
    if (plain === undefined) return undefined;
    const isSame = this.#cosigned?.checkpoint.size === this.#log!.size && this.#cosigned.note.includes(plain);
    return isSame ? this.#cosigned!.note : Buffer.from(plain);
  }

  /** What is served below the log's prefix: "checkpoint", "tile/...", "keys/...", "ended/N/...". */
  async resource(path: string): Promise<LogResource | undefined> {
    const ended = /^ended\/([1-9]\d{0,5})\/(.+)$/.exec(path);
    if (ended !== null) {
      const found = await this.#endedLog(Number(ended[1]));
      return found === undefined ? undefined : resourceOf(found.log, found.folder, ended[2]!);
    }
    const keys = /^keys\/([1-9]\d{0,8})(\.tlog-proof)?$/.exec(path);
    if (keys !== null) return this.#keyResource(Number(keys[1]), keys[2] !== undefined);
    if (this.#log === undefined || this.#generation === undefined) return undefined;
    if (path !== "checkpoint") return resourceOf(this.#log, this.#generation.folder, path);
    const { checkpoint } = this;
    return checkpoint && { bytes: checkpoint, contentType: "text/plain; charset=utf-8", isFixed: false };
  }

  /** The proof that a receipt is in the log, against the newest checkpoint that witnesses have cosigned and that has it. */
  async prove({ batch, index, leaf }: ReceiptPlace): Promise<ReceiptProof> {
    const log = this.#log;
    const at = this.#at;
    const found = await log?.find(batch);
    if (found?.outcome === "damaged") return found;
    if (log !== undefined && found?.outcome === "found") return this.#proveAt(log, leaf, found.first + index);
    const before = await this.#proveInEnded({ batch, index, leaf });
    if (before !== undefined) return before;
    if (this.#standing.outcome !== "open") return { outcome: "damaged", reason: this.#standing.reason };
    // What lies before the place that following had reached was sealed before there was a log.
    return { outcome: at !== undefined && isBefore(batch, at) ? "absent" : "pending" };
  }

  /** The keys of receipts, as the newest statement has them. */
  statedKeys(): readonly StatedReceiptKey[] {
    return this.#book.latest?.receiptKeys ?? [];
  }

  /** Makes a new key for the log; the one before signs beside it for so long. Resolves once both sign. */
  async rotateLogKey(overlapMs: number): Promise<void> {
    this.#book.makeLogKey();
    await this.#stateKeys({ retiresAtMs: this.#options.clock.nowMs() + overlapMs });
    await this.#reopen();
  }

  /** Makes a new signing key. What was sealed by the one before holds. */
  async rotateSigningKey(): Promise<void> {
    this.#options.signing.rotate(this.#options.clock.nowMs());
    await this.#stateKeys();
  }

  /** Revokes a signing key: what it has sealed up to now holds, as the log shows; from here on nothing of it does. */
  async revokeSigningKey(keyId: string): Promise<Refusal | undefined> {
    const { signing, clock } = this.#options;
    if (signing.all.every(({ id }) => id !== keyId)) {
      return refuse("not_found", `There is no signing key ${keyId.slice(0, 100)}.`);
    }
    if (signing.activeKeyId === keyId) signing.rotate(clock.nowMs());
    await this.#stateKeys({ revoked: keyId });
    signing.destroy(keyId);
    return undefined;
  }

  /** Ends the log that cannot go on, and begins another one. */
  async begin(): Promise<Refusal | undefined> {
    if (!["damaged", "missing", "ahead"].includes(this.#standing.outcome)) {
      return refuse("log_open", `The log ${this.origin} goes on: there is no reason to begin another one.`);
    }
    beginLog(this.#options.data, this.#options.journal.first);
    await this.#reopen();
    return undefined;
  }

  /** Stops following, opens what is there now, and goes on. */
  async #reopen(): Promise<void> {
    this.#isReopening = true;
    this.#wake.abort();
    await this.#running;
    this.#isReopening = false;
    await this.#open();
    this.#running = this.#run();
  }
  #isReopening = false;

  get #isOver(): boolean {
    return this.#stop.signal.aborted || this.#isReopening;
  }

  async #open(): Promise<void> {
    const { data, clock } = this.#options;
    this.#log = undefined;
    this.#cosigned = undefined;
    const generation = readGenerations(data).at(-1);
    this.#generation = generation;
    if (generation === undefined) {
      return this.#stand({
        outcome: "missing",
        reason: `The log's folder ${join(data, "log")} is not there.`,
        next: bringBack,
      });
    }
    const { origin } = this;
    const keys = this.#book.signingLog(origin);
    const note = readCosigned(generation);
    const cosigned = note && this.#opened(note, origin);
    const opened = await openSequencer({
      disk: await folderDisk(generation.folder),
      clock,
      origin,
      keys,
      published: [...this.#publishedOf(origin), ...(cosigned === undefined ? [] : [cosigned])],
    });
    if (opened.outcome === "full") return this.#stand({ outcome: "full", reason: opened.reason, next: makeRoom });
    if (opened.outcome !== "opened") {
      const path = opened.outcome === "damaged" ? ` (${join(generation.folder, opened.path)})` : "";
      return this.#stand({
        outcome: "damaged",
        reason: `The log ${origin} is damaged: ${opened.reason}${path}.`,
        next: bringBack,
      });
    }
    this.#cosigned = cosigned && { checkpoint: cosigned, note };
    return this.#follows(opened.log, generation);
  }

  /** Whether the journal still has what comes behind the log's end. */
  #follows(log: Sequencer, generation: Generation): void {
    const { journal } = this.#options;
    const { position } = cursorOf(log.cursor);
    const at = position ?? generation.begins ?? journal.first;
    if (isBefore(journal.durable, at)) {
      const reason = `The log has followed a journal up to segment ${at.segment}, offset ${at.offset}; this one ends before.`;
      return this.#stand({
        outcome: "ahead",
        reason,
        next: "Bring back the journal that belongs to it, or run `npx bailiwick log begin`.",
      });
    }
    this.#log = log;
    // What an older log's journal has let go cannot be logged any more.
    this.#at = isBefore(at, journal.first) ? journal.first : at;
    if (position !== null) void journal.release(position, "log").catch(() => undefined);
    const statement = this.#book.state(this.origin, (number) => this.#placeOf(number));
    if (this.#indexOf(statement.number) === undefined) this.#pending = { statement, after: journal.durable };
    this.#stand({ outcome: "open" });
    return this.#show();
  }

  /** Follows the journal until it is stopped, also after a failure. A log that cannot go on waits for its operator. */
  async #run(): Promise<void> {
    while (!this.#isOver) {
      const log = this.#log;
      if (log === undefined && this.#standing.outcome !== "full" && this.#standing.outcome !== "failed") return;
      try {
        if (log === undefined) await this.#open();
        else await this.#follow(log);
      } catch (error) {
        if (this.#isOver) return;
        this.#log = undefined;
        this.#stand({ outcome: "failed", reason: `The log cannot be written: ${messageOf(error)}.`, next: lookAtDisk });
      }
      if (this.#standing.outcome !== "open") await this.#pause(retryMs);
    }
  }

  /** Reads on until it is woken: by a statement that has come, or to stop. */
  async #follow(log: Sequencer): Promise<void> {
    const { journal, signing } = this.#options;
    this.#wake = new AbortController();
    if (this.#isOver) return;
    if (this.#isDue(this.#at!)) await this.#append(log, [], this.#at!);
    let batches: Batch[] = [];
    let entries = 0;
    for await (const batch of journal.readSettled(this.#at, this.#wake.signal)) {
      if (batch.seal !== undefined) {
        batches.push({ ...batch.start, entries: signing.leavesOf(batch) });
        entries += batch.leaves.length;
      }
      if (entries < appendEntriesMax / 2 && isBefore(batch.end, journal.durable)) continue;
      await this.#append(log, batches, batch.end);
      [batches, entries] = [[], 0];
      if (this.#isOver) return;
      await this.#pause(betweenAppendsMs);
    }
    // Where reading was ended in the midst of a gathering, it is read again from what is logged.
  }

  /** Appends what was gathered up to `end`, and the statement that is due there; tries again until there is room. */
  async #append(log: Sequencer, batches: readonly Batch[], end: Position): Promise<void> {
    const { statements, position } = cursorOf(log.cursor);
    const due = this.#isDue(end) ? this.#pending : undefined;
    // Nothing was sealed: the place in the journal can be found again, until a segment is to be let go.
    if (batches.length === 0 && due === undefined && position?.segment === end.segment) {
      this.#at = end;
      return;
    }
    const loose: readonly Loose[] =
      due === undefined ? [] : [{ entries: keyStatementEntry(formatKeyStatement(due.statement)) }];
    const index = log.size + batches.reduce((sum, batch) => sum + batch.entries.length / entryBytes, 0);
    const known =
      due === undefined
        ? statements
        : new Map([...statements, [due.statement.number, index] as const].slice(-statementsMax));
    const cursor: Cursor = { position: end, statements: known };
    for (;;) {
      const appended = await log.append([...batches, ...loose], cursorValue(cursor));
      if (appended.outcome === "appended") break;
      this.#stand({ outcome: "full", reason: appended.reason, next: makeRoom });
      await this.#pause(retryMs);
      if (this.#isOver) return;
    }
    if (due !== undefined) this.#pending = undefined;
    this.#at = end;
    this.#stand({ outcome: "open" });
    this.#show();
    await this.#options.journal.release(end, "log");
  }

  #isDue(end: Position): boolean {
    return this.#pending !== undefined && !isBefore(end, this.#pending.after);
  }

  /** Writes a statement about the keys as they are now, to be logged behind all that was sealed before. */
  async #stateKeys(changes: { readonly revoked?: string; readonly retiresAtMs?: number } = {}): Promise<void> {
    const statement = this.#book.state(this.origin, (number) => this.#placeOf(number), changes);
    this.#pending = { statement, after: await this.#options.journal.flushed() };
    this.#wake.abort();
  }

  #indexOf(statement: number): number | undefined {
    return this.#log === undefined ? undefined : cursorOf(this.#log.cursor).statements.get(statement);
  }

  #placeOf(statement: number): { readonly log: string; readonly index: number } | undefined {
    const index = this.#indexOf(statement);
    return index === undefined ? undefined : { log: this.origin, index };
  }

  async #keyResource(number: number, isProof: boolean): Promise<LogResource | undefined> {
    const bytes = this.#book.read(number);
    if (bytes === undefined) return undefined;
    if (!isProof) return { bytes, contentType: "application/json", isFixed: true };
    const index = this.#indexOf(number);
    if (index === undefined) return undefined;
    const proof = await this.#proveAt(this.#log!, keyStatementEntry(bytes), index, bytes);
    if (proof.outcome !== "proven") return undefined;
    return { bytes: proof.proof, contentType: "text/plain; charset=utf-8", isFixed: false };
  }

  async #proveAt(log: Sequencer, entry: Buffer, index: number, extra?: Buffer): Promise<ReceiptProof> {
    const cosigned = this.#cosigned;
    if (cosigned !== undefined && cosigned.checkpoint.size > index) return proofOf(log, entry, index, cosigned, extra);
    const shown = shownOf(log, this.origin);
    if (shown === undefined || shown.checkpoint.size <= index) return { outcome: "pending" };
    return proofOf(log, entry, index, shown, extra);
  }

  async #proveInEnded({ batch, index, leaf }: ReceiptPlace): Promise<ReceiptProof | undefined> {
    const ended = readGenerations(this.#options.data).slice(0, -1).toReversed();
    for (const { number } of ended) {
      const found = await this.#endedLog(number);
      const batchAt = await found?.log.find(batch);
      if (found === undefined || batchAt?.outcome !== "found") continue;
      const shown = shownOf(found.log, originOf(this.#options.origin, { number }));
      const proof = shown && (await proofOf(found.log, leaf, batchAt.first + index, shown));
      if (proof?.outcome === "proven") return proof;
    }
    return undefined;
  }

  /** A log that ended, opened once. It is only read; one that is damaged has nothing to show. */
  async #endedLog(number: number): Promise<{ readonly log: Sequencer; readonly folder: string } | undefined> {
    const generations = readGenerations(this.#options.data);
    const generation = generations.find((each) => each.number === number);
    if (generation === undefined || generation === generations.at(-1)) return undefined;
    let log = this.#ended.get(number);
    if (log === undefined) {
      const origin = originOf(this.#options.origin, generation);
      const opened = await openSequencer({
        disk: await folderDisk(generation.folder),
        clock: this.#options.clock,
        origin,
        keys: this.#book.signingLog(origin),
      });
      if (opened.outcome !== "opened") return undefined;
      log = opened.log;
      this.#ended.set(number, log);
    }
    return { log, folder: generation.folder };
  }

  #show(): void {
    const shown = this.#log && shownOf(this.#log, this.origin);
    if (shown !== undefined) this.#witnesses.shown(shown, this.#log!.readTile);
  }

  #newWitnesses(): Witnesses {
    const { witnesses, clock, post } = this.#options;
    return new Witnesses({ witnesses, clock, post, onCosigned: (cosigned) => this.#keepCosigned(cosigned) });
  }

  #keepCosigned(cosigned: Shown): void {
    if (this.#generation === undefined || cosigned.checkpoint.origin !== this.origin) return;
    this.#cosigned = cosigned;
    try {
      writeWhole(join(this.#generation.folder, cosignedName), cosigned.note.toString(), 0o600);
    } catch {
      // Without room for it it is in memory only, and witnesses sign again after a restart.
    }
  }

  /** Those of the known checkpoints that are this log's. */
  #publishedOf(origin: string): readonly Checkpoint[] {
    return this.#options.published.flatMap((note) => this.#opened(note, origin) ?? []);
  }

  /** By whatever key of this log it was signed, of all that there ever were. */
  #opened(note: Buffer, origin: string): Checkpoint | undefined {
    const keys = (this.#book.latest?.logKeys ?? []).flatMap(({ key }) => {
      const parsed = parseVerifierKey(key);
      return parsed.outcome === "read" && parsed.key.name === origin ? [parsed.key] : [];
    });
    const opened = openCheckpoint(note, [{ origin, keys }]);
    return opened.outcome === "signed" ? opened.checkpoint : undefined;
  }

  #stand(standing: Standing): void {
    const before = this.#standing;
    this.#standing = standing;
    const isSame =
      before.outcome === standing.outcome &&
      (before.outcome === "open" || before.reason === (standing as typeof before).reason);
    if (!isSame) this.#options.onStanding(standing);
  }

  /** Until the time is over, or following is woken. */
  async #pause(delayMs: number): Promise<void> {
    if (this.#isOver) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const cancel = this.#options.clock.after(delayMs, resolve);
    const woken = (): void => resolve();
    for (const { signal } of [this.#stop, this.#wake]) signal.addEventListener("abort", woken, { once: true });
    await promise;
    cancel();
    for (const { signal } of [this.#stop, this.#wake]) signal.removeEventListener("abort", woken);
  }
}

const cosignedName = "cosigned";
const makeRoom = "Free disk space: the log goes on by itself.";
const lookAtDisk = "Look at the disk; the log is tried again every second.";
const bringBack =
  "Bring back the newest copy of the folder and start again; or run `npx bailiwick log begin`, which begins another log (docs/operating/log.md).";

function shownOf(log: Sequencer, origin: string): Shown | undefined {
  const { checkpoint, size, root } = log;
  // Without room for it, what is shown is the checkpoint of an append before.
  if (checkpoint?.startsWith(`${origin}\n${size}\n`) !== true) return undefined;
  return { checkpoint: { origin, size, root }, note: Buffer.from(checkpoint) };
}

function readCosigned({ folder }: Generation): Buffer | undefined {
  const path = join(folder, cosignedName);
  return existsSync(path) ? readFileSync(path) : undefined;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
