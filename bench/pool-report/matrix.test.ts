import assert from "node:assert/strict";
import { test } from "node:test";
import { parseFleet, parseObjective, parseShapes, policyNames, readWorkload } from "../../src/sim/index.ts";
import { coreRows, mainPolicies, scenes } from "./matrix.ts";
import { isGenerated, optionsOf, sourceOf } from "./workloads.ts";

const extent = { seeds: 10, minutes: 30 };
const rows = coreRows(extent);

test("no two rows have the same name", () => {
  const names = rows.map(({ name }) => name);
  assert.deepEqual(
    names.filter((name, index) => names.indexOf(name) !== index),
    [],
  );
});

test("each row can be asked for: its policy, sizes, objective and fleet are known", () => {
  for (const row of rows) {
    parseObjective(row.setting.objective);
    parseShapes(row.setting.shapes);
    if (row.kind !== "bound") assert.ok(policyNames.includes(row.policy), row.name);
    if (row.kind === "share") parseFleet(row.fleet);
  }
});

test("each scene has ours, every main policy and a bound", () => {
  const names = new Set(rows.map(({ name }) => name));
  for (const { title, costs } of scenes) {
    assert.ok(names.has(`bound/${title}`));
    for (const cost of costs) {
      for (const policy of mainPolicies) assert.ok(names.has(`capacity/${title}/${cost}/${policy}`));
    }
  }
});

test("what is generated has ten seeds and thirty minutes, but for the short reference points", () => {
  for (const { name, extent, setting } of rows) {
    if (isGenerated(setting.workload) && !name.startsWith("reference/")) {
      assert.ok(extent.seeds >= 10 && extent.minutes >= 30, name);
    }
  }
});

test("a load is a factor on the rate, of what is generated and of nothing else", async () => {
  const [first] = scenes;
  const { workload } = first!.setting;
  const source = sourceOf(workload, { seed: 1, minutes: 1, load: 3, traces: undefined });
  assert.equal(source.workload, "synthetic:64x0.3");
  const { requests } = await readWorkload(source);
  assert.ok(requests.length > 2 * 64 * 0.1 * 60);
});

test("the options to run a row by hand are those of the command line", () => {
  assert.equal(optionsOf(scenes[0]!.setting.workload, extent), "--workload synthetic:64x0.1 --seeds 10 --minutes 30");
  const azure = scenes.find(({ title }) => title.startsWith("Azure"))!;
  assert.equal(optionsOf(azure.setting.workload, extent), "--workload DIR/azure-llm-2023-conv.csv.gz --deal-to 32");
});
