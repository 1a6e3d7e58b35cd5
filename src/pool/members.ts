import type { PoolRequest } from "./types.ts";

/** Whose requests a lane has, and what they were promised: known without looking at each. */
export class Members {
  readonly #tenants = new Map<string, number>();
  readonly #tpots = new Map<number, number>();
  #count = 0;
  #preemptible = 0;
  #leastTpotMs: number | undefined;

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

  get arePreemptible(): boolean {
    return this.#preemptible === this.#count;
  }

  /** The shortest time between tokens that one was promised. */
  get leastTpotMs(): number {
    if (this.#leastTpotMs === undefined) {
      this.#leastTpotMs = Infinity;
      for (const tpotMs of this.#tpots.keys()) this.#leastTpotMs = Math.min(this.#leastTpotMs, tpotMs);
    }
    return this.#leastTpotMs;
  }

  #change({ tenant, objective, isPreemptible }: PoolRequest, by: 1 | -1): void {
    this.#count += by;
    if (isPreemptible === true) this.#preemptible += by;
    countIn(this.#tenants, tenant, by);
    const kinds = this.#tpots.size;
    countIn(this.#tpots, objective.tpotMs, by);
    if (this.#tpots.size !== kinds) this.#leastTpotMs = undefined;
  }
}

function countIn<Key>(counts: Map<Key, number>, key: Key, by: 1 | -1): void {
  const count = (counts.get(key) ?? 0) + by;
  if (count > 0) counts.set(key, count);
  else counts.delete(key);
}
