import assert from "node:assert/strict";
import { test } from "node:test";
import { readWorkload } from "../sim/index.ts";
import { demandOf } from "./demand.ts";
import { slicesOf } from "./slices.ts";
import { findTemplates } from "./templates.ts";
import { offer, smallQuestion, solverFor } from "./testing.ts";
import { Trials } from "./trial.ts";

test("slices are nested, and all of them are the whole", async (context) => {
  const question = await smallQuestion("synthetic:6x0.2", "qwen2.5-7b", [offer("H100 2")], solverFor(context));
  const workload = question.workloads[0]!;
  const demand = demandOf(workload, question.prices.offers, question, new Trials(question));
  const [group] = demand.groups;
  for (const groups of [demand.groups, [{ ...group!, models: ["model-01"], isBusy: true }]]) {
    const slices = slicesOf(workload, groups, demand);
    let before = new Set<unknown>();
    for (let count = 0; count <= slices.count; count++) {
      const taken = new Set(slices.take(count).requests);
      assert.ok([...before].every((request) => taken.has(request as never)));
      before = taken;
    }
    const models = new Set(groups.flatMap(({ models }) => models));
    assert.equal(before.size, workload.requests.filter(({ model }) => models.has(model)).length);
    assert.ok(Math.abs(slices.cover(slices.count).get(groups[0]!.id)! - 1) < 1e-9);
    assert.equal(slices.cover(0).get(groups[0]!.id), 0);
  }
});

test("models are grouped by who can serve them, and a busy one is by itself", async (context) => {
  const offers = [offer("L40S 0.9"), offer("H200 3")];
  const question = await smallQuestion("synthetic:6x0.1", "qwen2.5-7b,qwen2.5-32b", offers, solverFor(context));
  const trials = new Trials(question);
  const quiet = demandOf(question.workloads[0]!, offers, question, trials);
  assert.deepEqual(
    quiet.groups.map(({ models, devices, isBusy }) => [models.length, [...devices], isBusy]),
    [
      [3, ["l40s", "h200"], false],
      [3, ["h200"], false],
    ],
  );
  const loud = await readWorkload({ workload: "synthetic:2x40,zipf=5", seed: 1, minutes: 1 });
  const terms = {
    ...question,
    shapes: new Map([...question.shapes].map(([name]) => [name, question.shapes.get("model-01")!])),
  };
  const busy = demandOf(loud, [offer("L40S 0.9")], terms, new Trials(terms));
  assert.deepEqual(
    busy.groups.map(({ id, isBusy }) => [id, isBusy]),
    [
      ["model-01", true],
      ["model-02", false],
    ],
  );
});

test("what a template says, the simulator has seen: so much is carried, and a bounded number of simulations says it", async (context) => {
  const offers = [offer("L40S 0.9"), offer("H100 2.5 x1")];
  const question = await smallQuestion("synthetic:8x0.15", "qwen2.5-7b", offers, solverFor(context));
  const workload = question.workloads[0]!;
  const trials = new Trials(question);
  const demand = demandOf(workload, offers, question, trials);
  const before = trials.simulations;
  const templates = findTemplates(workload, offers, demand, trials, () => {});
  assert.ok(trials.simulations - before <= 2 * 43, String(trials.simulations - before));
  assert.ok(templates.length >= 2);
  for (const { offer: of, devices, cover, kind } of templates) {
    assert.ok(devices <= (of.availableMax ?? 16));
    assert.equal(kind, "shared");
    for (const share of cover.values()) assert.ok(share > 0 && share <= 1 + 1e-9);
  }
  const whole = templates.find(({ cover }) => [...cover.values()].every((share) => share > 1 - 1e-9));
  if (whole !== undefined) {
    assert.ok(trials.run([{ type: whole.offer.type, count: whole.devices }], [workload]).isMet);
  }
});
