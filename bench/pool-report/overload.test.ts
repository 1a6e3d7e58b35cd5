import assert from "node:assert/strict";
import { test } from "node:test";
import { capacityName, coreRows, overloadScenes } from "./matrix.ts";
import { acceptedButMissed, goodput, mostUpTo, overloadName, overloadRows, worstFairShare } from "./overload.ts";
import { Results } from "./results.ts";
import type { ShareResult, TenantCount } from "./row.ts";

function result(tenants: readonly TenantCount[], arrivalSeconds = 100): ShareResult {
  return {
    kind: "share",
    variant: "ours",
    figures: {} as ShareResult["figures"],
    tenants,
    arrivalSeconds,
    failures: [],
  };
}

test("goodput is requests a second that were met", () => {
  const at = result(
    [
      { tenant: "a", requests: 200, met: 40 },
      { tenant: "b", requests: 200, met: 50 },
    ],
    200,
  );
  assert.equal(goodput(at), 0.45);
});

test("who asks for less than an equal part is owed all of it, and who asks for more that part", () => {
  const at = (light: number, heavy: number): ShareResult =>
    result([
      { tenant: "light", requests: 10, met: light },
      { tenant: "heavy", requests: 500, met: heavy },
    ]);
  assert.equal(worstFairShare(at(10, 50)), 1);
  assert.equal(worstFairShare(at(5, 45)), 0.5);
  assert.equal(worstFairShare(at(10, 2)), 1 / 3);
  assert.equal(worstFairShare(at(10, 90)), 1);
});

test("what is missed is what was refused, and what was accepted in vain", () => {
  const at = result([{ tenant: "a", requests: 200, met: 150 }]);
  const figures = { ...at.figures, requests: 200, refused: 40 };
  assert.equal(acceptedButMissed({ ...at, figures }), 0.05);
});

test("each policy is overloaded on the fleet that it needs; what it can do is the most that it met so far", () => {
  const extent = { seeds: 10, minutes: 30 };
  const results = new Results();
  assert.deepEqual(overloadRows(results, extent), []);
  const [scene] = overloadScenes;
  const row = coreRows(extent).find(({ name }) => name === capacityName(scene!, "link", "aegaeon"))!;
  const found = { accelerators: 20, variant: "aegaeon, 5 of 20 for prefill", figures: {} as ShareResult["figures"] };
  results.add(row, { result: { kind: "capacity", found: [null, found], failures: [], notes: [] }, tookMs: 1 });
  const rows = overloadRows(results, extent);
  assert.deepEqual(new Set(rows.map((each) => each.kind === "share" && each.fleet)), new Set(["20xh100"]));
  assert.equal(mostUpTo(results, scene!, "aegaeon", 3), undefined);
  for (const [index, met] of [30, 70, 50].entries()) {
    results.add(rows[index]!, { result: result([{ tenant: "a", requests: 100, met }]), tookMs: 1 });
  }
  assert.equal(rows[0]!.name, overloadName(scene!, "aegaeon", 0.5));
  assert.equal(mostUpTo(results, scene!, "aegaeon", 0.5), 0.3);
  assert.equal(mostUpTo(results, scene!, "aegaeon", 1), 0.7);
});
