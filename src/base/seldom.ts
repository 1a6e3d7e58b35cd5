import type { Clock } from "./clock.ts";

/** Tells of what strangers can bring about as often as they like: once in a while of each kind, and of how many since. */
export class Seldom<Kind extends string = string> {
  readonly #clock: Clock;
  readonly #everyMs: number;
  readonly #told = new Map<Kind, { atMs: number; untold: number }>();

  /** `kinds` are few: each is remembered. */
  constructor(clock: Clock, everyMs: number) {
    this.#clock = clock;
    this.#everyMs = everyMs;
  }

  /** Calls `tell` at once, with how many of the kind were not told of since the last; or counts one more of these. */
  tell(kind: Kind, tell: (untold: number) => void): void {
    const nowMs = this.#clock.monotonicMs();
    const last = this.#told.get(kind);
    if (last !== undefined && nowMs - last.atMs < this.#everyMs) {
      last.untold += 1;
      return;
    }
    this.#told.set(kind, { atMs: nowMs, untold: 0 });
    tell(last?.untold ?? 0);
  }
}
