import type { Fleet } from "../../pool/index.ts";
import type { SimulatedRequest } from "../outcome.ts";
import { missable } from "./lower-bound.ts";
import { findPeak } from "./peak.ts";
import { chainsOf, fastestOf, kindsOf, modelsOf, rateOf, type Yardstick } from "./yardstick.ts";

/**
 * Whether it is certain that the fleet, whose devices may differ, cannot meet a share `attainment` of the requests
 * strictly. Work is measured in turn by each of its types and by the fastest of all in everything; one that shows more
 * work than the devices can do at their best is enough.
 */
export function isExcluded(fleet: Fleet, requests: readonly SimulatedRequest[], attainment = 1): boolean {
  const missedMax = missable(requests.length, attainment);
  if (missedMax >= requests.length) return false;
  if (fleet.devices.length === 0) return true;
  const models = modelsOf(fleet, requests);
  const kinds = kindsOf(fleet);
  const ofKinds = kinds.map(
    (device): Yardstick =>
      (model) =>
        fleet.speed(model, device),
  );
  const yardsticks = kinds.length === 1 ? ofKinds : [fastestOf(fleet), ...ofKinds];
  return yardsticks.some((yardstick) => {
    const rates = new Map(kinds.map((device) => [device.type, rateOf(fleet, device, yardstick, models)]));
    const devices = fleet.devices.reduce((sum, { type }) => sum + rates.get(type)!, 0);
    if (!Number.isFinite(devices)) return false;
    return findPeak(chainsOf(fleet, requests, yardstick), missedMax).devices > devices * (1 + 1e-9);
  });
}
