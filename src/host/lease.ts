import type { Clock } from "../base/index.ts";

/** Leave to take new requests, renewed by whoever reaches this host; without it a host finishes what runs. */
export class Lease {
  readonly #clock: Clock;
  #endsMs: number;

  constructor(clock: Clock, seconds: number) {
    this.#clock = clock;
    this.#endsMs = clock.monotonicMs() + seconds * 1_000;
  }

  /** A shorter lease of one gateway does not cut that of another. */
  renew(seconds: number): void {
    this.#endsMs = Math.max(this.#endsMs, this.#clock.monotonicMs() + seconds * 1_000);
  }

  get holds(): boolean {
    return this.#clock.monotonicMs() < this.#endsMs;
  }
}
