import type { Fleet } from "../../pool/index.ts";
import type { SimulatedRequest } from "../outcome.ts";
import { findPeak, type Window } from "./peak.ts";
import { chainsOf, kindsOf } from "./yardstick.ts";

export interface Bound {
  /** Nobody meets the requests with fewer. */
  readonly accelerators: number;
  /** The reason: so much work, which only they can do, is to be done in this time. */
  readonly window: Window;
  readonly demandMs: number;
}

/** Less than this part of a device is doubles' doing. */
const roundingDevices = 1e-9;

/**
 * The fewest devices like the fleet's, however many it has, with which a share `attainment` of the requests can be met
 * strictly. Throws where it has devices of several types: see `isExcluded`.
 */
export function lowerBound(fleet: Fleet, requests: readonly SimulatedRequest[], attainment = 1): Bound {
  const [device, ...others] = kindsOf(fleet);
  if (device === undefined || others.length > 0) throw new Error("a lower bound is a number of devices of one type");
  const missedMax = missable(requests.length, attainment);
  if (missedMax >= requests.length) return { accelerators: 0, window: { fromMs: 0, toMs: 0 }, demandMs: 0 };
  const { window, demandMs, devices } = findPeak(
    chainsOf(fleet, requests, (model) => fleet.speed(model, device)),
    missedMax,
  );
  return { accelerators: Math.max(1, Math.ceil(devices - roundingDevices)), window, demandMs };
}

/** How many of so many requests may be missed. */
export function missable(requests: number, attainment: number): number {
  return Math.floor((1 - attainment) * requests + 1e-6);
}
