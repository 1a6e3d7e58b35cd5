import { type Clock, refuse, type Refusal, RefusalError } from "../base/index.ts";

interface Waiting {
  readonly sinceMs: number;
  readonly take: () => void;
  readonly fail: (error: Error) => void;
}

/** A place on a model; give it back once. */
export type Slot = () => void;

/**
 * Who runs on a model and who waits for it, first come, first served. Bounded in number and in time; a refusal says
 * after how long it makes sense to come again.
 */
export class ModelQueue {
  readonly #clock: Clock;
  readonly #model: string;
  readonly #slots: number;
  readonly #limit: number;
  readonly #waitMs: number;
  readonly #waiting = new Set<Waiting>();
  #running = 0;
  /** How long a slot was held of late, in milliseconds: an exponential average. */
  #heldMs = 0;

  constructor(
    options: { readonly clock: Clock; readonly model: string },
    bounds: { readonly slots: number; readonly limit: number; readonly waitMs: number },
  ) {
    this.#clock = options.clock;
    this.#model = options.model;
    this.#slots = bounds.slots;
    this.#limit = bounds.limit;
    this.#waitMs = bounds.waitMs;
  }

  get waiting(): number {
    return this.#waiting.size;
  }
  get running(): number {
    return this.#running;
  }

  /** Refuses where so many more choices would find neither a slot nor room to wait. */
  refusalFor(choices: number): Refusal | undefined {
    const free = Math.max(0, this.#slots - this.#running - this.#waiting.size);
    if (this.#waiting.size + Math.max(0, choices - free) <= this.#limit) return undefined;
    return this.#overloaded(`${this.#waiting.size} wait for ${this.#model} already.`);
  }

  /** A slot, at once or when it is this one's turn. Rejects with the signal's reason, or after too long a wait. */
  take(signal: AbortSignal): Slot | Promise<Slot> {
    if (this.#running < this.#slots && this.#waiting.size === 0) return this.#occupy();
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.#waiting.delete(waiting);
        signal.removeEventListener("abort", abort);
      };
      const abort = (): void => {
        leave();
        reject(signal.reason as Error);
      };
      const waiting: Waiting = {
        sinceMs: this.#clock.monotonicMs(),
        take: () => {
          leave();
          resolve(this.#occupy());
        },
        fail: (error) => {
          leave();
          reject(error);
        },
      };
      this.#waiting.add(waiting);
      signal.addEventListener("abort", abort);
    });
  }

  /** Ends the wait of those that have waited too long. */
  sweep(): void {
    const oldestMs = this.#clock.monotonicMs() - this.#waitMs;
    for (const waiting of this.#waiting) {
      if (waiting.sinceMs > oldestMs) return;
      waiting.fail(new RefusalError(this.#overloaded(`${this.#model} had no room for ${this.#waitMs} ms.`)));
    }
  }

  #occupy(): Slot {
    this.#running++;
    const sinceMs = this.#clock.monotonicMs();
    return () => {
      this.#running--;
      this.#heldMs += (this.#clock.monotonicMs() - sinceMs - this.#heldMs) / 8;
      if (this.#running < this.#slots) for (const next of this.#waiting) return next.take();
    };
  }

  #overloaded(message: string): Refusal {
    const aheadMs = (this.#heldMs * (this.#waiting.size + 1)) / this.#slots;
    return refuse("overloaded", message, { retryAfterSeconds: Math.min(60, Math.max(1, Math.ceil(aheadMs / 1_000))) });
  }
}
