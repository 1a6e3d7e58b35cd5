import type { Device, Lane } from "./state.ts";

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
