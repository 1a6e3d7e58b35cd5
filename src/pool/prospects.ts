import { canHold, hasMemory, isOpenTo, isPermitted } from "./holding.ts";
import { prefillMs, stepMs } from "./speed.ts";
import type { Places } from "./placement.ts";
import type { Device, Lane, Sequence } from "./state.ts";
import type { Tuning } from "./tuning.ts";
import { firstTokenMs } from "./waits.ts";
import type { PoolModel, PoolRequest, RefusalReason } from "./types.ts";

/** Sooner than this nobody is sent to come again. */
const retryLeastMs = 1_000;
/** Times what an idle device can do: the least that is promised where objectives give way to it. */
const relaxedTimes = 2;

/** How long a device is at work with what runs there: the models have turns, and each gives all its sequences a token at once. */
function workMs({ busy }: Device): number {
  let durationMs = 0;
  for (const lane of busy) if (lane.running.length > 0) durationMs += lane.tokensLeft * lane.stepMs();
  return durationMs;
}

/** What a request can hope for over all devices that could run it. It changes nothing. */
export class Prospects {
  readonly #devices: ReadonlyMap<string, Device>;
  readonly #laneOn: (device: Device, model: PoolModel) => Lane;
  readonly #tuning: Tuning;

  constructor({ devices, laneOn, tuning }: Pick<Places, "devices" | "laneOn" | "tuning">) {
    this.#devices = devices;
    this.#laneOn = laneOn;
    this.#tuning = tuning;
  }

  /** Why no device could ever run it; undefined where one could. */
  impossible(request: PoolRequest, model: PoolModel): RefusalReason | undefined {
    let reason: RefusalReason = "model_too_large";
    for (const device of this.#devices.values()) {
      if (canHold(device, model, request)) return undefined;
      if (!hasMemory(device, model, request)) continue;
      const isReserved = isPermitted(device, request) && !isOpenTo(device, request);
      if (isReserved) reason = "reserved";
      else if (reason !== "reserved") reason = "not_permitted";
    }
    return reason;
  }

  /** Whether the last copy of its weights failed wherever it could be. */
  failsToLoad(request: PoolRequest, model: PoolModel): boolean {
    for (const device of this.#devices.values()) {
      if (canHold(device, model, request) && this.#laneOn(device, model).failures === 0) return false;
    }
    return true;
  }

  /** Until its first token, on the device that would have it first; undefined: none could run it. */
  firstTokenMs(request: PoolRequest, model: PoolModel, nowMs: number): number | undefined {
    const leastMs = this.#least(request, model, (lane) => firstTokenMs(lane, request, nowMs, this.#tuning));
    return Number.isFinite(leastMs) ? leastMs : undefined;
  }

  /**
   * When so much of what is before it will be over that one like it could be taken, where `waiting` others have no place
   * either: half of what runs there, and the part of each device in theirs.
   */
  retryAfterMs(request: PoolRequest, model: PoolModel, waiting: number, nowMs: number): number {
    const leastMs = this.#least(request, model, (lane) =>
      Math.max(
        lane.notBeforeMs - nowMs,
        firstTokenMs(lane, request, nowMs, this.#tuning) - request.objective.ttftMs,
        workMs(lane.device) / 2 + (waiting * lane.costMs(request)) / this.#devices.size,
      ),
    );
    return Number.isFinite(leastMs) ? Math.max(retryLeastMs, leastMs) : retryLeastMs;
  }

  /** When its prompt has to begin somewhere, on the device that would have it first. */
  lastStartMs({ request, dueMs }: Sequence, model: PoolModel): number {
    const needed = ({ speed }: Lane): number => prefillMs(speed, request.inputTokens) + speed.loadMs;
    return dueMs - this.#least(request, model, needed);
  }

  /** Nobody is promised what no device could do even with nothing else to do: twice of that is what then counts. */
  relaxed(request: PoolRequest, model: PoolModel): PoolRequest {
    const firstMs = this.#least(request, model, ({ speed }) => speed.loadMs + prefillMs(speed, request.inputTokens));
    const tokenMs = this.#least(request, model, ({ speed }) => stepMs(speed, 1, request.inputTokens));
    const { ttftMs, tpotMs } = request.objective;
    const [least, leastToken] = [firstMs * relaxedTimes, tokenMs * relaxedTimes];
    if (least <= ttftMs && leastToken <= tpotMs) return request;
    return { ...request, objective: { ttftMs: Math.max(ttftMs, least), tpotMs: Math.max(tpotMs, leastToken) } };
  }

  /** Infinity: no device could run it. */
  #least(request: PoolRequest, model: PoolModel, valueOf: (lane: Lane) => number): number {
    let least = Infinity;
    for (const device of this.#devices.values()) {
      if (canHold(device, model, request)) least = Math.min(least, valueOf(this.#laneOn(device, model)));
    }
    return least;
  }
}
