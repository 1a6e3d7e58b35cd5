import type { ProjectId } from "../base/index.ts";
import type { HostReservation } from "../host/index.ts";
import type { ActiveReservation } from "../reservations/index.ts";

/**
 * What is reserved at the moment: for the hosts, each of which hears of its own with the next renewal of its lease, and for
 * whoever chooses among them.
 */
export class Reserved {
  #active: readonly ActiveReservation[] = [];

  readonly follow = (active: readonly ActiveReservation[]): void => {
    this.#active = active;
  };

  /** Who has a host to himself. */
  readonly holderOf = (host: string): ProjectId | undefined =>
    this.#active.find(({ device }) => device === host)?.tenant;

  /** All of it, as it is now. */
  get all(): readonly ActiveReservation[] {
    return this.#active;
  }

  ofHost(host: string): readonly HostReservation[] {
    return this.#active
      .filter(({ device }) => device === undefined || device === host)
      .map(({ id, tenant, device, share, untilMs }) => ({
        id,
        tenant,
        untilMs,
        ...(device === undefined ? {} : { device }),
        ...(share === undefined ? {} : { share }),
      }));
  }
}
