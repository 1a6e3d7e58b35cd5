import type { Reservation } from "../gateway/control/index.ts";

/** What a reservation is of: a device by its name, or so much of the pool. */
export function whatOf({ device, share }: Pick<Reservation, "device" | "share">): string {
  return device ?? `${share ?? ""} of the pool`;
}
