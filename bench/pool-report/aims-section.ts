import {
  aegaeonShareMax,
  beatenAt,
  boundTimesMax,
  type CapacityAim,
  capacityAims,
  keptLeast,
  overloadAim,
  type Verdict,
  worstTenantLeast,
  worstTenantLoad,
} from "./aims.ts";
import { acceleratorsCell, unknown } from "./cells.ts";
import { paragraph, percent, section, table } from "./markdown.ts";
import { capacityName, overloadScenes } from "./matrix.ts";
import type { Results } from "./results.ts";
import type { SwitchCost } from "./switch-costs.ts";

const places: readonly (readonly [SwitchCost, string])[] = [
  ["link", "At the rate of the link"],
  ["open", "With the switches of today's open engines"],
];

/** What was to be reached, and whether it was: a reader should not have to reckon it. Empty: nothing of ours has run. */
export function aimsSection(results: Results): string {
  const parts = [
    ...places.flatMap(([cost, where]) => capacityPart(results, cost, where)),
    beatenPart(results),
    ...overloadPart(results),
  ].filter((part) => part !== "");
  if (parts.length === 0) return "";
  return section(
    "Aims",
    paragraph(`What ours was to reach, judged by the rows below; an aim is undecided where the rows that it needs have not
      run. For 99 % met strictly, no more accelerators than ${100 * aegaeonShareMax} % of Aegaeon's or than
      ${boundTimesMax} times the bound, whichever is more (the limit), and fewer than Prism's, both as its paper and as its
      code has it. Under overload, at least ${100 * keptLeast} % of goodput kept at every load, and for the tenant that
      fares worst at least ${100 * worstTenantLeast} % of its fair share at a load of ${worstTenantLoad}.`),
    ...parts,
  );
}

function capacityPart(results: Results, cost: SwitchCost, where: string): readonly string[] {
  const aims = capacityAims(results, cost);
  if (aims.length === 0) return [];
  const rows = aims.map(({ scene, bound, ours, aegaeon, limit, isKept, isBelowPrism }) => [
    scene.title,
    String(bound),
    acceleratorsCell(results, capacityName(scene, cost, "aegaeon"), 0.99),
    typeof aegaeon === "number" ? String(limit) : `${limit} or more`,
    ours === null ? "none" : String(ours),
    isKept,
    acceleratorsCell(results, capacityName(scene, cost, "prism-paper"), 0.99),
    acceleratorsCell(results, capacityName(scene, cost, "prism-code"), 0.99),
    isBelowPrism,
  ]);
  return [
    paragraph(`${where}: the limit is ${counted(aims, ({ isKept }) => isKept)}; fewer than Prism's is
      ${counted(aims, ({ isBelowPrism }) => isBelowPrism)}.`),
    table(
      ["workload", "bound", "aegaeon", "limit", "ours", "limit kept", "prism-paper", "prism-code", "fewer than both"],
      rows,
    ),
  ];
}

/** `met in 13 of 15 workloads, undecided in 2`. */
function counted(aims: readonly CapacityAim[], of: (aim: CapacityAim) => Verdict): string {
  const count = (kind: string): number => aims.filter((aim) => of(aim).startsWith(kind)).length;
  const others = ["missed", "undecided"].filter((kind) => count(kind) > 0).map((kind) => `${kind} in ${count(kind)}`);
  return [`met in ${count("met")} of ${aims.length} workloads`, ...others].join(", ");
}

/** For 90 % nothing was aimed at; where ours is not the best there is said all the same. */
function beatenPart(results: Results): string {
  const beaten = beatenAt(results, 0.9);
  if (beaten.length === 0) return "";
  const said = beaten.map(
    ({ scene, cost, ours, policy, accelerators }) =>
      `${policy} needs ${accelerators} for ${scene.title}, ours ${ours ?? "more than were tried"}` +
      (cost === "open" ? " (with today's switches)" : ""),
  );
  return paragraph(`For 90 % somebody needs fewer than ours: ${said.join("; ")}.`);
}

function overloadPart(results: Results): readonly string[] {
  const rows = overloadScenes.flatMap((scene) => {
    const { kept, isKept, worstTenant, isFair } = overloadAim(results, scene);
    if (kept === undefined) return [];
    return [[scene.title, percentCell(kept), isKept, percentCell(worstTenant), isFair]];
  });
  if (rows.length === 0) return [];
  const heads = ["workload", "kept, %", "aim", `worst tenant at ${worstTenantLoad}, % of its fair share`, "aim"];
  return ["Overload:", table(heads, rows)];
}

function percentCell(share: number | undefined): string {
  return share === undefined ? unknown : percent(share);
}
