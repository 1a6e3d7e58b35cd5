import { modelsOf, type Workload, type WorkloadRequest } from "../sim/index.ts";
import { type Ability, abilityOf } from "./ability.ts";
import type { Offer } from "./price-list.ts";
import type { Terms } from "./question.ts";
import type { Trials } from "./trial.ts";

/** Models that are planned for together. */
export interface Group {
  readonly id: string;
  readonly models: readonly string[];
  /** One model that alone needs more than a device, whichever: its requests are divided, not its models. */
  readonly isBusy: boolean;
  /** The ids of the device types that keep what is promised for each of its models. */
  readonly devices: ReadonlySet<string>;
}

export interface Demand {
  readonly groups: readonly Group[];
  /** By model, then by device type. */
  readonly abilities: ReadonlyMap<string, ReadonlyMap<string, Ability>>;
  /** How much work each model is: parameters that its tokens pass. */
  readonly weights: ReadonlyMap<string, number>;
}

/** More are planned for as if they were not busy. */
const busyMax = 8;

/**
 * Divides the models into groups: each busy one by itself, and of the others those together that the same types of
 * device can serve.
 */
export function demandOf(workload: Workload, offers: readonly Offer[], terms: Terms, trials: Trials): Demand {
  const models = modelsOf(workload);
  const weights = weightsOf(workload.requests, terms);
  const abilities = new Map(
    models.map((model) => [
      model,
      new Map(offers.map(({ type }) => [type.id, abilityOf(type, model, workload, terms, trials)])),
    ]),
  );
  const ableFor = (model: string): readonly Offer[] =>
    offers.filter(({ type }) => abilities.get(model)!.get(type.id)!.able);
  const byWeight = models.toSorted((a, b) => weights.get(b)! - weights.get(a)!);
  const busy = new Set<string>();
  for (const model of byWeight.slice(0, busyMax)) {
    const own = { ...workload, requests: workload.requests.filter((request) => request.model === model) };
    if (isBusy(own, ableFor(model), trials)) busy.add(model);
  }
  const groups = new Map<string, { models: string[]; isBusy: boolean; devices: ReadonlySet<string> }>();
  for (const model of models) {
    const devices = new Set(ableFor(model).map(({ type }) => type.id));
    const key = busy.has(model) ? model : `on ${[...devices].join(", ")}`;
    const group = groups.get(key) ?? { models: [], isBusy: busy.has(model), devices };
    groups.set(key, group);
    group.models.push(model);
  }
  return {
    groups: [...groups.values()].map((group) => ({ ...group, id: nameOf(group.models) })),
    abilities,
    weights,
  };
}

/** A simulation of one model on one device takes less time than its lower bound. */
function isBusy(own: Workload, offers: readonly Offer[], trials: Trials): boolean {
  return offers.length > 0 && offers.every(({ type }) => !trials.run([{ type, count: 1 }], [own]).isMet);
}

function weightsOf(requests: readonly WorkloadRequest[], { shapes }: Terms): ReadonlyMap<string, number> {
  const weights = new Map<string, number>();
  for (const { model, inputTokens, outputTokens } of requests) {
    const work = (inputTokens + outputTokens) * shapes.get(model)!.activeParameters;
    weights.set(model, (weights.get(model) ?? 0) + work);
  }
  return weights;
}

function nameOf(models: readonly string[]): string {
  const [first, ...others] = models;
  if (others.length === 0) return first!;
  return others.length === 1 ? `${first} and ${others[0]}` : `${first} and ${others.length} more`;
}
