import type { HostReservation } from "../host/index.ts";
import type { ActiveReservation } from "../reservations/index.ts";

/** What is reserved at the moment, for the hosts: each hears of its own with the next renewal of its lease. */
export class Reserved {
  #active: readonly ActiveReservation[] = [];

  readonly follow = (active: readonly ActiveReservation[]): void => {
    this.#active = active;
  };

  ofHost(host: string): readonly HostReservation[] {
    return this.#active
      .filter(({ device }) => device === undefined || device === host)
      .map(({ id, tenant, device, share }) => ({
        id,
        tenant,
        ...(device === undefined ? {} : { device }),
        ...(share === undefined ? {} : { share }),
      }));
  }
}
