import assert from "node:assert/strict";
import { test } from "node:test";
import { beatenAt, capacityAims, overloadAim } from "./aims.ts";
import { aimsSection } from "./aims-section.ts";
import { boundName, capacityName, coreRows, loads, overloadScenes, scenes } from "./matrix.ts";
import { overloadRows } from "./overload.ts";
import { Results } from "./results.ts";
import type { CapacityResult, Found, Result, ShareResult } from "./row.ts";

const extent = { seeds: 10, minutes: 30 };
const [first] = scenes;
const figures = {} as Found["figures"];

function capacity(at90: number | null, at99: number | null): CapacityResult {
  const found = [at90, at99].map((accelerators): Found | null =>
    accelerators === null ? null : { accelerators, variant: "it", figures },
  );
  return { kind: "capacity", found, failures: [], notes: [] };
}

/** Of the first scene at the rate of the link; counts for 99 %, the bound beside them. */
function known(bound: number, counts: Readonly<Record<string, number | null>>): Results {
  const results = new Results();
  const named: Record<string, Result> = {
    [boundName(first!)]: { kind: "bound", accelerators: [bound, bound] },
  };
  for (const [policy, count] of Object.entries(counts)) {
    named[capacityName(first!, "link", policy)] = capacity(count, count);
  }
  for (const row of coreRows(extent)) {
    const result = named[row.name];
    if (result !== undefined) results.add(row, { result, tookMs: 1 });
  }
  return results;
}

test("the limit is half of Aegaeon's or 1.5 times the bound, whichever is more", () => {
  const judged = (bound: number, counts: Readonly<Record<string, number | null>>) => {
    const [aim] = capacityAims(known(bound, counts), "link");
    return [aim?.limit, aim?.isKept];
  };
  assert.deepEqual(judged(5, { ours: 10, aegaeon: 20 }), [10, "met"]);
  assert.deepEqual(judged(5, { ours: 11, aegaeon: 20 }), [10, "missed"]);
  assert.deepEqual(judged(5, { ours: 7, aegaeon: 8 }), [7.5, "met"]);
  assert.deepEqual(judged(5, { ours: 7 }), [7.5, "met"]);
  assert.deepEqual(judged(5, { ours: 8 }), [7.5, "undecided: Aegaeon not run and ours above 1.5 x the bound"]);
  assert.deepEqual(judged(5, { ours: 64, aegaeon: null }), [64.5, "met"]);
  assert.deepEqual(judged(5, { ours: null, aegaeon: 20 }), [10, "missed"]);
  assert.deepEqual(capacityAims(new Results(), "link"), []);
});

test("fewer than Prism's is fewer than both, the paper's and the code's", () => {
  const judged = (counts: Readonly<Record<string, number | null>>) =>
    capacityAims(known(5, counts), "link")[0]?.isBelowPrism;
  assert.equal(judged({ ours: 6, "prism-paper": 7, "prism-code": null }), "met");
  assert.equal(judged({ ours: 7, "prism-paper": 7, "prism-code": 9 }), "missed");
  assert.match(judged({ ours: 6, "prism-paper": 7 })!, /^undecided/);
  assert.equal(judged({ ours: 8, "prism-paper": 7 }), "missed");
});

test("where another needs fewer for 90 % it is named", () => {
  const results = known(5, { ours: 7, "prism-paper": 6, aegaeon: 20 });
  assert.deepEqual(
    beatenAt(results, 0.9).map(({ policy, accelerators }) => [policy, accelerators]),
    [["prism-paper", 6]],
  );
  const text = aimsSection(results).replaceAll(/\s+/g, " ");
  assert.match(text, /For 90 % somebody needs fewer than ours: prism-paper needs 6 for 64 models, Poisson, ours 7\./);
  assert.match(
    text,
    /At the rate of the link: the limit is met in 1 of 1 workloads; fewer than Prism's is met in 0 of 1/,
  );
});

test("goodput kept is judged when all loads have run, and the worst tenant at twice the load", () => {
  const results = known(5, { ours: 6 });
  const [scene] = overloadScenes;
  assert.deepEqual(overloadAim(results, scene!).isKept, "undecided: not run");
  const rows = overloadRows(results, extent);
  for (const [index, load] of loads.entries()) {
    const tenants = [
      { tenant: "a", requests: 1000, met: load === 2 ? 120 : 100 * load },
      { tenant: "b", requests: 1000, met: load === 2 ? 80 : 100 * load },
    ];
    const result: ShareResult = { kind: "share", variant: "ours", figures, tenants, arrivalSeconds: 1, failures: [] };
    if (index === loads.length - 1) assert.match(overloadAim(results, scene!).isKept, /^(missed|undecided: 1 loads)/);
    results.add(rows[index]!, { result, tookMs: 1 });
  }
  const { kept, isKept, worstTenant, isFair } = overloadAim(results, scene!);
  assert.equal(kept?.toFixed(3), (200 / 300).toFixed(3));
  assert.equal(isKept, "missed");
  assert.equal(worstTenant, 0.8);
  assert.equal(isFair, "missed");
});

test("of nothing there is no section", () => {
  assert.equal(aimsSection(new Results()), "");
});
