import { accelerators, bestBaseline, boundOfScene } from "./cells.ts";
import { paragraph } from "./markdown.ts";
import { capacityName, mainPolicies, type Scene, scenes } from "./matrix.ts";
import type { Results } from "./results.ts";
import type { SwitchCost } from "./switch-costs.ts";

interface Told {
  readonly fewer: readonly string[];
  readonly same: readonly string[];
  readonly more: readonly string[];
  readonly toBound: readonly number[];
}

/** All scenes in a paragraph for each cost of a switch, for 99 %: where ours wins and where it loses. Empty: none has run. */
export function summaryOf(results: Results): string {
  const said = [
    summaryAt(results, "link", "At the rate of the link"),
    summaryAt(results, "open", "With the switches of today's open engines"),
  ];
  return said
    .filter((part) => part !== "")
    .map((part) => paragraph(part))
    .join("\n\n");
}

function summaryAt(results: Results, cost: SwitchCost, where: string): string {
  const { fewer, same, more, toBound } = toldOf(results, cost);
  const compared = fewer.length + same.length + more.length;
  if (compared === 0) return "";
  const parts = [
    `${where}, for 99 % met strictly, ours needs fewer accelerators than any of the others that have a row in ${fewer.length} of ` +
      `${compared} workloads`,
    same.length === 0 ? "" : `as many as the best of them in ${same.join(" and ")}`,
    more.length === 0 ? "" : `more in ${more.join(" and ")}`,
    toBound.length === 0 ? "" : `it needs ${spread(toBound)} times the bound over ${toBound.length} of them`,
  ];
  return `${parts.filter((part) => part !== "").join("; ")}.`;
}

function toldOf(results: Results, cost: SwitchCost): Told {
  const [fewer, same, more, toBound]: [string[], string[], string[], number[]] = [[], [], [], []];
  for (const scene of scenes.filter(({ costs }) => costs.includes(cost))) {
    const ours = accelerators(results, capacityName(scene, cost, "ours"), 0.99);
    if (ours === undefined) continue;
    const best = bestBaseline(results, scene, cost, mainPolicies, 0.99);
    if (ours !== null) {
      const bound = boundOfScene(results, scene, 0.99);
      if (bound !== undefined && bound > 0) toBound.push(ours / bound);
    }
    if (!hasBaseline(results, scene, cost)) continue;
    // Null: with no number that was tried.
    const ahead = (best?.accelerators ?? Infinity) - (ours ?? Infinity);
    if (ahead > 0) fewer.push(scene.title);
    else if (ahead < 0) more.push(scene.title);
    else same.push(scene.title);
  }
  return { fewer, same, more, toBound };
}

function hasBaseline(results: Results, scene: Scene, cost: SwitchCost): boolean {
  return mainPolicies.some(
    (policy) => policy !== "ours" && accelerators(results, capacityName(scene, cost, policy), 0.99) !== undefined,
  );
}

function spread(values: readonly number[]): string {
  const sorted = values.toSorted((a, b) => a - b);
  const [least, median, most] = [sorted[0]!, sorted[Math.floor(sorted.length / 2)]!, sorted.at(-1)!];
  if (sorted.length === 1) return least.toFixed(2);
  return `${least.toFixed(2)} to ${most.toFixed(2)} (median ${median.toFixed(2)})`;
}
