import assert from "node:assert/strict";
import { test } from "node:test";
import { deviceTypeOf, parseShapes } from "../fleet.ts";
import type { Workload } from "../workload/index.ts";
import { systemClock } from "../../base/index.ts";
import { runExperiment } from "../experiment.ts";
import { policyNames } from "../schedulers.ts";
import { memoryNeeds, roomBytes, typesWithRoom } from "./homes.ts";

const objective = { ttftMs: 10_000, tpotMs: 100 };

function workloadOf(requests: readonly (readonly [model: string, inputTokens: number])[]): Workload {
  const whole = requests.map(([model, inputTokens], index) => {
    return { atMs: 1000 * index, model, tenant: model, inputTokens, outputTokens: 5 };
  });
  return { name: "small", requests: whole, notes: [] };
}

function experimentOf(devices: readonly string[], shapes: string, workloads: readonly Workload[]) {
  const fleet = devices.map((id) => ({ type: deviceTypeOf(id), count: 2 }));
  return { workloads, fleet, shapes: parseShapes(shapes), objective, linkGBps: undefined };
}

const two = workloadOf([
  ["a", 100],
  ["b", 100],
  ["b", 200],
]);

test("each shape's requests are counted over all seeds, with those that no device has the memory for", () => {
  const needs = memoryNeeds(experimentOf(["a10", "l4"], "qwen2.5-7b,qwen2.5-72b", [two, two]));
  const [small, large] = needs;
  assert.deepEqual(
    needs.map(({ shape, models, requests, homeless }) => [shape, models, requests, homeless]),
    [
      ["qwen2.5-7b", ["a"], 2, 0],
      ["qwen2.5-72b", ["b"], 4, 4],
    ],
  );
  assert.equal(large!.weightsBytes, 72_706_203_648 * 2);
  // The shortest request, with the 4,096 tokens that an answer may have.
  assert.equal(small!.leastBytes - small!.weightsBytes, (100 + 4096) * 2 * 28 * 4 * 128 * 2);
});

test("the largest device of a fleet counts, and a request's KV does", () => {
  const mixed = memoryNeeds(experimentOf(["a10", "mi300x"], "qwen2.5-72b", [two]));
  assert.deepEqual(
    mixed.map(({ homeless }) => homeless),
    [0],
  );
  const long = workloadOf([
    ["a", 100],
    ["a", 20_000],
  ]);
  const [need] = memoryNeeds(experimentOf(["h200"], "llama3.1-70b", [long]));
  assert.deepEqual([need!.requests, need!.homeless], [2, 1]);
});

test("known devices with the room are told, the smallest first, and none where there is none", () => {
  const ids = (gib: number) => typesWithRoom(gib * 2 ** 30).map(({ id }) => id);
  assert.deepEqual(ids(100), ["h200", "mi300x"]);
  assert.deepEqual(ids(1000), []);
  assert.equal(roomBytes(deviceTypeOf("a10")), 24 * 2 ** 30 * 0.95);
});

test("what is homeless here is missed under every policy, and the rest is not refused for its size", () => {
  const experiment = experimentOf(["h200"], "llama3.1-70b", [
    workloadOf([
      ["a", 100],
      ["a", 20_000],
    ]),
  ]);
  for (const policy of policyNames) {
    const { attainmentStrict } = runExperiment({ ...experiment, policy, clock: systemClock });
    assert.ok(attainmentStrict <= 0.5, policy);
  }
  assert.equal(runExperiment({ ...experiment, policy: "ours", clock: systemClock }).attainmentStrict, 0.5);
});
