import type { Effect, Fleet, PoolModel, PoolRequest, Scheduler, WorkEvent } from "../../pool/index.ts";
import { DecodeDevice } from "./aegaeon-decode.ts";
import { PrefillDevice } from "./aegaeon-prefill.ts";
import type { Weights } from "./aegaeon-weights.ts";
import { type Job, memoryShare } from "./aegaeon-weights.ts";

/**
 * Aegaeon (SOSP'25; its authors' simulator, commit 1c3b110): some devices compute prompts, the others decode.
 *
 * - Prefill: first come, first served by groups of at most 8 requests of one model, one prompt at a time; the next
 *   group's model is copied meanwhile.
 * - Decode: a request joins a batch of its model, else the device with fewest batches. Each device goes round its
 *   batches, model by model; each has a turn whose length comes from how many tokens it may fall behind.
 * - A device holds at most one active and one prefetched model.
 *
 * Differences from the authors' simulator: KV counts against a device's memory also between turns (there it does not);
 * it moves from prefill to decode beside the turns, at the link's speed, and not for nothing; a batch's KV comes back from
 * host memory before its turn with the bytes that the model has (there: 0.5 MB a token whatever the model); steps count
 * their batch's size (there they do not, by an oversight).
 */
export class Aegaeon implements Scheduler {
  readonly #models = new Map<string, PoolModel>();
  readonly #jobs = new Map<string, Job>();
  readonly #prefill: PrefillDevice[];
  readonly #decode: DecodeDevice[];
  readonly #byDevice = new Map<string, PrefillDevice | DecodeDevice>();
  /** Prompts that are computed, on a prefill device, and whose KV has no room on a decode device yet. */
  #homeless: Job[] = [];
  #order = 0;

  /** `kvCopyBytesPerToken`: what a turn's KV weighs when it is copied back; the model's own KV unless given. */
  constructor(fleet: Fleet, prefillDevices: number, options: { readonly kvCopyBytesPerToken?: number } = {}) {
    if (!(prefillDevices >= 1 && prefillDevices < fleet.devices.length)) {
      throw new RangeError(`of ${fleet.devices.length} devices 1 to ${fleet.devices.length - 1} can be for prefill`);
    }
    for (const model of fleet.models) this.#models.set(model.id, model);
    this.#prefill = fleet.devices.slice(0, prefillDevices).map((spec) => new PrefillDevice(spec));
    this.#decode = fleet.devices
      .slice(prefillDevices)
      .map((spec) => new DecodeDevice(spec, fleet, options.kvCopyBytesPerToken));
    for (const device of [...this.#prefill, ...this.#decode]) this.#byDevice.set(device.spec.id, device);
  }

  decide(event: WorkEvent, nowMs: number): readonly Effect[] {
    const effects: Effect[] = [];
    switch (event.kind) {
      case "arrived":
        this.#arrive(event.request, nowMs, effects);
        break;
      case "loaded":
        this.#byDevice.get(event.device)!.loaded(event.model);
        this.#settle(effects, nowMs);
        this.#next(event.device, nowMs, effects);
        break;
      case "turnEnded":
        this.#endTurn(event.device, event.steps, event.finished, nowMs, effects);
        break;
      case "moved": {
        const device = this.#byDevice.get(event.device) as DecodeDevice;
        device.accept(this.#jobs.get(event.request)!, effects);
        this.#next(event.device, nowMs, effects);
        break;
      }
      case "woken":
        for (const { spec } of this.#decode) this.#next(spec.id, nowMs, effects);
        break;
    }
    this.#unstick(effects, nowMs);
    return effects;
  }

  #arrive(request: PoolRequest, nowMs: number, effects: Effect[]): void {
    const model = this.#models.get(request.model);
    const fits = model !== undefined && this.#canHold(model, request);
    if (model === undefined || !fits) {
      effects.push({
        kind: "refuse",
        request: request.id,
        reason: model === undefined ? "unknown_model" : "model_too_large",
      });
      return;
    }
    const job: Job = { request, model, order: this.#order++, arrivedMs: nowMs, generatedTokens: 0 };
    this.#jobs.set(request.id, job);
    const device = this.#prefillFor(job);
    device.enqueue(job);
    this.#next(device.spec.id, nowMs, effects);
  }

  /** On a device for prompts and on one for decoding; the former must be every one, because it is not chosen by size. */
  #canHold(model: PoolModel, { inputTokens, maxOutputTokens }: PoolRequest): boolean {
    const holds = ({ spec }: Weights, tokens: number): boolean =>
      model.weightsBytes + tokens * model.kvBytesPerToken <= spec.memoryBytes * memoryShare;
    const isPrefilled = this.#prefill.every((device) => holds(device, inputTokens + 1));
    return isPrefilled && this.#decode.some((device) => holds(device, inputTokens + maxOutputTokens));
  }

  #prefillFor(job: Job): PrefillDevice {
    const open = this.#prefill.find((device) => device.hasRoomFor(job.model));
    return open ?? least(this.#prefill, (device) => device.load)!;
  }

  #endTurn(id: string, steps: number, finished: readonly string[], nowMs: number, effects: Effect[]): void {
    const device = this.#byDevice.get(id)!;
    if (device instanceof PrefillDevice) {
      const job = device.ended();
      job.generatedTokens++;
      if (finished.length === 0) this.#homeless.push(job);
      else device.release(job);
    } else device.ended(steps, finished, nowMs);
    for (const request of finished) this.#jobs.delete(request);
    this.#settle(effects, nowMs);
    this.#next(id, nowMs, effects);
  }

  #settle(effects: Effect[], nowMs: number): void {
    const left: Job[] = [];
    for (const job of this.#homeless) {
      const device = this.#decodeFor(job);
      if (device === undefined) {
        left.push(job);
        continue;
      }
      device.expect(job, effects);
      const from = this.#prefill.find((each) => each.holds(job))!;
      from.release(job);
      effects.push({ kind: "move", request: job.request.id, to: device.spec.id });
      this.#next(from.spec.id, nowMs, effects);
    }
    this.#homeless = left;
  }

  /** Where memory is so short that nothing can go on, whoever has waited longest for a place is given up. */
  #unstick(effects: Effect[], nowMs: number): void {
    while (this.#homeless.length > 0 && ![...this.#byDevice.values()].some((device) => device.isBusy)) {
      const job = this.#homeless.shift()!;
      const from = this.#prefill.find((each) => each.holds(job))!;
      from.release(job);
      this.#jobs.delete(job.request.id);
      effects.push({ kind: "drop", request: job.request.id });
      effects.push({ kind: "refuse", request: job.request.id, reason: "overloaded" });
      this.#settle(effects, nowMs);
      this.#next(from.spec.id, nowMs, effects);
    }
  }

  #decodeFor(job: Job): DecodeDevice | undefined {
    const roomy = this.#decode.filter((device) => device.fits(job));
    return roomy.find((device) => device.batchesOf(job.model)) ?? least(roomy, (device) => device.batches);
  }

  #next(id: string, nowMs: number, effects: Effect[]): void {
    const device = this.#byDevice.get(id)!;
    if (device instanceof DecodeDevice) {
      for (const job of device.next(nowMs, effects)) {
        effects.push({ kind: "drop", request: job.request.id });
        const again = this.#prefillFor(job);
        again.enqueue(job);
        this.#next(again.spec.id, nowMs, effects);
      }
      return;
    }
    for (const job of device.givenUp(nowMs)) {
      this.#jobs.delete(job.request.id);
      effects.push({ kind: "refuse", request: job.request.id, reason: "overloaded" });
    }
    device.next(effects);
  }
}

function least<Item>(items: readonly Item[], of: (item: Item) => number): Item | undefined {
  let best: Item | undefined;
  for (const item of items) if (best === undefined || of(item) < of(best)) best = item;
  return best;
}
