import { type Rule, rules } from "../../src/pool/index.ts";
import { policyNames } from "../../src/sim/index.ts";
import type { CapacityRow, Row, Setting, ShareRow } from "./row.ts";
import type { SwitchCost } from "./switch-costs.ts";
import type { Extent, WorkloadSpec } from "./workloads.ts";

/** A line of the main table. */
export interface Scene {
  readonly title: string;
  readonly setting: Omit<Setting, "switchCost">;
  readonly costs: readonly SwitchCost[];
  /** Whether all policies are tried, or only those that are ahead somewhere. */
  readonly isFull: boolean;
}

export const device = "h100";
/** More are not tried. */
export const devicesMax = 128;

export const mainPolicies = [
  "ours",
  "aegaeon",
  "prism-paper",
  "prism-code",
  "muxserve",
  "serverlessllm-fcfs",
  "lru-swap",
] as const;

const interactive = "10s/100ms";
const small = "qwen2.5-7b";

export const scenes: readonly Scene[] = [
  scene("64 models, Poisson", synthetic(64), { isFull: true, costs: ["link", "open"] }),
  scene("80 models, Poisson", synthetic(80), { isFull: true }),
  scene("64 models, 5 s / 50 ms", synthetic(64), { objective: "5s/50ms", costs: ["link", "open"] }),
  scene("64 models, 2 s / 25 ms", synthetic(64), { objective: "2s/25ms" }),
  scene("64 models of 14B", synthetic(64), { shapes: "qwen2.5-14b", costs: ["link", "open"] }),
  scene("64 models, on 60 s, off 240 s", synthetic(64, ",on=60,off=240"), { costs: ["link", "open"] }),
  scene("64 models, gamma, cv 4", synthetic(64, ",arrivals=gamma,cv=4"), {}),
  scene("64 models, Zipf 1.1", synthetic(64, ",zipf=1.1"), {}),
  scene("ServeGen language, 42 models", {
    kind: "trace",
    file: "servegen-language-m-large-arrivals.csv.gz",
    models: 48,
    ratePerSecond: 8,
    startS: 36_000,
  }),
  scene("ServeGen reasoning, 19 models", {
    kind: "trace",
    file: "servegen-reason-deepseek-r1-arrivals.csv.gz",
    models: 24,
    ratePerSecond: 3,
    startS: 18_000,
  }),
  scene("Azure conversation, 32 models", { kind: "trace", file: "azure-llm-2023-conv.csv.gz", models: 32 }),
  scene("Mooncake conversation, 1 model", { kind: "trace", file: "mooncake-conversation.jsonl.gz" }),
  scene("Aegaeon's trace, 48 models", { kind: "trace", file: "aegaeon-synth-48-0.1-1.0-1.0.csv" }),
  scene("the same, answers twice as long", { kind: "trace", file: "aegaeon-synth-48-0.1-1.0-2.0.csv" }),
  scene("the same, prompts twice as long", { kind: "trace", file: "aegaeon-synth-48-0.1-2.0-1.0.csv" }),
];

/** The scene in which rules are left out one at a time, and those in which the pool is overloaded. */
export const ablationScenes = [scenes[0]!, scenes[2]!, scenes[4]!];
export const overloadScenes = [scenes[0]!, scenes[7]!];
export const overloadPolicies = ["ours", "aegaeon", "prism-paper", "muxserve", "serverlessllm-fcfs"] as const;
export const loads = [0.5, 0.75, 1, 1.25, 1.5, 2, 3, 4, 6] as const;

export const mixedFleets = ["3xh100+3xh20", "2xh100+2xh20+4xl20", "2xh100+6xa10"] as const;

/** What has a published number to be near to: reference-points.ts has the numbers. */
export const referencePairs = [
  { policy: "aegaeon", models: 48 },
  { policy: "aegaeon", models: 64 },
  { policy: "aegaeon", models: 80 },
  { policy: "serverlessllm-artifact", models: 40 },
  { policy: "serverlessllm-artifact", models: 48 },
  { policy: "serverlessllm-artifact", models: 64 },
] as const;
/** As long as everything here, and as long as the traces that were published with them. */
const referenceMinutes = [30, 2] as const;

/** What comes first matters most: a run that is cut short leaves what can be told. */
export function coreRows(extent: Extent): readonly Row[] {
  const [first, second, ...others] = scenes;
  return [
    ...sceneRows(first!, extent),
    ...referenceRows(extent),
    ...sceneRows(second!, extent),
    ...ablationRows(ablationScenes.slice(0, 1), extent),
    ...others.flatMap((each) => sceneRows(each, extent)),
    ...mixedRows(extent),
    ...ablationRows(ablationScenes.slice(1), extent),
  ];
}

export function policiesOf({ isFull }: Scene, cost: SwitchCost): readonly string[] {
  return isFull && cost === "link" ? policyNames : mainPolicies;
}

export function capacityName({ title }: Scene, cost: SwitchCost, policy: string): string {
  return `capacity/${title}/${cost}/${policy}`;
}

export function boundName({ title }: Scene): string {
  return `bound/${title}`;
}

function sceneRows(scene: Scene, extent: Extent): Row[] {
  const capacities = scene.costs.flatMap((cost) =>
    policiesOf(scene, cost).map((policy) => capacityRow(scene, cost, policy, extent)),
  );
  const setting: Setting = { ...scene.setting, switchCost: "link" };
  return [...capacities, { kind: "bound", name: boundName(scene), setting, extent, device }];
}

export function capacityRow(scene: Scene, switchCost: SwitchCost, policy: string, extent: Extent): CapacityRow {
  const setting: Setting = { ...scene.setting, switchCost };
  return {
    kind: "capacity",
    name: capacityName(scene, switchCost, policy),
    setting,
    extent,
    device,
    policy,
    devicesMax,
  };
}

export function ablationName({ title }: Scene, rule: Rule): string {
  return `ablation/${title}/without ${rule}`;
}

function ablationRows(scenes: readonly Scene[], extent: Extent): Row[] {
  return scenes.flatMap((scene) =>
    rules.map((rule): Row => {
      const row = capacityRow(scene, "link", "ours", extent);
      return { ...row, name: ablationName(scene, rule), tuning: { without: [rule] } };
    }),
  );
}

export function referenceName(models: number, minutes: number, policy: string): string {
  return `reference/${models} models, ${minutes} minutes/${policy}`;
}

/** In a quick run all are as short as it is. */
function referenceRows(extent: Extent): Row[] {
  return referencePairs.flatMap(({ policy, models }) =>
    referenceMinutes.map((minutes): ShareRow => {
      const setting: Setting = { ...scene("", synthetic(models), {}).setting, switchCost: "link" };
      const name = referenceName(models, minutes, policy);
      const ofRow = { ...extent, minutes: Math.min(minutes, extent.minutes) };
      return { kind: "share", name, setting, extent: ofRow, fleet: `16x${device}`, policy, load: 1 };
    }),
  );
}

export function mixedName(fleet: string, policy: string): string {
  return `mixed/${fleet}/${policy}`;
}

function mixedRows(extent: Extent): Row[] {
  return mixedFleets.flatMap((fleet) =>
    mainPolicies.map((policy): ShareRow => {
      const setting: Setting = { ...scenes[0]!.setting, switchCost: "link" };
      return { kind: "share", name: mixedName(fleet, policy), setting, extent, fleet, policy, load: 1 };
    }),
  );
}

function scene(
  title: string,
  workload: WorkloadSpec,
  { objective = interactive, shapes = small, costs = ["link"], isFull = false }: SceneOptions = {},
): Scene {
  return { title, setting: { workload, shapes, objective }, costs, isFull };
}

interface SceneOptions {
  readonly objective?: string;
  readonly shapes?: string;
  readonly costs?: readonly SwitchCost[];
  readonly isFull?: boolean;
}

function synthetic(models: number, how = ""): WorkloadSpec {
  return { kind: "synthetic", models, ratePerSecond: 0.1, how };
}
