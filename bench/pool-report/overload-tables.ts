import { unknown } from "./cells.ts";
import { command, paragraph, percent, section, table } from "./markdown.ts";
import { loads, overloadPolicies, overloadScenes, type Scene } from "./matrix.ts";
import { capacityOf, fleetOf, goodput, overloadName, worstFairShare } from "./overload.ts";
import type { Results } from "./results.ts";
import type { ShareResult } from "./row.ts";

type Measure = (at: ShareResult, capacityPerSecond: number) => number;

export const overloadMeasures: readonly { readonly name: string; readonly title: string; readonly of: Measure }[] = [
  { name: "goodput", title: "Goodput, % of capacity", of: (at, capacity) => goodput(at) / capacity },
  { name: "fairness", title: "The worst tenant's goodput, % of its fair share", of: worstFairShare },
];

/** Undefined: not run. */
export function overloadValue(
  results: Results,
  scene: Scene,
  policy: string,
  load: number,
  of: Measure,
): number | undefined {
  const at = results.share(overloadName(scene, policy, load));
  const capacity = capacityOf(results, scene, policy);
  return at === undefined || capacity === undefined ? undefined : of(at, capacity);
}

export function overloadSection(results: Results): string {
  return section(
    "Overload",
    paragraph(`Each policy on the fleet that it needs for 99 % at a load of 1, set up as it was there (a division of
      Aegaeon's is not changed for the load); at a load of 3 three times as many requests come. Goodput is requests met
      strictly, a second; capacity is the most goodput at any of the loads, so where that is the last one, it may be more.
      A fleet that memory decides has much to spare at a load of 1, and one whose sequences can share steps some. A
      tenant's fair share is what it asks for, or an equal part of the capacity, whichever is less; the worst of all
      tenants is shown, all seeds together. Each model has a tenant of its own.`),
    command("npm run report -- pool --only overload/"),
    ...overloadScenes.flatMap((scene) =>
      overloadMeasures.flatMap(({ title, of }) => [
        `${scene.title}. ${title}:`,
        table(
          ["policy", "H100", "capacity, requests/s", ...loads.map(String)],
          overloadPolicies.map((policy) => [
            policy,
            String(fleetOf(results, scene, policy)?.accelerators ?? unknown),
            capacityOf(results, scene, policy)?.toFixed(1) ?? unknown,
            ...loads.map((load) => {
              const value = overloadValue(results, scene, policy, load, of);
              return value === undefined ? unknown : percent(value);
            }),
          ]),
        ),
      ]),
    ),
    "![Goodput under overload](pool/overload-goodput.svg)",
    "![The worst tenant's share](pool/overload-fairness.svg)",
  );
}
