import type { LoadedModel, Sequence } from "../engine/index.ts";
import type { PoolRequest } from "../pool/index.ts";

/** One answer to compute. */
export interface Work {
  readonly request: PoolRequest;
  /** What it needs to go on is gone. */
  readonly fail: (error: Error) => void;
  readonly signal: AbortSignal;
}

/** A place in the schedule, until `leave()`. */
export interface Place {
  /** The model, once it is resident and the prompt may begin. Rejects with a refusal, or the signal's reason. */
  readonly begun: Promise<LoadedModel>;
  /** What computes it, whose tokens are counted from now on. */
  runs(sequence: Sequence): void;
  /** It has got something. */
  moved(): void;
  leave(): void;
}

/** Who hears of what happens to an entry. */
export interface Keeper {
  moved(entry: Entry): void;
  left(entry: Entry): void;
}

/** A request in the schedule. */
export class Entry implements Place {
  readonly work: Work;
  readonly begun: Promise<LoadedModel>;
  readonly arrivedMs: number;
  hasBegun = false;
  /** It has ended in its model's turn, which has not been told yet. */
  isOver = false;
  /** Its first token, and every one so far, came when it was due. */
  isFirstInTime = false;
  isInTime = true;
  readonly #keeper: Keeper;
  readonly #begin: (model: LoadedModel) => void;
  readonly reject: (error: unknown) => void;
  #sequence: Sequence | undefined;
  #toldTokens = 0;
  #isSeen = false;

  constructor(work: Work, keeper: Keeper, arrivedMs: number) {
    this.work = work;
    this.arrivedMs = arrivedMs;
    this.#keeper = keeper;
    const { promise, resolve, reject } = Promise.withResolvers<LoadedModel>();
    this.begun = promise;
    this.#begin = resolve;
    const { signal } = work;
    const abort = (): void => reject(signal.reason as Error);
    signal.addEventListener("abort", abort, { once: true });
    this.reject = (error) => {
      signal.removeEventListener("abort", abort);
      reject(error);
    };
    if (signal.aborted) abort();
  }

  begin(model: LoadedModel): void {
    this.hasBegun = true;
    this.#begin(model);
  }

  runs(sequence: Sequence): void {
    this.#sequence = sequence;
  }

  moved(): void {
    this.#keeper.moved(this);
  }

  leave(): void {
    this.#keeper.left(this);
  }

  /** Computed so far. */
  get tokens(): number {
    return this.#sequence?.counts().outputTokens ?? 0;
  }

  /** Looks whether the newest token came in time, and says how many there are. */
  see(nowMs: number): number {
    const { tokens } = this;
    if (tokens === 0) return 0;
    const { ttftMs, tpotMs } = this.work.request.objective;
    const isInTime = nowMs <= this.arrivedMs + ttftMs + (tokens - 1) * tpotMs;
    if (!this.#isSeen) this.isFirstInTime = isInTime;
    this.#isSeen = true;
    if (!isInTime) this.isInTime = false;
    return tokens;
  }

  /** Those that nobody was told of. */
  takeTokens(): number {
    const { tokens } = this;
    const given = tokens - this.#toldTokens;
    this.#toldTokens = tokens;
    return given;
  }
}
