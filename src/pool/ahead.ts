import type { Answer } from "./answer.ts";
import type { DeviceScheduler } from "./device-scheduler.ts";
import { Forecast } from "./forecast.ts";
import { canHold } from "./holding.ts";
import type { Device, Lane } from "./state.ts";
import type { Tuning } from "./tuning.ts";
import type { PoolModel, PoolRequest } from "./types.ts";

/**
 * What comes and goes without anybody asking for it now: pinned models are copied first, and again whatever happened to them;
 * what else there is room for on a device that has computed nothing yet is copied in the order of the models; what is asked
 * at regular times is there before; and what has idled for too long leaves.
 */
export class Ahead {
  readonly #models: readonly PoolModel[];
  readonly #scheduler: DeviceScheduler;
  readonly #tuning: Tuning;
  readonly #forecast = new Forecast();
  readonly #laneOn: (device: Device, model: PoolModel) => Lane;
  readonly #hasNothing: boolean;

  constructor(
    models: readonly PoolModel[],
    scheduler: DeviceScheduler,
    tuning: Tuning,
    laneOn: (device: Device, model: PoolModel) => Lane,
  ) {
    this.#models = models;
    this.#scheduler = scheduler;
    this.#tuning = tuning;
    this.#laneOn = laneOn;
    const isPlain = ({ isPinned, unloadAfterMs }: PoolModel): boolean =>
      isPinned !== true && unloadAfterMs === undefined;
    this.#hasNothing = !tuning.preloads && models.every(isPlain);
  }

  fill(devices: Iterable<Device>, answer: Answer): void {
    if (this.#hasNothing) return;
    for (const device of devices) {
      this.#scheduler.unloadIdle(device, answer);
      if (device.loading === undefined) this.#preload(device, answer);
    }
  }

  /** Who asks at regular times is expected at the next, where a copy would take much of what its first token may take. */
  asked(request: PoolRequest, model: PoolModel, devices: Iterable<Device>, nowMs: number): void {
    if (this.#tuning.without.includes("foreseeing")) return;
    this.#forecast.arrived(request, nowMs, () => {
      const copyMs = Math.max(0, ...[...devices].map((device) => this.#laneOn(device, model).speed.loadMs));
      const isLong = copyMs > this.#tuning.waitShare * request.objective.ttftMs;
      return isLong ? copyMs + this.#tuning.loadMarginMs : undefined;
    });
  }

  /** What is expected soon is copied where memory idles, and kept where it is: it counts as used. */
  foresee(models: ReadonlyMap<string, PoolModel>, devices: Iterable<Device>, answer: Answer): void {
    for (const request of this.#forecast.due(answer.nowMs)) {
      const lane = this.warm(request, models.get(request.model)!, devices, answer);
      if (lane !== undefined && !lane.hasWork) lane.lastUsedMs = answer.nowMs;
    }
    const nextMs = this.#forecast.nextMs(answer.nowMs);
    if (nextMs < Infinity) answer.wakeAt(nextMs);
  }

  /** Copies the model of a request that does not wait for it, where memory idles; where it is, if it is there already. */
  warm(request: PoolRequest, model: PoolModel, devices: Iterable<Device>, answer: Answer): Lane | undefined {
    let best: Lane | undefined;
    for (const device of devices) {
      if (!canHold(device, model, request)) continue;
      const lane = this.#laneOn(device, model);
      if (lane.weights !== "absent") return lane;
      const isFree = device.loading === undefined && lane.notBeforeMs <= answer.nowMs;
      if (isFree && (best === undefined || device.freeBytes > best.device.freeBytes)) best = lane;
    }
    if (best !== undefined) this.#scheduler.warm(best, answer);
    return undefined;
  }

  /** Each pinned model has one device, the one with the most memory that is not pinned, as long as one has the room. */
  pin(devices: Iterable<Device>): void {
    const all = [...devices];
    for (const model of this.#models) {
      if (model.isPinned !== true || all.some(({ pinned }) => pinned.has(model))) continue;
      const able = all.filter((device) => device.canPin(model));
      const freeBytes = (device: Device): number => device.spec.memoryBytes - device.pinnedBytesBeside(model);
      able.sort((a, b) => freeBytes(b) - freeBytes(a));
      able[0]?.pin(model);
    }
  }

  #preload(device: Device, answer: Answer): void {
    for (const model of this.#wanted(device)) {
      const lane = this.#laneOn(device, model);
      if (lane.weights !== "absent") continue;
      if (lane.notBeforeMs > answer.nowMs) answer.wakeAt(lane.notBeforeMs);
      else if (this.#scheduler.preload(lane, answer)) return;
    }
  }

  *#wanted(device: Device): Iterable<PoolModel> {
    yield* device.pinned;
    const hasComputed = [...device.lanes.values()].some(({ lastTurnMs }) => lastTurnMs !== undefined);
    if (!this.#tuning.preloads || hasComputed || device.turn !== undefined) return;
    // One that leaves when it idles is not copied before it is asked for.
    for (const model of this.#models) if (model.unloadAfterMs === undefined) yield model;
  }
}
