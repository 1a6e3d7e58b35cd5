import { accelerators, bestBaseline, boundOfScene } from "./cells.ts";
import { paragraph } from "./markdown.ts";
import { capacityName, mainPolicies, scenes } from "./matrix.ts";
import type { Results } from "./results.ts";
import type { SwitchCost } from "./switch-costs.ts";

interface Ratios {
  readonly toBound: readonly number[];
  readonly ofBest: readonly number[];
  /** Scenes in which ours does not reach it. */
  readonly unreached: readonly string[];
}

/** All scenes in one paragraph, for 99 %, by what a switch costs: what speaks against ours too. Empty: none has run. */
export function summaryOf(results: Results): string {
  const said = [
    summaryAt(results, "link", "at the rate of the link"),
    summaryAt(results, "open", "with the switches of today's open engines"),
  ].filter((part) => part !== "");
  return said.length === 0 ? "" : paragraph(`In short, for 99 % met strictly: ${said.join("; ")}.`);
}

function summaryAt(results: Results, cost: SwitchCost, where: string): string {
  const { toBound, ofBest, unreached } = ratiosOf(results, cost);
  const parts = [
    toBound.length === 0 ? "" : `ours needs ${spread(toBound)} times the bound over ${toBound.length} of the workloads`,
    ofBest.length === 0
      ? ""
      : `whichever of the others needs fewest needs ${spread(ofBest)} times as many as ours over ${ofBest.length}`,
    unreached.length === 0
      ? ""
      : `ours does not reach it with any number that was tried for ${unreached.join(" and ")}`,
  ].filter((part) => part !== "");
  return parts.length === 0 ? "" : `${where} ${parts.join("; ")}`;
}

/** The others are compared where all of them have run: one that has not might be the best. */
function ratiosOf(results: Results, cost: SwitchCost): Ratios {
  const [toBound, ofBest, unreached]: [number[], number[], string[]] = [[], [], []];
  for (const scene of scenes.filter(({ costs }) => costs.includes(cost))) {
    const counts = mainPolicies.map((policy) => accelerators(results, capacityName(scene, cost, policy), 0.99));
    const [ours] = counts;
    if (ours === null) unreached.push(scene.title);
    if (typeof ours !== "number") continue;
    const bound = boundOfScene(results, scene, 0.99);
    if (bound !== undefined && bound > 0) toBound.push(ours / bound);
    const best = bestBaseline(results, scene, cost, mainPolicies, 0.99);
    if (best !== undefined && !counts.includes(undefined)) ofBest.push(best.accelerators / ours);
  }
  return { toBound, ofBest, unreached };
}

function spread(values: readonly number[]): string {
  const sorted = values.toSorted((a, b) => a - b);
  const [least, median, most] = [sorted[0]!, sorted[Math.floor(sorted.length / 2)]!, sorted.at(-1)!];
  if (sorted.length === 1) return least.toFixed(2);
  return `${least.toFixed(2)} to ${most.toFixed(2)} (median ${median.toFixed(2)})`;
}
