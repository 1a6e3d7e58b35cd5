import type { PoolRequest } from "./types.ts";

/** Whose requests a lane has, and what they were promised: known without looking at each. */
export class Members {
  readonly #tenants = new Map<string, number>();
  readonly #tpots = new Counted();
  readonly #ttfts = new Counted();
  #count = 0;
  #preemptible = 0;

  get size(): number {
    return this.#count;
  }

  add(request: PoolRequest): void {
    this.#change(request, 1);
  }

  remove(request: PoolRequest): void {
    this.#change(request, -1);
  }

  /** Those that have any. */
  get tenants(): Iterable<string> {
    return this.#tenants.keys();
  }

  /** How many are that tenant's. */
  of(tenant: string): number {
    return this.#tenants.get(tenant) ?? 0;
  }

  get hasPreemptible(): boolean {
    return this.#preemptible > 0;
  }

  get arePreemptible(): boolean {
    return this.#preemptible === this.#count;
  }

  /** The shortest time between tokens that one was promised. */
  get leastTpotMs(): number {
    return this.#tpots.least;
  }

  /** The shortest time to its first token that one was promised. */
  get leastTtftMs(): number {
    return this.#ttfts.least;
  }

  #change({ tenant, objective, isPreemptible }: PoolRequest, by: 1 | -1): void {
    this.#count += by;
    if (isPreemptible === true) this.#preemptible += by;
    countIn(this.#tenants, tenant, by);
    this.#tpots.count(objective.tpotMs, by);
    this.#ttfts.count(objective.ttftMs, by);
  }
}

/** Numbers of which there are few different ones, and the least of them. */
class Counted {
  readonly #counts = new Map<number, number>();
  #least: number | undefined;

  count(value: number, by: 1 | -1): void {
    const kinds = this.#counts.size;
    countIn(this.#counts, value, by);
    if (this.#counts.size !== kinds) this.#least = undefined;
  }

  get least(): number {
    if (this.#least === undefined) {
      this.#least = Infinity;
      for (const value of this.#counts.keys()) this.#least = Math.min(this.#least, value);
    }
    return this.#least;
  }
}

function countIn<Key>(counts: Map<Key, number>, key: Key, by: 1 | -1): void {
  const count = (counts.get(key) ?? 0) + by;
  if (count > 0) counts.set(key, count);
  else counts.delete(key);
}
