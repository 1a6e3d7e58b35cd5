import { unknown } from "./cells.ts";
import { command, paragraph, percent, section, table } from "./markdown.ts";
import { loads, overloadPolicies, overloadScenes, type Scene } from "./matrix.ts";
import { acceptedButMissed, fleetOf, goodput, kept, overloadName, worstFairShare } from "./overload.ts";
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

/** Where the misses are: told at once that it cannot be in time, or taken and then late. */
const missMeasures: readonly Measure[] = [
  {
    name: "refused",
    title: "Refused, % of the requests",
    axis: "%",
    of: ofResult(({ figures }) => (100 * figures.refused) / figures.requests),
    shown: (value) => value.toFixed(1),
  },
  {
    name: "missed",
    title: "Accepted, but missed, % of the requests",
    axis: "%",
    of: ofResult((at) => 100 * acceptedButMissed(at)),
    shown: (value) => value.toFixed(1),
  },
];

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
    ...overloadScenes.flatMap((scene) => [
      ...overloadMeasures.flatMap((measure) => tableOf(results, scene, measure, [keptColumn])),
      ...missMeasures.flatMap((measure) => tableOf(results, scene, measure, [])),
    ]),
    "![Goodput under overload](pool/overload-goodput.svg)",
    "![The worst tenant's share](pool/overload-fairness.svg)",
  );
}

interface Column {
  readonly title: string;
  readonly cell: (results: Results, scene: Scene, policy: string) => string;
}

const keptColumn: Column = {
  title: "kept, %",
  cell(results, scene, policy) {
    const share = kept(results, scene, policy);
    return share === undefined ? unknown : percent(share);
  },
};

/** `last`: what stands behind the loads. */
function tableOf(
  results: Results,
  scene: Scene,
  { title, of, shown }: Measure,
  last: readonly Column[],
): readonly string[] {
  const rowOf = (policy: string): string[] => [
    policy,
    String(fleetOf(results, scene, policy)?.accelerators ?? unknown),
    ...loads.map((load) => {
      const value = of(results, scene, policy, load);
      return value === undefined ? unknown : shown(value);
    }),
    ...last.map(({ cell }) => cell(results, scene, policy)),
  ];
  const heads = ["policy", "H100", ...loads.map((load) => `load ${load}`), ...last.map(({ title }) => title)];
  return [`${scene.title}. ${title}:`, table(heads, overloadPolicies.map(rowOf))];
}
