import type { Device, Lane, Sequence } from "./state.ts";
import type { PoolRequest } from "./types.ts";

/** Whether all that the model has to do comes behind a request, because it gives way, and the request does not. */
export function isBehind(lane: Lane, { isPreemptible }: Pick<PoolRequest, "isPreemptible">): boolean {
  return isPreemptible !== true && lane.givesWay;
}

/** Whether `other`, which has work, gives way to what `lane` has to do. */
export function givesWayToAll(other: Lane, lane: Lane): boolean {
  return other.givesWay && !lane.givesWay;
}

/**
 * Which of a model's sequences would give their KV and their places up for a request: what gives way, where it can be computed
 * again, or where the request's tenant has reserved the device.
 */
export function yieldingTo({ tenant, isPreemptible }: PoolRequest, lane: Lane): readonly Sequence[] {
  const { device, running } = lane;
  if (isPreemptible === true || !lane.hasYielding || (device.setsAside && device.reservedFor !== tenant)) return [];
  return running.filter(({ request }) => request.isPreemptible === true);
}

/** Who has the device to himself and has work there: then nothing is done for what gives way. */
export function holderAtWork({ reservedFor, busy }: Device): string | undefined {
  if (reservedFor === undefined) return undefined;
  for (const lane of busy) if (lane.serves(reservedFor)) return reservedFor;
  return undefined;
}

/** Whether all that the model has to do there is others' who give way. */
export function givesWayTo(lane: Lane, holder: string): boolean {
  return lane.givesWay && !lane.serves(holder);
}
