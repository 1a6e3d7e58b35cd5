import { canHold } from "./holding.ts";
import type { Device } from "./state.ts";
import type { PoolModel, PoolRequest } from "./types.ts";

/** What runs already, and with how many: a decode step costs little more for one sequence more. */
export class Company {
  readonly #devices: ReadonlyMap<string, Device>;
  readonly #stintMs: number;

  /** `stintMs`: see the tuning. */
  constructor(devices: ReadonlyMap<string, Device>, stintMs: number) {
    this.#devices = devices;
    this.#stintMs = stintMs;
  }

  /** Whether the request would find its model at work somewhere where it may be. */
  isRunning(request: PoolRequest, model: PoolModel): boolean {
    for (const device of this.#devices.values()) {
      if (device.lanes.get(model.id)?.hasWork === true && canHold(device, model, request)) return true;
    }
    return false;
  }

  /**
   * Whether one more request for the model would keep others out: wherever it is at work it has been so for long, and
   * fewer sequences share its steps than those of a model at work do on average.
   */
  keepsOut(model: PoolModel, nowMs: number): boolean {
    let sequences = 0;
    let lanes = 0;
    let most = 0;
    for (const { busy } of this.#devices.values()) {
      lanes += busy.size;
      for (const lane of busy) {
        sequences += lane.sequences;
        if (lane.model !== model) continue;
        if (nowMs - lane.atWorkSinceMs < this.#stintMs) return false;
        most = Math.max(most, lane.sequences);
      }
    }
    return most > 0 && most * lanes <= sequences;
  }
}
