import type { Device, Lane } from "./state.ts";
import type { PoolRequest, Reservation } from "./types.ts";

/** A part of a device's time that the work that counts may take together. */
export interface Claim {
  readonly share: number;
  /** Whether what a model has to do there is part of it; without it everything is. */
  readonly counts?: (lane: Lane) => boolean;
}

const everything: readonly Claim[] = [{ share: 1 }];

/** What tenants have reserved now. */
export class Reservations {
  readonly #byId = new Map<string, Reservation>();
  /** By tenant. */
  readonly #shares = new Map<string, number>();

  add(reservation: Reservation): void {
    this.#byId.set(reservation.id, reservation);
    this.#add();
  }

  end(id: string): void {
    this.#byId.delete(id);
    this.#add();
  }

  #add(): void {
    this.#shares.clear();
    for (const { tenant, share } of this.#byId.values())
      if (share !== undefined) this.#shares.set(tenant, (this.#shares.get(tenant) ?? 0) + share);
  }

  /** Tells a device whose it is. */
  settle(device: Device): void {
    device.reservedFor = undefined;
    for (const { device: id, tenant } of this.#byId.values()) if (id === device.spec.id) device.reservedFor = tenant;
  }

  /**
   * What a request may count on, each to be kept. What others have reserved is closed to it, but for what gives way. What
   * holders of a share do is not charged to who has none, as long as there is time for both; and a holder need not make room
   * for what gives way.
   */
  claimsOf({ tenant, isPreemptible }: PoolRequest): readonly Claim[] {
    if (this.#shares.size === 0 || isPreemptible === true) return everything;
    const others = [...this.#shares].filter(([holder]) => holder !== tenant);
    const ofOthers = others.reduce((sum, [, share]) => sum + share, 0);
    const names = others.map(([holder]) => holder);
    const counts = (lane: Lane): boolean => !lane.givesWay && !lane.isAllOf(names);
    const claim: Claim = { share: Math.max(0, 1 - ofOthers), counts };
    return this.#shares.has(tenant) ? [claim] : [claim, ...everything];
  }
}
