import { acceleratorsCell, type Attainment, bestBaseline, accelerators, boundOfScene, unknown } from "./cells.ts";
import type { LeftOut } from "./left-out.ts";
import { command, paragraph, section, table } from "./markdown.ts";
import { capacityName, mainPolicies, policiesOf, type Scene, scenes } from "./matrix.ts";
import type { Results } from "./results.ts";
import { attainments } from "./row.ts";
import { type SwitchCost, switchCosts } from "./switch-costs.ts";

export function capacitySection(results: Results, leftOut: LeftOut): string {
  return section(
    "Accelerators",
    paragraph(`How many H100 each policy needs so that 99 %, and 90 %, of the requests are met strictly: no token late, in
      every one of the seeds. The bound is what nobody goes below (docs/reference/pool-bound.md); it knows nothing of
      copies and memory. "none": not with 128. A dash: not run.`),
    paragraph(`How it was searched: the first seed alone says where to begin (doubled from 4, then halved between, as if
      more devices never did worse); from there every seed is asked, one device more at a time. Of Aegaeon every division
      into prefill and decode is tried (about 16 of them where there are more devices); one division has to do for all
      seeds. The bound is that of the first three seeds.`),
    command("npm run report -- pool --traces DIR --only capacity/"),
    ...(["link", "open"] as const).flatMap((cost) => costTables(results, cost, leftOut)),
    fullTable(results),
  );
}

function costTables(results: Results, cost: SwitchCost, leftOut: LeftOut): string[] {
  const shown = scenes.filter(({ costs }) => costs.includes(cost));
  return [
    cost === "link"
      ? `### Switches at the rate of the link, ${switchCosts.link} GB/s`
      : `### Switches as today's open engines make them, ${switchCosts.open} GB/s`,
    cost === "link"
      ? paragraph(`As the reference points assume. Prism's engines need 0.045 s/GB, which is 22 GB/s.`)
      : paragraph(`vLLM, asleep at level 2: 0.3 s to fall asleep and 6.5 s to wake, for a model of 8B. Level 1 wakes in
          2.2 s but falls asleep in 10.6 s. KV moves at the link's rate as before.`),
    ...attainments.toReversed().flatMap((attainment) => [
      `Accelerators for ${100 * attainment} %:`,
      table(
        ["workload", "bound", "ours", "ours / bound", ...mainPolicies.slice(1), "best other / ours"],
        shown.map((scene) => sceneCells(results, scene, cost, attainment)),
      ),
      ...leftOutNote(shown, leftOut),
    ]),
  ];
}

/** Under the table in which their rows stand: who reads a number there should know of what it is. */
function leftOutNote(shown: readonly Scene[], leftOut: LeftOut): readonly string[] {
  const notes = shown.flatMap(({ title }) => (leftOut.has(title) ? [`${title}: ${leftOut.get(title)}.`] : []));
  return notes.length === 0 ? [] : [paragraph(notes.join(" "))];
}

function sceneCells(results: Results, scene: Scene, cost: SwitchCost, attainment: Attainment): string[] {
  const bound = boundOfScene(results, scene, attainment);
  const ours = accelerators(results, capacityName(scene, cost, "ours"), attainment);
  const best = bestBaseline(results, scene, cost, mainPolicies, attainment);
  return [
    scene.title,
    bound === undefined ? unknown : String(bound),
    acceleratorsCell(results, capacityName(scene, cost, "ours"), attainment),
    ratio(ours, bound),
    ...mainPolicies.slice(1).map((policy) => acceleratorsCell(results, capacityName(scene, cost, policy), attainment)),
    ratio(best?.accelerators, ours),
  ];
}

function ratio(above: number | null | undefined, below: number | null | undefined): string {
  if (typeof above !== "number" || typeof below !== "number" || below === 0) return unknown;
  return (above / below).toFixed(2);
}

/** All policies, where all were tried. */
function fullTable(results: Results): string {
  const full = scenes.filter(({ isFull }) => isFull);
  const rows = policiesOf(full[0]!, "link").map((policy) => [
    policy,
    ...full.flatMap((scene) => {
      const name = capacityName(scene, "link", policy);
      const devices = accelerators(results, name, 0.99);
      const cells = attainments.map((attainment) => acceleratorsCell(results, name, attainment));
      return [cells.join(" / "), ratio(devices, boundOfScene(results, scene, 0.99))];
    }),
  ]);
  return [
    "### Every policy",
    "Accelerators for 90 % / 99 %, and how many times the bound the latter are.",
    table(["policy", ...full.flatMap(({ title }) => [title, "/ bound"])], rows),
  ].join("\n\n");
}
