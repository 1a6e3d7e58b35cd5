import { accelerators, bestBaseline, boundOfScene } from "./cells.ts";
import { paragraph } from "./markdown.ts";
import { capacityName, mainPolicies, scenes } from "./matrix.ts";
import type { Results } from "./results.ts";

interface Ratios {
  readonly toBound: readonly number[];
  readonly ofBest: readonly number[];
}

/** All scenes in one paragraph, at 99 % and the rate of the link. Empty: none has run. */
export function summaryOf(results: Results): string {
  const { toBound, ofBest } = ratiosOf(results);
  const said = [
    toBound.length === 0 ? "" : `ours needs ${spread(toBound)} times the bound over ${toBound.length} of the workloads`,
    ofBest.length === 0
      ? ""
      : `whichever of the others needs fewest needs ${spread(ofBest)} times as many as ours over ${ofBest.length}`,
  ].filter((part) => part !== "");
  return said.length === 0
    ? ""
    : paragraph(`In short, for 99 % met strictly at the rate of the link: ${said.join("; ")}.`);
}

/** The others are compared where all of them have run: one that has not might be the best. */
function ratiosOf(results: Results): Ratios {
  const [toBound, ofBest]: [number[], number[]] = [[], []];
  for (const scene of scenes) {
    const counts = mainPolicies.map((policy) => accelerators(results, capacityName(scene, "link", policy), 0.99));
    const [ours] = counts;
    if (typeof ours !== "number") continue;
    const bound = boundOfScene(results, scene, 0.99);
    if (bound !== undefined && bound > 0) toBound.push(ours / bound);
    const best = bestBaseline(results, scene, "link", mainPolicies, 0.99);
    if (best !== undefined && !counts.includes(undefined)) ofBest.push(best.accelerators / ours);
  }
  return { toBound, ofBest };
}

function spread(values: readonly number[]): string {
  const sorted = values.toSorted((a, b) => a - b);
  const [least, median, most] = [sorted[0]!, sorted[Math.floor(sorted.length / 2)]!, sorted.at(-1)!];
  if (sorted.length === 1) return least.toFixed(2);
  return `${least.toFixed(2)} to ${most.toFixed(2)} (median ${median.toFixed(2)})`;
}
