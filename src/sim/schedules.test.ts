import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultTuning, Pool, type Rule } from "../pool/index.ts";
import { deviceTypeOf, parseShapes } from "./fleet.ts";
import { prepare } from "./experiment.ts";
import { parseObjective } from "./objective.ts";
import { attainment, simulate } from "./simulate.ts";
import { readWorkload } from "./workload/index.ts";

/** Models that are asked on schedule, where a copy takes longer than a first token may: rule 9. */
async function played(without: readonly Rule[]) {
  const workload = await readWorkload({ workload: "synthetic:24x0.1,on=10,every=120", seed: 1, minutes: 30 });
  const question = {
    workloads: [workload],
    fleet: [{ type: deviceTypeOf("h100"), count: 3 }],
    shapes: parseShapes("qwen2.5-7b"),
    objective: parseObjective("5s/50ms"),
    linkGBps: 2.36,
  };
  const { fleet, requests } = prepare(question, workload);
  const { outcomes } = simulate(fleet, new Pool(fleet, { ...defaultTuning, without }), requests);
  const ttftsMs = outcomes.flatMap(({ ttftMs }) => ttftMs ?? []).toSorted((a, b) => a - b);
  return { met: attainment(outcomes), medianTtftMs: ttftsMs[ttftsMs.length >> 1]! };
}

test("what is asked on schedule is met far more often, and begins sooner, because its weights are there before", async () => {
  const [withIt, without] = [await played([]), await played(["foreseeing"])];
  assert.ok(withIt.met > without.met + 0.1, `${withIt.met} against ${without.met}`);
  assert.ok(withIt.medianTtftMs < without.medianTtftMs / 4, `${withIt.medianTtftMs} against ${without.medianTtftMs}`);
});
