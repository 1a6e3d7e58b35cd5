import type { Effect, Fleet, WorkEvent, Scheduler } from "../../pool/index.ts";
import { Station } from "./board.ts";
import { FixedPlacement, type FixedPlace } from "./fixed.ts";

/**
 * What most do: each model has a device of its own, for good. Models are placed in their order, each on the smallest
 * device left that holds it with one full context; those beyond the devices are refused.
 */
export class Dedicated implements Scheduler {
  readonly #placement: FixedPlacement;

  constructor(fleet: Fleet) {
    this.#placement = new FixedPlacement(fleet, placesOf(fleet));
  }

  decide(event: WorkEvent, nowMs: number): readonly Effect[] {
    return this.#placement.decide(event, nowMs);
  }
}

function placesOf(fleet: Fleet): Map<string, FixedPlace> {
  const places = new Map<string, FixedPlace>();
  const left = fleet.devices.map((spec, deviceIndex) => ({
    deviceIndex,
    capacityBytes: new Station(spec).capacityBytes,
  }));
  left.sort((a, b) => a.capacityBytes - b.capacityBytes || a.deviceIndex - b.deviceIndex);
  for (const model of fleet.models) {
    const neededBytes = model.weightsBytes + model.contextTokens * model.kvBytesPerToken;
    const device = left.find(({ capacityBytes }) => capacityBytes >= neededBytes);
    if (device === undefined) continue;
    left.splice(left.indexOf(device), 1);
    places.set(model.id, { deviceIndex: device.deviceIndex, share: 1 });
  }
  return places;
}
