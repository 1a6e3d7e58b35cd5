import {
  defaultTuning,
  type DeviceType,
  deviceTypes,
  kvBytesPerToken,
  type ModelShape,
  weightsBytes,
} from "../../pool/index.ts";
import { type Experiment, modelsOf, prepare } from "../experiment.ts";

/** What the requests for all models of one shape take of a device's memory, of all seeds together. */
export interface MemoryNeed {
  readonly shape: string;
  /** The workload's models that have this shape. */
  readonly models: readonly string[];
  readonly weightsBytes: number;
  /** Of the weights, and the KV of the request that needs least. */
  readonly leastBytes: number;
  readonly requests: number;
  /** Requests that no device of the fleet has the memory for, even with nothing else on it. */
  readonly homeless: number;
}

/** Bytes that weights and KV may take: our pool and the policies beside it leave the same share of a device free. */
export function roomBytes({ memoryGiB }: DeviceType): number {
  return memoryGiB * 2 ** 30 * defaultTuning.memoryShare;
}

/** Known devices with so much room, the smallest first. */
export function typesWithRoom(bytes: number): readonly DeviceType[] {
  return deviceTypes.filter((type) => roomBytes(type) >= bytes).toSorted((a, b) => a.memoryGiB - b.memoryGiB);
}

/** One for each shape that has requests; what is longer than a model's context is none. */
export function memoryNeeds(experiment: Omit<Experiment, "policy" | "clock">): readonly MemoryNeed[] {
  const { workloads, shapes, fleet } = experiment;
  const mostBytes = Math.max(...fleet.map(({ type }) => roomBytes(type)));
  const needs = new Map<string, Need>();
  for (const workload of workloads) {
    const needOf = new Map(
      modelsOf(workload).map((model, index) => {
        const shape = shapes[index % shapes.length]!;
        const need = needs.get(shape.id) ?? new Need(shape);
        needs.set(shape.id, need);
        need.models.add(model);
        return [model, need];
      }),
    );
    for (const { model, inputTokens, maxOutputTokens } of prepare(experiment, workload).requests) {
      needOf.get(model)!.add(inputTokens + maxOutputTokens, mostBytes);
    }
  }
  return [...needs.values()].map((need) => need.told()).filter(({ requests }) => requests > 0);
}

class Need {
  readonly models = new Set<string>();
  readonly #shape: ModelShape;
  #leastBytes = Infinity;
  #requests = 0;
  #homeless = 0;

  constructor(shape: ModelShape) {
    this.#shape = shape;
  }

  add(contextTokens: number, mostBytes: number): void {
    const bytes = weightsBytes(this.#shape) + contextTokens * kvBytesPerToken(this.#shape);
    this.#requests++;
    if (bytes > mostBytes) this.#homeless++;
    this.#leastBytes = Math.min(this.#leastBytes, bytes);
  }

  told(): MemoryNeed {
    return {
      shape: this.#shape.id,
      models: [...this.models],
      weightsBytes: weightsBytes(this.#shape),
      leastBytes: this.#leastBytes,
      requests: this.#requests,
      homeless: this.#homeless,
    };
  }
}
