import { demandMaxOf, demandWith } from "./demand.ts";
import { canHold } from "./holding.ts";
import type { Claim, Reservations } from "./reservations.ts";
import { prefillMs } from "./speed.ts";
import type { Device, Lane } from "./state.ts";
import type { Tuning } from "./tuning.ts";
import type { PoolModel, PoolRequest } from "./types.ts";
import { firstTokenMs, promptBacklogMs } from "./waits.ts";

/** What gives way is promised so many times what it would take: others come before it that are not there yet. */
const yieldingTimes = 2;

/** Who looks for a place. */
interface Wanted {
  readonly request: PoolRequest;
  readonly model: PoolModel;
  /** Until its first token is due. */
  readonly leftMs: number;
}

/** Where there could be one. */
export interface Places {
  readonly devices: ReadonlyMap<string, Device>;
  readonly laneOn: (device: Device, model: PoolModel) => Lane;
  readonly reservations: Reservations;
  readonly tuning: Tuning;
}

/**
 * Rules 1 and 6 (see pool.ts). Where a request goes: to a device that runs its model already, because steps are shared there,
 * as long as its prompt does not have to wait for long; else to one that has the weights and is not much busier than the
 * least busy; else to the least busy. Undefined: none could keep what was promised.
 */
export function placeRequest({ request, model, leftMs }: Wanted, places: Places, nowMs: number): Lane | undefined {
  const { devices, laneOn, reservations, tuning } = places;
  const { ttftMs } = request.objective;
  const claims = reservations.claimsOf(request);
  const waits = request.isPreemptible === true ? yieldingTimes : 1;
  const takesAll = tuning.without.includes("refusing");
  const shares = !tuning.without.includes("sharing");
  let best: Lane | undefined;
  let bestScore = Infinity;
  for (const device of devices.values()) {
    if (!canHold(device, model, request)) continue;
    const lane = laneOn(device, model);
    if (lane.notBeforeMs > nowMs) continue;
    // Whoever was turned away before comes first.
    if (device.owed !== undefined && device.owed.lane !== lane && !takesAll) continue;
    const waitMs = firstTokenMs(lane, request, nowMs, tuning) * waits;
    const { compute, copies } = demandWith(lane, request, nowMs);
    const forCopies = tuning.copiesWeight * copies;
    if (!takesAll) {
      if (waitMs > leftMs) continue;
      const more = lane.hasWork ? 0 : forCopies;
      const demandMax = demandMaxOf(lane, request, nowMs, tuning);
      const isBeyond = ({ share, counts }: Claim): boolean =>
        (counts === undefined ? compute : demandWith(lane, request, nowMs, counts).compute) + more > share * demandMax;
      const isTooMuch = claims.some(isBeyond) || (!lane.hasWork && copies > tuning.copiesMax);
      if (isTooMuch && !isFree(device, claims)) continue;
    }
    const ownMs = prefillMs(lane.speed, request.inputTokens) + (lane.weights === "absent" ? lane.speed.loadMs : 0);
    const ownWaitMs = promptBacklogMs(device, request) + ownMs;
    const isShared = shares && lane.hasWork && ownWaitMs < tuning.promptWaitShare * ttftMs;
    const bonus = isShared ? 10 : lane.weights === "absent" ? 0 : tuning.residentBonus;
    const risk = Math.max(0, waitMs / ttftMs - tuning.waitShare);
    const score = compute + forCopies + ownWaitMs / ttftMs + risk - bonus;
    if (score < bestScore) [best, bestScore] = [lane, score];
  }
  return best;
}

/** With nothing else to do it takes what it is given, unless all of it is others': there is nobody whom that endangers. */
function isFree({ busy }: Device, claims: readonly Claim[]): boolean {
  return busy.size === 0 && claims.every(({ share }) => share > 0);
}
