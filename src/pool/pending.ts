import type { Sequence } from "./state.ts";
import type { PoolRequest } from "./types.ts";

/** Tenants that are remembered while they wait for nothing; beyond it those that had least of late are forgotten. */
const rememberedMax = 10_000;

/** A tenant that was turned away so often in a row starves. */
const starvesAfter = 4;

/** How far back it looks at what a tenant has had. */
const memoryMs = 900_000;

interface Tenant {
  readonly name: string;
  /** Milliseconds of a device that it was given of late, for each unit of its weight; fading away, as of `atMs`. */
  servedMs: number;
  atMs: number;
  readonly waiting: Sequence[];
  /** How many of its requests were given up since one was taken. */
  turnedAway: number;
}

/**
 * Requests that no device can take yet. Whoever had least of late is next, so that none waits behind the many of
 * another; of one tenant the earliest.
 */
export class Pending {
  readonly #tenants = new Map<string, Tenant>();
  /** All of them, by when they have to be given up. */
  readonly #byLast: { readonly sequence: Sequence; readonly lastMs: number }[] = [];

  get size(): number {
    return this.#byLast.length;
  }

  /** When the first of them has to be given up. */
  get firstLastMs(): number {
    return this.#byLast[0]?.lastMs ?? Infinity;
  }

  add(sequence: Sequence, lastMs: number): void {
    this.#tenant(sequence.request.tenant).waiting.push(sequence);
    let at = this.#byLast.length;
    while (at > 0 && this.#byLast[at - 1]!.lastMs > lastMs) at--;
    this.#byLast.splice(at, 0, { sequence, lastMs });
  }

  remove(sequence: Sequence): void {
    const { waiting } = this.#tenant(sequence.request.tenant);
    waiting.splice(waiting.indexOf(sequence), 1);
    const at = this.#byLast.findIndex((each) => each.sequence === sequence);
    this.#byLast.splice(at, 1);
  }

  /** Takes out those whose time is over. */
  takeExpired(nowMs: number): Sequence[] {
    const expired: Sequence[] = [];
    while (this.#byLast.length > 0 && this.#byLast[0]!.lastMs <= nowMs) {
      const { sequence } = this.#byLast[0]!;
      this.remove(sequence);
      this.#tenant(sequence.request.tenant).turnedAway++;
      expired.push(sequence);
    }
    return expired;
  }

  /**
   * The earliest of each tenant that waits, whoever had least first; at most so many. Where one starves, `keepsOut` leaves
   * out who has had more and would take its place. Unfair: simply the earliest.
   */
  next(nowMs: number, most: number, isFair: boolean, keepsOut: (sequence: Sequence) => boolean): Sequence[] {
    if (!isFair) return this.#byLast.slice(0, most).map(({ sequence }) => sequence);
    const tenants = [...this.#tenants.values()].filter(({ waiting }) => waiting.length > 0);
    for (const tenant of tenants) fade(tenant, nowMs);
    tenants.sort((a, b) => a.servedMs - b.servedMs);
    const next: Sequence[] = [];
    const starving = tenants.find(({ turnedAway }) => turnedAway >= starvesAfter);
    for (const { servedMs, waiting } of tenants) {
      if (next.length === most) break;
      const hadMore = starving !== undefined && servedMs > starving.servedMs;
      if (!hadMore || !keepsOut(waiting[0]!)) next.push(waiting[0]!);
    }
    return next;
  }

  /** Whether a tenant has had more of late than one that waits and starves. */
  hadMore(name: string, nowMs: number): boolean {
    let least = Infinity;
    for (const tenant of this.#tenants.values()) {
      if (tenant.waiting.length === 0 || tenant.turnedAway < starvesAfter) continue;
      fade(tenant, nowMs);
      least = Math.min(least, tenant.servedMs);
    }
    const own = this.#tenant(name);
    fade(own, nowMs);
    return own.servedMs > least;
  }

  #forget(): void {
    const idle = [...this.#tenants.values()].filter(({ waiting }) => waiting.length === 0);
    idle.sort((a, b) => b.servedMs - a.servedMs);
    for (const { name } of idle.slice(rememberedMax)) this.#tenants.delete(name);
  }

  /** Counts the part of a device's time that a tenant is given. */
  served({ tenant: name, weight = 1 }: PoolRequest, durationMs: number, nowMs: number): void {
    const tenant = this.#tenant(name);
    fade(tenant, nowMs);
    tenant.servedMs += durationMs / weight;
    tenant.turnedAway = 0;
  }

  #tenant(name: string): Tenant {
    let tenant = this.#tenants.get(name);
    if (tenant === undefined) {
      if (this.#tenants.size >= 2 * rememberedMax) this.#forget();
      tenant = { name, servedMs: 0, atMs: 0, waiting: [], turnedAway: 0 };
      this.#tenants.set(name, tenant);
    }
    return tenant;
  }
}

function fade(tenant: Tenant, nowMs: number): void {
  tenant.servedMs *= Math.exp((tenant.atMs - nowMs) / memoryMs);
  tenant.atMs = nowMs;
}
