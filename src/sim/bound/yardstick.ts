import type { Fleet, PoolDevice, PoolModel, Speed } from "../../pool/index.ts";
import type { SimulatedRequest } from "../outcome.ts";
import { type Chain, chainOf } from "./chain.ts";
import { TokenCosts } from "./costs.ts";

/** What work is measured by: a device, real or not, with a speed for each model. */
export type Yardstick = (model: PoolModel) => Speed;

const speedParts = [
  "prefillFixedMs",
  "prefillTokenMs",
  "prefillTokenSquaredMs",
  "decodeFixedMs",
  "decodeSequenceMs",
  "decodeContextTokenMs",
] as const;

/** One device of each type. */
export function kindsOf({ devices }: Fleet): readonly PoolDevice[] {
  return [...new Map(devices.map((device) => [device.type, device])).values()];
}

/** The models that requests are for. Throws where the fleet does not know one. */
export function modelsOf({ models }: Fleet, requests: readonly SimulatedRequest[]): readonly PoolModel[] {
  const known = new Map(models.map((model) => [model.id, model]));
  return [...new Set(requests.map(({ model }) => model))].map((id) => {
    const model = known.get(id);
    if (model === undefined) throw new Error(`there is no model ${id}`);
    return model;
  });
}

/** In everything as fast as the fastest device of the fleet. */
export function fastestOf(fleet: Fleet): Yardstick {
  const kinds = kindsOf(fleet);
  return (model) => {
    const [first, ...others] = kinds.map((device) => fleet.speed(model, device));
    const fastest = { ...first! };
    for (const part of speedParts) fastest[part] = Math.min(fastest[part], ...others.map((speed) => speed[part]));
    return fastest;
  };
}

/** What the device does of the yardstick's work in a millisecond, in milliseconds: never more than this. */
export function rateOf(fleet: Fleet, device: PoolDevice, yardstick: Yardstick, models: readonly PoolModel[]): number {
  let rate = 0;
  for (const model of models) {
    const measure = yardstick(model);
    const speed = fleet.speed(model, device);
    for (const part of speedParts) if (measure[part] > 0) rate = Math.max(rate, measure[part] / speed[part]);
  }
  return rate;
}

/** The requests' chains, model by model, with the costs that they have on the yardstick. */
export function chainsOf(
  fleet: Fleet,
  requests: readonly SimulatedRequest[],
  yardstick: Yardstick,
): readonly (readonly Chain[])[] {
  const fastest = fastestOf(fleet);
  const costs = new Map<string, TokenCosts>();
  const contextTokensMax = requests.reduce((most, one) => Math.max(most, one.inputTokens + one.outputTokens), 1);
  const byModel = Map.groupBy(requests, ({ model }) => model);
  return modelsOf(fleet, requests).map((model) => {
    const [speed, soonest] = [yardstick(model), fastest(model)];
    const key = JSON.stringify([speedParts.map((part) => speed[part]), speedParts.map((part) => soonest[part])]);
    const ofModel = costs.get(key) ?? new TokenCosts(speed, soonest, contextTokensMax);
    costs.set(key, ofModel);
    return byModel.get(model.id)!.map((request) => chainOf(request, ofModel));
  });
}
