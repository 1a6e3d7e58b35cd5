import { unknown } from "./cells.ts";
import { command, paragraph, percent, section, table } from "./markdown.ts";
import { loads, overloadPolicies, overloadScenes, type Scene } from "./matrix.ts";
import { fleetOf, goodput, mostUpTo, overloadName, worstFairShare } from "./overload.ts";
import type { Results } from "./results.ts";
import type { ShareResult } from "./row.ts";

interface Measure {
  readonly name: string;
  readonly title: string;
  readonly axis: string;
  /** Undefined: not run. */
  readonly of: (results: Results, scene: Scene, policy: string, load: number) => number | undefined;
  readonly shown: (value: number) => string;
}

function ofResult(of: (at: ShareResult) => number): Measure["of"] {
  return (results, scene, policy, load) => {
    const at = results.share(overloadName(scene, policy, load));
    return at === undefined ? undefined : of(at);
  };
}

export const overloadMeasures: readonly Measure[] = [
  {
    name: "goodput",
    title: "Goodput, requests/s",
    axis: "requests/s",
    of: ofResult(goodput),
    shown: (value) => value.toFixed(1),
  },
  {
    name: "fairness",
    title: "The worst tenant's goodput, % of its fair share",
    axis: "%",
    of: ofResult((at) => 100 * worstFairShare(at)),
    shown: (value) => value.toFixed(1),
  },
];

/** The least of goodput as a share of the most at a lower load: below 1 where it falls. Undefined: not run. */
function kept(results: Results, scene: Scene, policy: string): number | undefined {
  const shares = loads.flatMap((load): number[] => {
    const at = results.share(overloadName(scene, policy, load));
    const most = mostUpTo(results, scene, policy, load);
    return at === undefined || most === undefined ? [] : [goodput(at) / most];
  });
  return shares.length === 0 ? undefined : Math.min(...shares);
}

export function overloadSection(results: Results): string {
  return section(
    "Overload",
    paragraph(`Each policy on the fleet that it needs for 99 % at a load of 1, set up as it was there (a division of
      Aegaeon's is not changed for the load); at a load of 3 three times as many requests come, to the same models. Goodput
      is requests met strictly, a second. What a fleet can do grows with the load, because more requests share the steps of
      a model; so it is overloaded where it meets less than is asked. Kept is the least goodput at any load as a share of the
      most at that load or a lower one: 100 % where it never falls. A tenant's fair share is what it asks for, or an equal
      part of what was met, whichever is less; the worst of all tenants is shown, all seeds together. Each model has a tenant
      of its own.`),
    command("npm run report -- pool --only overload/"),
    ...overloadScenes.flatMap((scene) => overloadMeasures.flatMap((measure) => tableOf(results, scene, measure))),
    "![Goodput under overload](pool/overload-goodput.svg)",
    "![The worst tenant's share](pool/overload-fairness.svg)",
  );
}

function tableOf(results: Results, scene: Scene, { title, of, shown }: Measure): readonly string[] {
  const rowOf = (policy: string): string[] => {
    const share = kept(results, scene, policy);
    return [
      policy,
      String(fleetOf(results, scene, policy)?.accelerators ?? unknown),
      ...loads.map((load) => {
        const value = of(results, scene, policy, load);
        return value === undefined ? unknown : shown(value);
      }),
      share === undefined ? unknown : percent(share),
    ];
  };
  const heads = ["policy", "H100", ...loads.map((load) => `load ${load}`), "kept, %"];
  return [`${scene.title}. ${title}:`, table(heads, overloadPolicies.map(rowOf))];
}
