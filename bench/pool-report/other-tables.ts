import { rules } from "../../src/pool/index.ts";
import { acceleratorsCell, unknown } from "./cells.ts";
import { command, paragraph, percent, section, table } from "./markdown.ts";
import {
  ablationName,
  ablationScenes,
  capacityName,
  mainPolicies,
  mixedFleets,
  mixedName,
  policiesOf,
  scenes,
} from "./matrix.ts";
import type { Results } from "./results.ts";

/** At the fewest accelerators for 99 %, of the first scene. */
export function latencySection(results: Results): string {
  const scene = scenes[0]!;
  const rows = policiesOf(scene, "link").map((policy) => {
    const found = results.capacity(capacityName(scene, "link", policy))?.found[1];
    if (found === undefined || found === null) return [policy, ...Array.from({ length: 8 }, () => unknown)];
    const { ttftMs, tpotMs, busyShare, switches, simulatedTokensPerSecond } = found.figures;
    const runs = found.figures.attainmentPerSeed.length;
    return [
      policy,
      String(found.accelerators),
      ttftMs.p50?.toFixed(0) ?? unknown,
      ttftMs.p99?.toFixed(0) ?? unknown,
      tpotMs.p50?.toFixed(1) ?? unknown,
      tpotMs.p99?.toFixed(1) ?? unknown,
      percent(busyShare),
      (switches / runs).toFixed(0),
      (simulatedTokensPerSecond / 1e6).toFixed(1),
    ];
  });
  return section(
    "Latency at capacity, and the simulator's speed",
    paragraph(`${scene.title}, each policy on the fewest H100 with which it meets 99 %. Switches are copies of a model's
      weights in a run; the last column is how many million tokens a second were simulated, on one of two threads.`),
    command(`npm run report -- pool --only "capacity/${scene.title}/link"`),
    table(
      ["policy", "H100", "TTFT p50 ms", "p99 ms", "TPOT p50 ms", "p99 ms", "busy %", "switches", "million tokens/s"],
      rows,
    ),
  );
}

export function mixedSection(results: Results): string {
  const rows = mixedFleets.map((fleet) => [
    fleet,
    ...mainPolicies.map((policy) => {
      const figures = results.share(mixedName(fleet, policy))?.figures;
      return figures === undefined ? unknown : percent(figures.attainmentStrict);
    }),
  ]);
  return section(
    "Mixed devices",
    paragraph(`${scenes[0]!.title}: % of the requests that are met strictly, mean over the seeds. L20, H20 and A10 are
      reckoned from their data sheets where there are no measurements of the model (docs/reference/cost-model.md); an A10
      holds one model of 7B at a time.`),
    command("npm run report -- pool --only mixed/"),
    table(["fleet", ...mainPolicies], rows),
  );
}

export function ablationSection(results: Results): string {
  const cells = (nameOf: (index: number) => string): string[] =>
    ablationScenes.map((_, index) => {
      const name = nameOf(index);
      return `${acceleratorsCell(results, name, 0.9)} / ${acceleratorsCell(results, name, 0.99)}`;
    });
  return section(
    "Ablations",
    paragraph(`Accelerators for 90 % / 99 % of ours with one rule left out at a time (src/pool/tuning.ts has them, and
      src/pool/pool.ts what they say).`),
    command("npm run report -- pool --only ablation/"),
    table(
      ["without", ...ablationScenes.map(({ title }) => title)],
      [
        ["nothing", ...cells((index) => capacityName(ablationScenes[index]!, "link", "ours"))],
        ...rules.map((rule) => [rule, ...cells((index) => ablationName(ablationScenes[index]!, rule))]),
      ],
    ),
    "![Accelerators for 99 % without a rule](pool/ablations.svg)",
  );
}
