import { accelerators, type Attainment, boundOfScene } from "./cells.ts";
import { capacityName, devicesMax, loads, mainPolicies, type Scene, scenes } from "./matrix.ts";
import { kept, overloadName, worstFairShare } from "./overload.ts";
import type { Results } from "./results.ts";
import type { SwitchCost } from "./switch-costs.ts";

/** `undecided` with what is missing, where it is not plain from the row. */
export type Verdict = "met" | "missed" | `undecided${string}`;

/** Shares of Aegaeon's accelerators and of the bound: ours is to need no more than the larger of the two. */
export const aegaeonShareMax = 0.5;
export const boundTimesMax = 1.5;
/** Of goodput, at every load; and of what is fair for the tenant that fares worst, at twice the load. */
export const keptLeast = 0.9;
export const worstTenantLeast = 0.9;
export const worstTenantLoad = 2;

/** Undefined: the row has not run; null: not with the most that were tried. */
type Count = number | null | undefined;

export interface CapacityAim {
  readonly scene: Scene;
  readonly bound: number;
  readonly ours: number | null;
  readonly aegaeon: Count;
  /** At least that where Aegaeon's is not known. */
  readonly limit: number;
  readonly isKept: Verdict;
  readonly isBelowPrism: Verdict;
}

/** Of the scenes for which ours and the bound have run. */
export function capacityAims(results: Results, cost: SwitchCost): readonly CapacityAim[] {
  return scenes
    .filter(({ costs }) => costs.includes(cost))
    .flatMap((scene): CapacityAim[] => {
      const of = (policy: string): Count => accelerators(results, capacityName(scene, cost, policy), 0.99);
      const [ours, aegaeon, bound] = [of("ours"), of("aegaeon"), boundOfScene(results, scene, 0.99)];
      if (ours === undefined || bound === undefined) return [];
      const isKept = judgeLimit(ours, aegaeon, bound);
      const isBelowPrism = judgeBelow(ours, [of("prism-paper"), of("prism-code")]);
      return [{ scene, bound, ours, aegaeon, limit: limitOf(aegaeon, bound), isKept, isBelowPrism }];
    });
}

/** Of an Aegaeon that has not run nothing is counted; one that does not reach it with all that were tried needs more. */
function limitOf(aegaeon: Count, bound: number): number {
  const share = aegaeon === undefined ? 0 : aegaeonShareMax * (aegaeon ?? devicesMax + 1);
  return Math.max(share, boundTimesMax * bound);
}

function judgeLimit(ours: number | null, aegaeon: Count, bound: number): Verdict {
  if (ours !== null && ours <= limitOf(aegaeon, bound)) return "met";
  if (aegaeon === undefined) return `undecided: Aegaeon not run and ours above ${boundTimesMax} x the bound`;
  return aegaeon === null ? `undecided: Aegaeon needs more than ${devicesMax}` : "missed";
}

function judgeBelow(ours: number | null, others: readonly Count[]): Verdict {
  const least = Math.min(...others.map((count) => count ?? Infinity));
  if (ours === null) return least === Infinity ? "undecided" : "missed";
  if (ours >= least) return "missed";
  return others.includes(undefined) ? "undecided: not all run" : "met";
}

export interface Beaten {
  readonly scene: Scene;
  readonly cost: SwitchCost;
  readonly ours: number | null;
  readonly policy: string;
  readonly accelerators: number;
}

/** Where another needs fewer than ours. */
export function beatenAt(results: Results, attainment: Attainment): readonly Beaten[] {
  return (["link", "open"] as const).flatMap((cost) =>
    scenes.flatMap((scene) =>
      mainPolicies.flatMap((policy): Beaten[] => {
        const ours = accelerators(results, capacityName(scene, cost, "ours"), attainment);
        const theirs = accelerators(results, capacityName(scene, cost, policy), attainment);
        if (ours === undefined || typeof theirs !== "number" || theirs >= (ours ?? Infinity)) return [];
        return [{ scene, cost, ours, policy, accelerators: theirs }];
      }),
    ),
  );
}

export interface OverloadAim {
  readonly kept: number | undefined;
  readonly isKept: Verdict;
  readonly worstTenant: number | undefined;
  readonly isFair: Verdict;
}

/** Of ours, on the fleet that it needs at a load of 1. */
export function overloadAim(results: Results, scene: Scene): OverloadAim {
  const share = kept(results, scene, "ours");
  const missing = loads.filter((load) => results.share(overloadName(scene, "ours", load)) === undefined).length;
  const atLoad = results.share(overloadName(scene, "ours", worstTenantLoad));
  const worstTenant = atLoad === undefined ? undefined : worstFairShare(atLoad);
  return {
    kept: share,
    isKept: judgeLeast(share, keptLeast, missing),
    worstTenant,
    isFair: judgeLeast(worstTenant, worstTenantLeast, 0),
  };
}

/** What is missing can only make the least lower. */
function judgeLeast(value: number | undefined, least: number, missing: number): Verdict {
  if (value === undefined) return "undecided: not run";
  if (value < least) return "missed";
  return missing === 0 ? "met" : `undecided: ${missing} loads not run`;
}
