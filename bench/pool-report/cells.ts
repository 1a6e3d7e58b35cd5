import { boundName, capacityName, type Scene } from "./matrix.ts";
import type { Results } from "./results.ts";
import { attainments } from "./row.ts";
import type { SwitchCost } from "./switch-costs.ts";

export type Attainment = (typeof attainments)[number];

export const unknown = "-";

/** Accelerators; undefined: the row has not run; null: more than were tried. */
export function accelerators(results: Results, name: string, attainment: Attainment): number | null | undefined {
  const found = results.capacity(name)?.found[attainments.indexOf(attainment)];
  return found === undefined || found === null ? found : found.accelerators;
}

export function acceleratorsCell(results: Results, name: string, attainment: Attainment): string {
  const count = accelerators(results, name, attainment);
  if (count === undefined) return unknown;
  return count === null ? "none" : String(count);
}

export function boundOfScene(results: Results, scene: Scene, attainment: Attainment): number | undefined {
  return results.bound(boundName(scene))?.accelerators[attainments.indexOf(attainment)];
}

/** The baseline that needs fewest, first of them that need the same. */
export function bestBaseline(
  results: Results,
  scene: Scene,
  cost: SwitchCost,
  policies: readonly string[],
  attainment: Attainment,
): { readonly policy: string; readonly accelerators: number } | undefined {
  let best: { readonly policy: string; readonly accelerators: number } | undefined;
  for (const policy of policies) {
    if (policy === "ours") continue;
    const count = accelerators(results, capacityName(scene, cost, policy), attainment);
    if (typeof count !== "number" || (best !== undefined && count >= best.accelerators)) continue;
    best = { policy, accelerators: count };
  }
  return best;
}
