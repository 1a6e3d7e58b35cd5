import type { Sequence } from "./state.ts";
import { Sorted } from "./sorted.ts";
import type { PoolRequest } from "./types.ts";

/** Tenants that are remembered while they wait for nothing; beyond it those that had least of late are forgotten. */
const rememberedMax = 10_000;

/** A tenant that was turned away so often in a row starves, and so long it counts as one that does. */
const starvesAfter = 4;
const starvedForMs = 3_600_000;

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
  weight: number;
  /** Those first that are due first. */
  readonly waiting: Sorted<Entry>;
  /** The same for each model that some of them ask for. */
  readonly byModel: Map<string, Sorted<Entry>>;
  /** How many of its requests were given up since one was taken. */
  turnedAway: number;
  /** So long it counts that one was; and that so many were. */
  shortUntilMs: number;
  starvedUntilMs: number;
}

interface Entry {
  readonly sequence: Sequence;
  readonly lastMs: number;
  readonly order: number;
}

const isDueFirst = (a: Entry, b: Entry): number => a.sequence.dueMs - b.sequence.dueMs || a.order - b.order;
const isOverFirst = (a: Entry, b: Entry): number => a.lastMs - b.lastMs || a.order - b.order;
const waitsLess = (a: Tenant, b: Tenant): number => share(a) - share(b) || b.order - a.order;
const hadLess = (a: Tenant, b: Tenant): number => a.rank - b.rank || a.order - b.order;

/** How many of its requests wait, for each unit of its weight. */
function share({ waiting, weight }: Tenant): number {
  return waiting.size / weight;
}

/** Beyond so many that wait none is looked for that may have a place where others have none. */
const lookedAtMax = 256;
/** So many are given up for one event; the others at the next, which is at once. */
const expiredMax = 512;
/** A model for which no place was found so often has none. */
const triesPerModelMax = 2;

/**
 * Requests that no device can take yet. Whoever had least of late is next, so that none waits behind the many of
 * another; of one tenant what is due first.
 */
export class Pending {
  readonly #tenants = new Map<string, Tenant>();
  /** Those that wait, whoever had least first; and of them those that starve. */
  readonly #waiting = new Sorted<Tenant>(hadLess);
  readonly #starving = new Sorted<Tenant>(hadLess);
  /** The same, whoever has most waiting last. */
  readonly #crowd = new Sorted<Tenant>(waitsLess);
  /** All requests, by when they have to be given up. */
  readonly #byLast = new Sorted<Entry>(isOverFirst);
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
    const tenant = this.#tenantOf(sequence.request);
    this.#change(tenant, () => {
      tenant.weight = sequence.request.weight ?? 1;
      tenant.waiting.add(entry);
      const { model } = sequence.request;
      const same = tenant.byModel.get(model) ?? new Sorted(isDueFirst);
      tenant.byModel.set(model, same);
      same.add(entry);
    });
  }

  remove(sequence: Sequence): void {
    const entry = this.#entries.get(sequence);
    if (entry === undefined) return;
    this.#entries.delete(sequence);
    this.#byLast.delete(entry);
    const tenant = this.#tenantOf(sequence.request);
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
    this.#crowd.delete(tenant);
    how();
    if (tenant.waiting.size === 0) return;
    this.#waiting.add(tenant);
    this.#crowd.add(tenant);
    if (tenant.turnedAway >= starvesAfter) this.#starving.add(tenant);
  }

  /** Takes out those whose time is over, not too many at once. */
  takeExpired(nowMs: number): Sequence[] {
    const expired: Sequence[] = [];
    for (let { first } = this.#byLast; first !== undefined && first.lastMs <= nowMs; first = this.#byLast.first) {
      if (expired.length >= expiredMax) break;
      const { sequence } = first;
      this.remove(sequence);
      const tenant = this.#tenantOf(sequence.request);
      this.#change(tenant, () => tenant.turnedAway++);
      expired.push(sequence);
    }
    return expired;
  }

  /**
   * Gives up the place of whoever has more waiting than the request's tenant would have, by their weights: the last of his that
   * is due. Undefined: it is the tenant's own.
   */
  crowdedOut(request: PoolRequest): Sequence | undefined {
    const most = this.#crowd.last;
    if (most === undefined) return undefined;
    const own = this.#tenants.get(request.tenant);
    if (((own?.waiting.size ?? 0) + 1) / (request.weight ?? 1) >= share(most)) return undefined;
    return this.#dropLastOf(most);
  }

  /** Gives up the place of whoever has most waiting; undefined: nobody waits. */
  dropLast(): Sequence | undefined {
    const most = this.#crowd.last;
    return most === undefined ? undefined : this.#dropLastOf(most);
  }

  #dropLastOf(tenant: Tenant): Sequence {
    const { sequence } = tenant.waiting.last!;
    this.remove(sequence);
    this.#change(tenant, () => tenant.turnedAway++);
    return sequence;
  }

  /**
   * Lets `place` try to place what waits, at most so often: what is due first of each tenant, whoever had least first; then the
   * same for each of its other models, which may have room where that one has none. A model that had none a few times is not tried
   * again. Where one starves, `keepsOut` leaves out who has had more and would take its place. Unfair: simply who has to be given up
   * first.
   */
  placeNext(
    most: number,
    isFair: boolean,
    {
      place,
      keepsOut,
    }: { readonly place: (sequence: Sequence) => boolean; readonly keepsOut: (sequence: Sequence) => boolean },
  ): void {
    let tries = 0;
    const failures = new Map<string, number>();
    for (const sequence of isFair ? this.#inTurn(keepsOut) : this.#simply()) {
      const { model } = sequence.request;
      const failed = failures.get(model) ?? 0;
      if (failed >= triesPerModelMax) continue;
      if (tries++ >= most) return;
      if (place(sequence)) this.remove(sequence);
      else failures.set(model, failed + 1);
    }
  }

  #simply(): Sequence[] {
    const next: Sequence[] = [];
    for (const { sequence } of this.#byLast) {
      if (next.length >= lookedAtMax) break;
      next.push(sequence);
    }
    return next;
  }

  #inTurn(keepsOut: (sequence: Sequence) => boolean): Sequence[] {
    const starving = this.#starving.first;
    const next: Sequence[] = [];
    const others: Sequence[] = [];
    for (const { rank, waiting, byModel } of this.#waiting) {
      if (next.length + others.length >= lookedAtMax) break;
      const hadMore = starving !== undefined && rank > starving.rank;
      const mayCome = (sequence: Sequence): boolean => !hadMore || !keepsOut(sequence);
      const first = waiting.first!.sequence;
      if (mayCome(first)) next.push(first);
      for (const { first: earliest } of byModel.values()) {
        if (next.length + others.length >= lookedAtMax) break;
        const { sequence } = earliest!;
        if (sequence !== first && mayCome(sequence)) others.push(sequence);
      }
    }
    return [...next, ...others];
  }

  /** Whether a tenant has had more of late than one that waits and starves. */
  hadMore(name: string): boolean {
    const starving = this.#starving.first;
    return starving !== undefined && (this.#tenants.get(name)?.rank ?? -Infinity) > starving.rank;
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

  /** One of its requests is given up, or would have been: one that starved does as long as that goes on. */
  turnAway(request: PoolRequest, nowMs: number): void {
    const tenant = this.#tenantOf(request);
    tenant.shortUntilMs = nowMs + memoryMs;
    const starves = tenant.turnedAway >= starvesAfter || tenant.starvedUntilMs > nowMs;
    if (starves) tenant.starvedUntilMs = nowMs + starvedForMs;
  }

  /** Whether it starved in the last hour: so many of its requests in a row were given up. */
  hasStarved(name: string, nowMs: number): boolean {
    return (this.#tenants.get(name)?.starvedUntilMs ?? -Infinity) > nowMs;
  }

  /** Whether one was of late, or none was taken since. */
  wasTurnedAway(name: string, nowMs: number): boolean {
    const tenant = this.#tenants.get(name);
    if (tenant === undefined) return false;
    return tenant.turnedAway > 0 || Math.max(tenant.shortUntilMs, tenant.starvedUntilMs) > nowMs;
  }

  /** Counts the part of a device's time that a tenant is given. */
  served(request: PoolRequest, durationMs: number, nowMs: number): void {
    const { weight = 1 } = request;
    const tenant = this.#tenantOf(request);
    this.#change(tenant, () => {
      fade(tenant, nowMs);
      tenant.servedMs += durationMs / weight;
      tenant.rank = Math.log(tenant.servedMs) + nowMs / memoryMs;
      tenant.turnedAway = 0;
    });
  }

  /** It was given up after all: what was counted for it counts no more. */
  refund(request: PoolRequest, durationMs: number, nowMs: number): void {
    const { weight = 1 } = request;
    const tenant = this.#tenantOf(request);
    this.#change(tenant, () => {
      fade(tenant, nowMs);
      tenant.servedMs = Math.max(0, tenant.servedMs - durationMs / weight);
      tenant.rank = tenant.servedMs === 0 ? -Infinity : Math.log(tenant.servedMs) + nowMs / memoryMs;
      tenant.turnedAway++;
    });
  }

  #tenantOf({ tenant: name, weight = 1 }: PoolRequest): Tenant {
    let tenant = this.#tenants.get(name);
    if (tenant === undefined) {
      if (this.#tenants.size >= 2 * rememberedMax) this.#forget();
      tenant = {
        name,
        weight,
        order: this.#made++,
        servedMs: 0,
        atMs: 0,
        rank: -Infinity,
        shortUntilMs: -Infinity,
        starvedUntilMs: -Infinity,
        waiting: new Sorted(isDueFirst),
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
