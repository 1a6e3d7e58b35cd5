import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock } from "../../base/index.ts";
import { type Experiment, parseFleet, parseObjective, parseShapes, readWorkloads, runExperiment } from "../index.ts";
import { Outcome } from "../outcome.ts";
import { courseOf, summarizeCourse } from "./course.ts";
import { windowsOf } from "./windows.ts";

const objective = { ttftMs: 1_000, tpotMs: 100 };

/** Of one token, `ttftMs` after the request; undefined: refused. */
function outcome(atMs: number, ttftMs: number | undefined, model = "a"): Outcome {
  const made = new Outcome({
    id: `request-${atMs}`,
    atMs,
    model,
    tenant: "t",
    objective,
    inputTokens: 10,
    outputTokens: 1,
    maxOutputTokens: 1,
  });
  if (ttftMs === undefined) made.refused("overloaded");
  else {
    made.given(atMs + ttftMs, atMs + ttftMs, 0, 1);
    made.finished();
  }
  return made;
}

test("each window tells of the requests that came in it; none is told of as nothing, not as all missed", () => {
  const outcomes = [
    ...Array.from({ length: 20 }, (_, index) => outcome(index * 50, 500)),
    outcome(2_100, 500),
    outcome(2_200, 2_000),
    outcome(2_300, undefined),
    outcome(4_000, 700),
  ];
  const { windowMs, seeds } = summarizeCourse([outcomes]);
  assert.equal(windowMs, 1_000);
  assert.deepEqual(
    seeds[0]!.map(({ metShare }) => metShare),
    [1, undefined, 1 / 3, 1],
  );
  assert.deepEqual(
    seeds[0]!.map(({ requestsPerSecond }) => requestsPerSecond),
    [20, 0, 3, 1],
  );
  assert.deepEqual(seeds[0]![2]!.ttftMs, { p50: 2_000, p99: 2_000 });
});

test("models come slowest first, and one that never gave a token is not there", () => {
  const { models } = summarizeCourse([
    [outcome(0, 10, "fast"), outcome(1, 30, "slow")],
    [outcome(0, 20, "fast"), outcome(2, undefined, "none")],
  ]);
  assert.deepEqual(models, [
    { model: "slow", p50: 30, p99: 30 },
    { model: "fast", p50: 20, p99: 20 },
  ]);
});

test("windows cover all the time, are at most 61 and at least 3, and of a length that a clock shows", () => {
  for (const [endMs, requests, windowMs] of [
    [1_800_000, 11_600, 30_000],
    [120_000, 96, 30_000],
    [120_000, 100_000, 2_000],
    [10, 3, 10],
    [86_400_000, 1_000_000, 1_800_000],
  ] as const) {
    const found = windowsOf(endMs, requests);
    assert.equal(found.windowMs, windowMs);
    assert.equal(found.windows[0]!.fromMs, 0);
    assert.equal(found.windows.at(-1)!.toMs, endMs);
    assert.ok(found.windows.length <= 61);
  }
});

test("the course tells of the runs that the experiment's figures are of, also of the best variant", async () => {
  for (const policy of ["ours", "aegaeon"]) {
    const experiment: Experiment = {
      workloads: await readWorkloads({ workload: "synthetic:12x0.2", seeds: 2, minutes: 2 }),
      fleet: parseFleet("3xH100"),
      shapes: parseShapes("qwen2.5-7b"),
      objective: parseObjective("4s/60ms"),
      policy,
      linkGBps: 16,
      clock: new ManualClock(),
    };
    const result = runExperiment(experiment);
    const { seeds } = courseOf(experiment, result);
    for (const [seed, windows] of seeds.entries()) {
      const counts = windows.map((each) => (each.requestsPerSecond * (each.toMs - each.fromMs)) / 1000);
      const met = windows.reduce((sum, { metShare }, index) => sum + (metShare ?? 0) * counts[index]!, 0);
      const all = counts.reduce((sum, count) => sum + count, 0);
      assert.ok(Math.abs(met / all - result.attainmentPerSeed[seed]!) < 1e-6, policy);
    }
  }
});
