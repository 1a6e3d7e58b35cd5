import { type Fleet, Pool, type Scheduler } from "../pool/index.ts";
import { Aegaeon } from "./policies/aegaeon.ts";
import { SimulationError } from "./problem.ts";

/** One way to set a policy up. Where there are several, an experiment keeps the best: it cannot be told beforehand. */
export interface Variant {
  readonly name: string;
  create(fleet: Fleet): Scheduler;
}

type Policy = (devices: number) => readonly Variant[];

const policies: Readonly<Record<string, Policy>> = {
  ours: () => [{ name: "ours", create: (fleet) => new Pool(fleet) }],
  aegaeon: (devices) =>
    splits(devices).map((prefill) => ({
      name: `aegaeon, ${prefill} of ${devices} for prefill`,
      create: (fleet) => new Aegaeon(fleet, prefill),
    })),
};

export const policyNames: readonly string[] = Object.keys(policies);

export function variantsOf(policy: string, devices: number): readonly Variant[] {
  const found = Object.hasOwn(policies, policy) ? policies[policy] : undefined;
  if (found === undefined) {
    throw new SimulationError(`there is no policy "${policy}"; there are ${policyNames.join(", ")}`);
  }
  const variants = found(devices);
  if (variants.length === 0) throw new SimulationError(`${policy} needs more than ${devices} device(s)`);
  return variants;
}

/** Every division of the devices up to 16, and about as many of more. */
function splits(devices: number): number[] {
  const step = Math.max(1, Math.round(devices / 16));
  const found: number[] = [];
  for (let prefill = 1; prefill < devices; prefill += step) found.push(prefill);
  return found;
}
