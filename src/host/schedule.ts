import { type Cancel, type Clock, type Refusal, RefusalError } from "../base/index.ts";
import type { LoadedModel } from "../engine/index.ts";
import { Entry, type Keeper, type Place, type Work } from "./entry.ts";
import type { HostReservation } from "./protocol.ts";
import { Queue } from "./queue.ts";
import { gaveWay, overloaded, refusalOf } from "./refusals.ts";
import type { Effect, HostEvent, Pool, PoolEvent, PoolRequest, RefusalReason } from "../pool/index.ts";

export interface ScheduleOptions {
  readonly clock: Clock;
  readonly pool: Pool;
  /** The pool's name for this device. */
  readonly device: string;
  readonly model: (name: string) => LoadedModel | undefined;
  /** Never reject. */
  readonly load: (model: string) => Promise<boolean>;
  readonly unload: (model: string) => Promise<void>;
  /** Why a model cannot be loaded whatever leaves for it; undefined: nothing is known against it. */
  readonly hindrance: (model: string) => Refusal | undefined;
  /** A load has ended, and what follows from it has begun. */
  readonly onLoad: () => void;
  /** What an engine or the pool did that cannot be. */
  readonly onBroken: (what: string, error: unknown) => void;
}

interface Turn {
  readonly kind: "prefill" | "decode";
  readonly model: string;
  readonly startedMs: number;
  /** Prompts of it that have no token yet. */
  readonly withoutToken: Set<Entry>;
  readonly cancel: Cancel;
}

/** A prompt's turn is thought over after so long: the model goes on with it unless somebody else cannot wait. */
const promptTurnMs = 250;

/** What a schedule has done since it began. */
export interface ScheduleTotals {
  turns: number;
  loads: number;
  failedLoads: number;
  evictions: number;
  refused: number;
  /** Answers that had tokens and are over; those of them whose first token, and all whose tokens, came when they were due. */
  ended: number;
  firstTokensInTime: number;
  inTime: number;
  busyMs: number;
}

/**
 * Lets a device do what the pool decides: tells it what happens, loads and unloads models, and lets only the model that has
 * the turn compute. Within its turn a model's engine mixes prompts and answers as it likes.
 */
export class Schedule implements Keeper {
  readonly #options: ScheduleOptions;
  readonly #entries = new Map<string, Entry>();
  /** Which of them have got something, or have ended, since that was told. */
  readonly #moved = new Set<Entry>();
  /** By model. */
  readonly #queues = new Map<string, Queue>();
  readonly totals: ScheduleTotals = {
    turns: 0,
    loads: 0,
    failedLoads: 0,
    evictions: 0,
    refused: 0,
    ended: 0,
    firstTokensInTime: 0,
    inTime: 0,
    busyMs: 0,
  };
  /** Happened while another event was being decided. */
  readonly #events: (PoolEvent | HostEvent)[] = [];
  #isDeciding = false;
  #turn: Turn | undefined;
  /** The model that computes, or is about to. */
  #wanted: string | undefined;
  #released: string | undefined;
  #isSwitching = false;
  #isEndingTurn = false;
  #reserved: ReadonlyMap<string, HostReservation> = new Map();
  #loads = 0;
  #cancelWake: Cancel = () => undefined;

  constructor(options: ScheduleOptions) {
    this.#options = options;
  }

  /** The pool begins: it loads what is to be there before anybody asks. */
  start(): void {
    this.#tell({ kind: "woken" });
  }

  /** Who waits for a model, and how many of its answers have begun. */
  queue(model: string): Pick<Queue, "waiting" | "begun" | "whoGivesWay"> {
    return this.#queueOf(model);
  }

  enter(work: Work): Place {
    const entry = new Entry(work, this, this.#options.clock.monotonicMs());
    this.#entries.set(work.request.id, entry);
    this.#queueOf(work.request.model).add(entry);
    // Whoever comes while prompts are computed joins them.
    if (this.#turn?.kind === "prefill") this.#endTurnSoon();
    this.#tell({ kind: "arrived", request: work.request });
    return entry;
  }

  /** Those that wait leave for others who have taken their places, and are told so. */
  displace(entries: readonly Entry[], why: (entry: Entry) => Refusal): void {
    for (const entry of entries) {
      const { id } = entry.work.request;
      if (this.#forget(id) === undefined) continue;
      this.totals.refused++;
      entry.reject(new RefusalError(why(entry)));
      this.#tell({ kind: "cancelled", request: id });
    }
  }

  /** A model is gone from memory by itself; whoever ran on it is told by its engine. */
  lost(model: string): void {
    if (this.#turn?.model === model) {
      this.#turn.cancel();
      this.#turn = undefined;
    }
    if (this.#wanted === model) this.#wanted = undefined;
    if (this.#released === model) this.#released = undefined;
    this.#tell({ kind: "modelLost", device: this.#options.device, model });
  }

  /** What is reserved from now on. */
  reserve(reservations: readonly HostReservation[]): void {
    const [before, now] = [this.#reserved, new Map(reservations.map((each) => [each.id, each]))];
    this.#reserved = now;
    for (const id of before.keys()) if (!now.has(id)) this.#tell({ kind: "reservationEnded", reservation: id });
    for (const [id, { untilMs: _, ...reservation }] of now) {
      if (!before.has(id)) this.#tell({ kind: "reserved", reservation });
    }
  }

  /** Ends the wait of those that have not begun after so long; the pool takes nobody whom it cannot serve, but it can err. */
  sweep(longestMs: (request: PoolRequest) => number): void {
    const nowMs = this.#options.clock.monotonicMs();
    for (const entry of this.#entries.values()) {
      const { request } = entry.work;
      if (entry.hasBegun || nowMs < entry.arrivedMs + longestMs(request)) continue;
      entry.reject(
        new RefusalError(overloaded(`${request.model} had no turn in time.`, this.#options.pool.retryAfterMs(request))),
      );
    }
  }

  /** Nothing is decided any more. */
  stop(): void {
    this.#cancelWake();
    this.#turn?.cancel();
    this.#turn = undefined;
  }

  moved(entry: Entry): void {
    const tokens = entry.see(this.#options.clock.monotonicMs());
    if (tokens > 0) this.#moved.add(entry);
    const turn = this.#turn;
    if (tokens === 0 || turn === undefined || !turn.withoutToken.delete(entry)) return;
    if (turn.withoutToken.size === 0 && turn.kind === "prefill") this.#endTurnSoon();
  }

  left(entry: Entry): void {
    this.#count(entry);
    const { id, model } = entry.work.request;
    if (!this.#entries.has(id)) return;
    if (entry.hasBegun && this.#turn?.model === model) {
      entry.isOver = true;
      this.#moved.add(entry);
      this.#endTurnSoon();
      return;
    }
    this.#forget(id);
    this.#tell({ kind: "cancelled", request: id });
  }

  #queueOf(model: string): Queue {
    let queue = this.#queues.get(model);
    if (queue === undefined) {
      queue = new Queue();
      this.#queues.set(model, queue);
    }
    return queue;
  }

  #forget(id: string): Entry | undefined {
    const entry = this.#entries.get(id);
    if (entry === undefined) return undefined;
    this.#entries.delete(id);
    this.#queueOf(entry.work.request.model).remove(entry);
    this.#moved.delete(entry);
    return entry;
  }

  #count({ tokens, isFirstInTime, isInTime }: Entry): void {
    if (tokens === 0) return;
    this.totals.ended++;
    if (isFirstInTime) this.totals.firstTokensInTime++;
    if (isInTime) this.totals.inTime++;
  }

  #tell(event: PoolEvent | HostEvent): void {
    this.#events.push(event);
    if (this.#isDeciding) return;
    this.#isDeciding = true;
    try {
      for (let next = this.#events.shift(); next !== undefined; next = this.#events.shift()) {
        for (const effect of this.#options.pool.decide(next, this.#options.clock.monotonicMs())) this.#do(effect);
      }
    } finally {
      this.#isDeciding = false;
    }
  }

  #do(effect: Effect): void {
    switch (effect.kind) {
      case "refuse":
        return this.#refuse(effect.request, effect.reason, effect.retryAfterMs);
      case "fail":
        return this.#fail(effect.request, effect.reason);
      case "load":
        return void this.#load(effect.model);
      case "evict":
        return void this.#evict(effect.model);
      case "prefill":
        return this.#prefill(effect.model, effect.requests);
      case "decode":
        return this.#begin("decode", effect.model, effect.untilMs - this.#options.clock.monotonicMs(), []);
      case "stop":
        return this.#endTurnSoon();
      case "wake":
        return this.#wakeAt(effect.atMs);
      case "move":
      case "drop":
        // A device alone moves nothing, and its KV is reserved with the weights.
        this.#options.onBroken(effect.kind, undefined);
        return this.#fail(effect.request);
    }
  }

  #refuse(id: string, reason: RefusalReason, retryAfterMs: number | undefined): void {
    const entry = this.#forget(id);
    this.totals.refused++;
    if (entry === undefined) return;
    const { model, tenant } = entry.work.request;
    const afterMs = reason === "reserved" ? this.#reservedForMs(tenant) : retryAfterMs;
    entry.reject(new RefusalError(refusalOf(reason, model, afterMs)));
  }

  /** Until the first of what others have reserved here ends; undefined: nobody knows. */
  #reservedForMs(tenant: string): number | undefined {
    const ends = [...this.#reserved.values()].flatMap((each) => (each.tenant === tenant ? [] : (each.untilMs ?? [])));
    return ends.length === 0 ? undefined : Math.min(...ends) - this.#options.clock.nowMs();
  }

  #fail(id: string, reason?: "preempted"): void {
    const entry = this.#forget(id);
    if (entry === undefined) return;
    const { request } = entry.work;
    if (reason === undefined) return entry.work.fail(new Error(`${request.model} cannot go on`));
    entry.work.fail(new RefusalError(gaveWay(request.model, this.#options.pool.retryAfterMs(request))));
  }

  async #load(model: string): Promise<void> {
    this.#loads++;
    const isThere = await this.#options.load(model);
    this.#loads--;
    if (isThere) this.totals.loads++;
    else this.totals.failedLoads++;
    this.#tell({ kind: isThere ? "loaded" : "loadFailed", device: this.#options.device, model });
    if (!isThere) this.#turnAway(model);
    this.#options.onLoad();
  }

  /** Nobody waits for what cannot be loaded: the pool would try again, and have others leave for it each time. */
  #turnAway(model: string): void {
    const refusal = this.#options.hindrance(model);
    if (refusal === undefined) return;
    for (const entry of this.#entries.values()) {
      if (entry.hasBegun || entry.work.request.model !== model) continue;
      this.totals.refused++;
      entry.reject(new RefusalError(refusal));
    }
  }

  /** Whether a model is being loaded. */
  get isLoading(): boolean {
    return this.#loads > 0;
  }

  async #evict(model: string): Promise<void> {
    this.totals.evictions++;
    if (this.#released === model) this.#released = undefined;
    if (this.#wanted === model) this.#wanted = undefined;
    await this.#options.unload(model);
  }

  #prefill(model: string, requests: readonly string[]): void {
    const entries = requests.flatMap((id) => this.#entries.get(id) ?? []);
    this.#begin("prefill", model, promptTurnMs, entries);
    const loaded = this.#options.model(model)!;
    for (const entry of entries) this.#admit(entry, loaded);
    if (entries.length === 0) this.#endTurnSoon();
  }

  #admit(entry: Entry, model: LoadedModel): void {
    if (entry.hasBegun) return;
    this.#queueOf(entry.work.request.model).begin(entry);
    entry.begin(model);
  }

  #begin(kind: Turn["kind"], model: string, forMs: number, prompts: readonly Entry[]): void {
    this.totals.turns++;
    const cancel = this.#options.clock.after(Math.max(0, forMs), () => this.#endTurn());
    const startedMs = this.#options.clock.monotonicMs();
    this.#turn = { kind, model, startedMs, withoutToken: new Set(prompts), cancel };
    this.#wanted = model;
    if (!this.#isSwitching) void this.#switch();
  }

  /** Holds who computes and releases whose turn it is, until that is the same. */
  async #switch(): Promise<void> {
    const { model, onBroken } = this.#options;
    this.#isSwitching = true;
    while (this.#released !== this.#wanted) {
      const from = this.#released === undefined ? undefined : model(this.#released);
      this.#released = undefined;
      try {
        await from?.hold();
      } catch (error) {
        onBroken("hold", error);
      }
      this.#released = this.#wanted;
      if (this.#wanted !== undefined) model(this.#wanted)?.release();
    }
    this.#isSwitching = false;
  }

  /** What happens in one step, and whoever comes in one, is told together. */
  #endTurnSoon(): void {
    if (this.#isEndingTurn) return;
    this.#isEndingTurn = true;
    setImmediate(() => {
      this.#isEndingTurn = false;
      this.#endTurn();
    });
  }

  /** The turn is thought over: what each has got is told, and what the pool decides next begins. The model goes on meanwhile. */
  #endTurn(): void {
    const turn = this.#turn;
    if (turn === undefined) return;
    turn.cancel();
    this.#turn = undefined;
    this.totals.busyMs += this.#options.clock.monotonicMs() - turn.startedMs;
    const tokens = new Map<string, number>();
    const finished = new Set<string>();
    for (const entry of this.#moved) {
      const { id, model } = entry.work.request;
      if (model !== turn.model) continue;
      this.#moved.delete(entry);
      const given = entry.takeTokens();
      if (given > 0) tokens.set(id, given);
      if (!entry.isOver) continue;
      finished.add(id);
      this.#forget(id);
    }
    this.#tell({ kind: "turnMeasured", device: this.#options.device, tokens, finished });
  }

  #wakeAt(atMs: number): void {
    this.#cancelWake();
    const { clock } = this.#options;
    this.#cancelWake = clock.after(Math.max(0, atMs - clock.monotonicMs()), () => {
      // A timer may run a fraction of a millisecond early, and the pool would take it for one that is not due any more.
      if (clock.monotonicMs() < atMs) this.#wakeAt(atMs);
      else this.#tell({ kind: "woken" });
    });
  }
}
