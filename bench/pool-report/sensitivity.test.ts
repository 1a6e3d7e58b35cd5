import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultTuning } from "../../src/pool/index.ts";
import { capacityName, coreRows } from "./matrix.ts";
import { Results } from "./results.ts";
import type { CapacityResult } from "./row.ts";
import { sensitivityRows, sensitivityScenes, sensitivitySection, tunedNumbers } from "./sensitivity.ts";

const extent = { seeds: 10, minutes: 30 };
const rows = sensitivityRows(extent);

test("each number of the tuning is halved and doubled, alone, on each of the scenes", () => {
  assert.deepEqual(
    new Set(tunedNumbers),
    new Set(
      Object.entries(defaultTuning)
        .filter(([name, value]) => typeof value === "number" && name !== "memoryShare")
        .map(([name]) => name),
    ),
  );
  assert.equal(rows.length, sensitivityScenes.length * tunedNumbers.length * 2);
  assert.equal(
    new Set([...coreRows(extent), ...rows].map(({ name }) => name)).size,
    coreRows(extent).length + rows.length,
  );
  const half = rows.find(({ name }) => name === "sensitivity/64 models, Poisson/lateMs/half");
  assert.deepEqual(half?.tuning, { lateMs: defaultTuning.lateMs / 2 });
});

test("the table has the numbers beside what they are without a change", () => {
  const capacity = (accelerators: number): CapacityResult => ({
    kind: "capacity",
    found: [null, { accelerators, variant: "ours", figures: {} as never }],
    failures: [],
    notes: [],
  });
  const results = new Results();
  const ours = coreRows(extent).find(({ name }) => name === capacityName(sensitivityScenes[0]!, "link", "ours"))!;
  results.add(ours, { result: capacity(6), tookMs: 1 });
  results.add(rows[0]!, { result: capacity(7), tookMs: 1 });
  const text = sensitivitySection(results).replaceAll(/ +/g, " ");
  assert.match(text, /\| none changed \| \| 6 \| 6 \| - \| - \|/);
  assert.match(text, /\| minTurnMs \| 50 \| 7 \| - \| - \| - \|/);
});
