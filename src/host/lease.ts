import type { Clock } from "../base/index.ts";

/** Leave to take new requests, renewed by whoever reaches this host; without it a host finishes what runs. */
export class Lease {
  readonly #clock: Clock;
  readonly #onLapse: () => void;
  #endsMs: number;
  #hasLapsed = false;

  /** `onLapse`: it has run out; called once, and before it is renewed. */
  constructor(clock: Clock, seconds: number, onLapse: () => void) {
    this.#clock = clock;
    this.#onLapse = onLapse;
    this.#endsMs = clock.monotonicMs() + seconds * 1_000;
  }

  /** A shorter lease of one gateway does not cut that of another. */
  renew(seconds: number): void {
    this.look();
    this.#hasLapsed = false;
    this.#endsMs = Math.max(this.#endsMs, this.#clock.monotonicMs() + seconds * 1_000);
  }

  /** Whether it has run out is seen when somebody looks. */
  look(): void {
    if (this.holds || this.#hasLapsed) return;
    this.#hasLapsed = true;
    this.#onLapse();
  }

  get holds(): boolean {
    return this.#clock.monotonicMs() < this.#endsMs;
  }
}
