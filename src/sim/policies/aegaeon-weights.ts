import type { Effect, PoolDevice, PoolModel, PoolRequest } from "../../pool/index.ts";

/** Of a device's memory, for weights and KV. */
export const memoryShare = 0.95;

/** A request on its way through Aegaeon's devices. */
export interface Job {
  readonly request: PoolRequest;
  readonly model: PoolModel;
  readonly order: number;
  readonly arrivedMs: number;
  generatedTokens: number;
}

export function contextBytes(job: Job): number {
  return (job.request.inputTokens + job.generatedTokens) * job.model.kvBytesPerToken;
}

/** The weights of a device: the model at work, and one that is copied ahead. */
export class Weights {
  readonly spec: PoolDevice;
  readonly resident = new Map<string, PoolModel>();
  loading: PoolModel | undefined;

  constructor(spec: PoolDevice) {
    this.spec = spec;
  }

  loaded(id: string): void {
    this.resident.set(id, this.loading!);
    this.loading = undefined;
  }

  /** Copies it where it is not there yet, and in the place of all but `kept`. */
  want(model: PoolModel | undefined, kept: PoolModel | undefined, effects: Effect[]): void {
    if (model === undefined || this.loading !== undefined || this.resident.has(model.id)) return;
    this.keepOnly(kept, effects);
    this.loading = model;
    effects.push({ kind: "load", device: this.spec.id, model: model.id });
  }

  /** The weights of all others leave. */
  keepOnly(kept: PoolModel | undefined, effects: Effect[]): void {
    for (const [id, model] of this.resident) {
      if (model === kept) continue;
      this.resident.delete(id);
      effects.push({ kind: "evict", device: this.spec.id, model: id });
    }
  }

  get bytes(): number {
    let bytes = this.loading?.weightsBytes ?? 0;
    for (const { weightsBytes } of this.resident.values()) bytes += weightsBytes;
    return bytes;
  }
}
