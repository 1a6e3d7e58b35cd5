import type { Device } from "./state.ts";
import type { PoolRequest, Reservation } from "./types.ts";

/** What tenants have reserved now. */
export class Reservations {
  readonly #byId = new Map<string, Reservation>();

  add(reservation: Reservation): void {
    this.#byId.set(reservation.id, reservation);
  }

  end(id: string): void {
    this.#byId.delete(id);
  }

  /** Tells a device whose it is. */
  settle(device: Device): void {
    device.reservedFor = undefined;
    for (const { device: id, tenant } of this.#byId.values()) if (id === device.spec.id) device.reservedFor = tenant;
  }

  /** The part of a device's time that a request may count on: what others have reserved is open to what gives way only. */
  shareOpenTo({ tenant, isPreemptible }: PoolRequest): number {
    if (this.#byId.size === 0 || isPreemptible === true) return 1;
    let share = 1;
    for (const { tenant: holder, share: reserved = 0 } of this.#byId.values()) if (holder !== tenant) share -= reserved;
    return Math.max(0, share);
  }
}
