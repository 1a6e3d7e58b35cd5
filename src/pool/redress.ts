import { canHold } from "./holding.ts";
import type { Places } from "./placement.ts";
import { prefillMs } from "./speed.ts";
import type { Device, Lane } from "./state.ts";
import type { PoolModel, PoolRequest } from "./types.ts";
import { firstTokenMs } from "./waits.ts";

/** A tenant is short where those at work, who flood the device, have had so many times as much in the mean. */
const timesMore = 2;
/** The same of one that starved, whoever they are. */
const timesMoreThanStarved = 5;

/** How much of a device's time goes into it at most: copies that a few need are steps that many lose. */
const shareMax = 0.1;

/** What a request would take, and where. */
interface Redress {
  readonly lane: Lane;
  /** Of the device's time: with the copies that others would not have needed. */
  readonly costMs: number;
}

/** How much of the devices' time a tenant was given of late, for each unit of its weight. */
type Served = (tenant: string) => number;

/** What tenants have had, and whether whoever asks starved of late. */
interface Had {
  readonly served: Served;
  readonly hasStarved: boolean;
}

/**
 * Rule 7 (see pool.ts). Where a tenant that was turned away goes although the device has no time left: to those who have had
 * far more it may be late for once. One such request at a time on a device; the first token counts, and where none comes in
 * time, the earliest does, after `stintMs` at the latest.
 */
export function redress(
  request: PoolRequest,
  model: PoolModel,
  { devices, laneOn, tuning }: Places,
  { served, hasStarved }: Had,
  nowMs: number,
): Redress | undefined {
  let best: Redress | undefined;
  let leastMs = tuning.stintMs;
  for (const device of devices.values()) {
    if (device.owedShare(nowMs, tuning.stintMs) > shareMax) continue;
    if (device.owed !== undefined || !canHold(device, model, request)) continue;
    const lane = laneOn(device, model);
    if (lane.notBeforeMs > nowMs) continue;
    const costMs = lane.costMs(request) + (lane.weights === "absent" ? 2 * lane.speed.loadMs : 0);
    const hasMs = served(request.tenant) + costMs / (request.weight ?? 1);
    if (hasMs > shortMs(device, served, hasStarved)) continue;
    const waitMs = firstTokenMs(lane, request, nowMs, tuning);
    if (waitMs < leastMs) [best, leastMs] = [{ lane, costMs }, waitMs];
  }
  return best;
}

/**
 * Whoever has had less is short: a part of the mean of those that have work there. They flood the device where one of them has had as
 * much as all others together, or where they are so few that each's fair share is twice what redress takes of it.
 */
function shortMs({ busy }: Device, served: Served, hasStarved: boolean): number {
  const tenants = new Set<string>();
  for (const lane of busy) for (const tenant of lane.tenants) tenants.add(tenant);
  let sumMs = 0;
  let mostMs = 0;
  for (const tenant of tenants) {
    const ms = served(tenant);
    sumMs += ms;
    mostMs = Math.max(mostMs, ms);
  }
  const meanMs = sumMs / Math.max(1, tenants.size);
  const isFlooded = 2 * mostMs >= sumMs || tenants.size * 2 * shareMax <= 1;
  if (isFlooded) return meanMs / timesMore;
  return hasStarved ? meanMs / timesMoreThanStarved : 0;
}

/** Until when whoever was turned away before can wait for its weights there, while others make room; undefined: nobody waits. */
export function owedStartMs(lane: Lane): number | undefined {
  const { owed } = lane.device;
  if (owed?.lane !== lane) return undefined;
  return owed.generatedTokens > 0 ? owed.dueMs : owed.dueMs - prefillMs(lane.speed, owed.contextTokens);
}
