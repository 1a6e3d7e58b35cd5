import type { Answer } from "./answer.ts";
import type { DeviceScheduler } from "./device-scheduler.ts";
import type { Device, Lane } from "./state.ts";
import type { PoolModel } from "./types.ts";

/**
 * What comes and goes without anybody asking for it: pinned models are copied first, and again whatever happened to them; what
 * else there is room for on a device that has computed nothing yet is copied in the order of the models; and what has idled for too
 * long leaves.
 */
export class Ahead {
  readonly #models: readonly PoolModel[];
  readonly #scheduler: DeviceScheduler;
  readonly #preloads: boolean;
  readonly #laneOn: (device: Device, model: PoolModel) => Lane;
  readonly #hasNothing: boolean;

  constructor(
    models: readonly PoolModel[],
    scheduler: DeviceScheduler,
    preloads: boolean,
    laneOn: (device: Device, model: PoolModel) => Lane,
  ) {
    this.#models = models;
    this.#scheduler = scheduler;
    this.#preloads = preloads;
    this.#laneOn = laneOn;
    const isPlain = ({ isPinned, unloadAfterMs }: PoolModel): boolean =>
      isPinned !== true && unloadAfterMs === undefined;
    this.#hasNothing = !preloads && models.every(isPlain);
  }

  fill(devices: Iterable<Device>, answer: Answer): void {
    if (this.#hasNothing) return;
    for (const device of devices) {
      this.#scheduler.unloadIdle(device, answer);
      if (device.loading === undefined) this.#preload(device, answer);
    }
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
    if (!this.#preloads || hasComputed || device.turn !== undefined) return;
    // One that leaves when it idles is not copied before it is asked for.
    for (const model of this.#models) if (model.unloadAfterMs === undefined) yield model;
  }
}
