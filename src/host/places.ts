import { refuse, type Refusal } from "../base/index.ts";

/** Gives back a place. */
export type Leave = () => void;

/** The places on one model, and the bounded queue before them: first come, first served. */
export class Places {
  #free: number;
  readonly #queueMax: number;
  readonly #all: number;
  readonly #waiting: { readonly count: number; readonly enter: () => void }[] = [];

  constructor(sequences: number, queueMax: number) {
    this.#free = sequences;
    this.#all = sequences;
    this.#queueMax = queueMax;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Takes `count` places at once, now or in turn; refuses where the queue is full, resolves undefined when aborted. */
  enter(count: number, signal: AbortSignal): Promise<Leave | undefined> | Refusal | Leave {
    if (count > this.#all) {
      return refuse("invalid_request", `At most ${this.#all} answers can be computed at once.`, { param: "n" });
    }
    if (this.#waiting.length === 0 && this.#free >= count) {
      this.#free -= count;
      return this.#leave(count);
    }
    if (this.#waiting.length >= this.#queueMax) {
      return refuse("overloaded", `${this.#waiting.length} requests wait for this model.`, { retryAfterSeconds: 1 });
    }
    return new Promise((resolve) => {
      const place = { count, enter: () => resolve(this.#leave(count)) };
      this.#waiting.push(place);
      signal.addEventListener(
        "abort",
        () => {
          const at = this.#waiting.indexOf(place);
          if (at < 0) return;
          this.#waiting.splice(at, 1);
          resolve(undefined);
          this.#admit();
        },
        { once: true },
      );
    });
  }

  #leave(count: number): Leave {
    let left = false;
    return () => {
      if (left) return;
      left = true;
      this.#free += count;
      this.#admit();
    };
  }

  #admit(): void {
    for (let next = this.#waiting[0]; next !== undefined && this.#free >= next.count; next = this.#waiting[0]) {
      this.#waiting.shift();
      this.#free -= next.count;
      next.enter();
    }
  }
}
