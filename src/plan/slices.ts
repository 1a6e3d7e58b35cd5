import { chanceStreams, type Workload, type WorkloadRequest } from "../sim/index.ts";
import type { Demand, Group } from "./demand.ts";

/** A workload in parts of which any number of the first can be taken: more parts hold all that fewer do. */
export interface Slices {
  readonly count: number;
  /** The requests of the first so many. */
  take(slices: number): Workload;
  /** The share of each group's work that is in the first so many, by the group's id. */
  cover(slices: number): ReadonlyMap<string, number>;
}

/** Enough for templates to differ by little; a search over them is eight simulations. */
const slicesMax = 128;

export function slicesOf(workload: Workload, groups: readonly Group[], demand: Demand): Slices {
  const [first, ...others] = groups;
  return first!.isBusy && others.length === 0 ? byRequest(workload, first!) : byModel(workload, groups, demand);
}

/** One model's requests, each dealt to a slice by chance: what is thinned so has bursts as the whole has. */
function byRequest(workload: Workload, group: Group): Slices {
  const model = group.models[0]!;
  const chance = chanceStreams(1)();
  const dealt = workload.requests
    .filter((request) => request.model === model)
    .map((request): [number, WorkloadRequest] => [Math.floor(chance() * slicesMax), request]);
  return {
    count: slicesMax,
    take: (slices) => ({
      ...workload,
      requests: dealt.filter(([slice]) => slice < slices).map(([, request]) => request),
    }),
    cover: (slices) => new Map([[group.id, slices / slicesMax]]),
  };
}

/** Several models, whole ones in each slice. */
function byModel(workload: Workload, groups: readonly Group[], { weights }: Demand): Slices {
  const models = evenly(groups.flatMap((group) => group.models).toSorted((a, b) => weights.get(b)! - weights.get(a)!));
  const count = Math.min(slicesMax, models.length);
  const sliceOf = new Map(models.map((model, index) => [model, Math.floor((index * count) / models.length)]));
  const groupWork = new Map(
    groups.map(({ id, models }) => [id, models.reduce((sum, model) => sum + weights.get(model)!, 0)]),
  );
  return {
    count,
    take: (slices) => ({
      ...workload,
      requests: workload.requests.filter(({ model }) => (sliceOf.get(model) ?? count) < slices),
    }),
    cover: (slices) =>
      new Map(
        groups.map(({ id, models }) => [
          id,
          models.reduce((sum, model) => sum + (sliceOf.get(model)! < slices ? weights.get(model)! : 0), 0) /
            groupWork.get(id)!,
        ]),
      ),
  };
}

const goldenRatio = (Math.sqrt(5) - 1) / 2;

/**
 * An order any beginning of which has about as many of the first as of the last: by the fractions of the multiples of
 * the golden ratio, which are spread as evenly as can be.
 */
function evenly<Item>(items: readonly Item[]): readonly Item[] {
  return items
    .map((item, index) => ({ item, at: ((index + 1) * goldenRatio) % 1 }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ item }) => item);
}
