import type { Sequence } from "./state.ts";
import { Sorted } from "./sorted.ts";
import type { PoolRequest } from "./types.ts";

/** Tenants that are remembered while they wait for nothing; beyond it those that had least of late are forgotten. */
const rememberedMax = 10_000;

/** A tenant that was turned away so often in a row starves. */
const starvesAfter = 4;

/** How far back it looks at what a tenant has had. */
const memoryMs = 900_000;

interface Tenant {
  readonly name: string;
  /** Of two that had as much the one that came first. */
  readonly order: number;
  /** Milliseconds of a device that it was given of late, for each unit of its weight; fading away, as of `atMs`. */
  servedMs: number;
  atMs: number;
  /** In the order of what they had: all fades alike, so that it is the same at any time. */
  rank: number;
  /** The earliest first. */
  readonly waiting: Sorted<Entry>;
  /** The same for each model that some of them ask for. */
  readonly byModel: Map<string, Sorted<Entry>>;
  /** How many of its requests were given up since one was taken. */
  turnedAway: number;
  /** So long it counts that one was. */
  shortUntilMs: number;
}

interface Entry {
  readonly sequence: Sequence;
  readonly lastMs: number;
  readonly order: number;
}

const cameFirst = (a: Entry, b: Entry): number => a.order - b.order;
const hadLess = (a: Tenant, b: Tenant): number => a.rank - b.rank || a.order - b.order;

/**
 * Requests that no device can take yet. Whoever had least of late is next, so that none waits behind the many of
 * another; of one tenant the earliest.
 */
export class Pending {
  readonly #tenants = new Map<string, Tenant>();
  /** Those that wait, whoever had least first; and of them those that starve. */
  readonly #waiting = new Sorted<Tenant>(hadLess);
  readonly #starving = new Sorted<Tenant>(hadLess);
  /** All requests, by when they have to be given up. */
  readonly #byLast = new Sorted<Entry>((a, b) => a.lastMs - b.lastMs || a.order - b.order);
  readonly #entries = new Map<Sequence, Entry>();
  #count = 0;
  #made = 0;

  get size(): number {
    return this.#byLast.size;
  }

  /** When the first of them has to be given up. */
  get firstLastMs(): number {
    return this.#byLast.first?.lastMs ?? Infinity;
  }

  add(sequence: Sequence, lastMs: number): void {
    const entry = { sequence, lastMs, order: this.#count++ };
    this.#entries.set(sequence, entry);
    this.#byLast.add(entry);
    const tenant = this.#tenant(sequence.request.tenant);
    this.#change(tenant, () => {
      tenant.waiting.add(entry);
      const { model } = sequence.request;
      const same = tenant.byModel.get(model) ?? new Sorted(cameFirst);
      tenant.byModel.set(model, same);
      same.add(entry);
    });
  }

  remove(sequence: Sequence): void {
    const entry = this.#entries.get(sequence);
    if (entry === undefined) return;
    this.#entries.delete(sequence);
    this.#byLast.delete(entry);
    const tenant = this.#tenant(sequence.request.tenant);
    this.#change(tenant, () => {
      tenant.waiting.delete(entry);
      const { model } = sequence.request;
      const same = tenant.byModel.get(model)!;
      same.delete(entry);
      if (same.size === 0) tenant.byModel.delete(model);
    });
  }

  /** Where a tenant stands among the others follows from what changes. */
  #change(tenant: Tenant, how: () => void): void {
    this.#waiting.delete(tenant);
    this.#starving.delete(tenant);
    how();
    if (tenant.waiting.size === 0) return;
    this.#waiting.add(tenant);
    if (tenant.turnedAway >= starvesAfter) this.#starving.add(tenant);
  }

  /** Takes out those whose time is over. */
  takeExpired(nowMs: number): Sequence[] {
    const expired: Sequence[] = [];
    for (let { first } = this.#byLast; first !== undefined && first.lastMs <= nowMs; first = this.#byLast.first) {
      const { sequence } = first;
      this.remove(sequence);
      const tenant = this.#tenant(sequence.request.tenant);
      this.#change(tenant, () => tenant.turnedAway++);
      expired.push(sequence);
    }
    return expired;
  }

  /**
   * The earliest of each tenant that waits, whoever had least first; then of each the earliest for its other models, which may have room
   * where that one has none; at most so many of both. Where one starves, `keepsOut` leaves out who has had more and would take its
   * place. Unfair: simply the earliest.
   */
  next(most: number, isFair: boolean, keepsOut: (sequence: Sequence) => boolean): Sequence[] {
    const next: Sequence[] = [];
    if (!isFair) {
      for (const { sequence } of this.#byLast) {
        if (next.length === most) break;
        next.push(sequence);
      }
      return next;
    }
    const starving = this.#starving.first;
    const others: Sequence[] = [];
    for (const { rank, waiting, byModel } of this.#waiting) {
      if (next.length === most) break;
      const hadMore = starving !== undefined && rank > starving.rank;
      const mayCome = (sequence: Sequence): boolean => !hadMore || !keepsOut(sequence);
      const first = waiting.first!.sequence;
      if (mayCome(first)) next.push(first);
      for (const { first: earliest } of byModel.values()) {
        if (others.length === most) break;
        const { sequence } = earliest!;
        if (sequence !== first && mayCome(sequence)) others.push(sequence);
      }
    }
    return [...next, ...others];
  }

  /** Whether a tenant has had more of late than one that waits and starves. */
  hadMore(name: string): boolean {
    const starving = this.#starving.first;
    return starving !== undefined && this.#tenant(name).rank > starving.rank;
  }

  /** Half of those that can be remembered go at once, so that this is seldom. */
  #forget(): void {
    const idle = [...this.#tenants.values()].filter(({ waiting }) => waiting.size === 0);
    idle.sort((a, b) => hadLess(b, a));
    for (const { name } of idle.slice(rememberedMax / 2)) this.#tenants.delete(name);
  }

  /** What a tenant was given of late. */
  servedMs(name: string, nowMs: number): number {
    const tenant = this.#tenants.get(name);
    return tenant === undefined ? 0 : tenant.servedMs * Math.exp((tenant.atMs - nowMs) / memoryMs);
  }

  /** One of its requests is given up, or would have been. */
  turnAway(name: string, nowMs: number): void {
    this.#tenant(name).shortUntilMs = nowMs + memoryMs;
  }

  /** Whether one was of late, or none was taken since. */
  wasTurnedAway(name: string, nowMs: number): boolean {
    const tenant = this.#tenants.get(name);
    return tenant !== undefined && (tenant.shortUntilMs > nowMs || tenant.turnedAway > 0);
  }

  /** Counts the part of a device's time that a tenant is given. */
  served({ tenant: name, weight = 1 }: PoolRequest, durationMs: number, nowMs: number): void {
    const tenant = this.#tenant(name);
    this.#change(tenant, () => {
      fade(tenant, nowMs);
      tenant.servedMs += durationMs / weight;
      tenant.rank = Math.log(tenant.servedMs) + nowMs / memoryMs;
      tenant.turnedAway = 0;
    });
  }

  /** It was given up after all: what was counted for it counts no more. */
  refund({ tenant: name, weight = 1 }: PoolRequest, durationMs: number, nowMs: number): void {
    const tenant = this.#tenant(name);
    this.#change(tenant, () => {
      fade(tenant, nowMs);
      tenant.servedMs = Math.max(0, tenant.servedMs - durationMs / weight);
      tenant.rank = tenant.servedMs === 0 ? -Infinity : Math.log(tenant.servedMs) + nowMs / memoryMs;
      tenant.turnedAway++;
    });
  }

  #tenant(name: string): Tenant {
    let tenant = this.#tenants.get(name);
    if (tenant === undefined) {
      if (this.#tenants.size >= 2 * rememberedMax) this.#forget();
      tenant = {
        name,
        order: this.#made++,
        servedMs: 0,
        atMs: 0,
        rank: -Infinity,
        shortUntilMs: -Infinity,
        waiting: new Sorted(cameFirst),
        byModel: new Map(),
        turnedAway: 0,
      };
      this.#tenants.set(name, tenant);
    }
    return tenant;
  }
}

function fade(tenant: Tenant, nowMs: number): void {
  tenant.servedMs *= Math.exp((tenant.atMs - nowMs) / memoryMs);
  tenant.atMs = nowMs;
}
