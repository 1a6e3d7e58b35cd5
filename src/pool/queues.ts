import { Pending } from "./pending.ts";
import type { Sequence } from "./state.ts";
import type { PoolRequest } from "./types.ts";

/** How many requests that nobody can take yet are kept. */
const waitingMax = 10_000;

/** Requests that no device can take yet: what gives way apart, so that it waits behind all others and nobody's turn is paid with it. */
export class Queues {
  readonly #firm = new Pending();
  readonly #yielding = new Pending();

  /** The one that the request belongs to. */
  of({ isPreemptible }: PoolRequest): Pending {
    return isPreemptible === true ? this.#yielding : this.#firm;
  }

  /** In the order in which they are tried. */
  get inTurn(): readonly Pending[] {
    return [this.#firm, this.#yielding];
  }

  get size(): number {
    return this.#firm.size + this.#yielding.size;
  }

  /** How many of them come before the request. */
  sizeBefore(request: PoolRequest): number {
    return request.isPreemptible === true ? this.size : this.#firm.size;
  }

  /** When the first of them has to be given up. */
  get firstLastMs(): number {
    return Math.min(this.#firm.firstLastMs, this.#yielding.firstLastMs);
  }

  /**
   * Makes a place for one more where there are too many: of what gives way, else of whoever has most waiting. Whoever has lost it is to be
   * given up: the request itself, where nobody has more than its tenant. Undefined: there was a place.
   */
  crowdedOut(sequence: Sequence): Sequence | undefined {
    if (this.size < waitingMax) return undefined;
    const { request } = sequence;
    if (request.isPreemptible === true) return this.#yielding.crowdedOut(request) ?? sequence;
    return this.#yielding.dropLast() ?? this.#firm.crowdedOut(request) ?? sequence;
  }
}
