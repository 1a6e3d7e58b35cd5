import assert from "node:assert/strict";
import { test } from "node:test";
import { isWorthIt, type Outlook, quickest } from "./quickest.ts";

const choose = (...outlooks: readonly Outlook[]): number | undefined => {
  const best = quickest(outlooks, (outlook) => outlook);
  return best === undefined ? undefined : outlooks.indexOf(best);
};

test("the first token decides, and where that is alike the fewest requests", () => {
  assert.equal(choose({ firstTokenMs: 4_000, running: 0 }, { firstTokenMs: 300, running: 9 }), 1);
  assert.equal(choose({ firstTokenMs: 350, running: 3 }, { firstTokenMs: 300, running: 9 }), 0);
  assert.equal(choose({ firstTokenMs: 300, running: 2 }, { firstTokenMs: 300, running: 2 }), 0);
});

test("a place that tells nothing is taken for idle, and gives way to one with fewer requests", () => {
  assert.equal(choose({ firstTokenMs: 2_000, running: 0 }, { firstTokenMs: undefined, running: 5 }), 1);
  assert.equal(choose({ firstTokenMs: undefined, running: 5 }, { firstTokenMs: undefined, running: 4 }), 1);
  assert.equal(choose(), undefined);
});

test("whoever knows the beginning is worth a short wait, and no crowd", () => {
  const best = { firstTokenMs: 100, running: 3 };
  assert.ok(isWorthIt({ firstTokenMs: 600, running: 10 }, best, 500));
  assert.ok(!isWorthIt({ firstTokenMs: 601, running: 1 }, best, 500));
  assert.ok(!isWorthIt({ firstTokenMs: 100, running: 11 }, best, 500));
  assert.ok(isWorthIt({ firstTokenMs: undefined, running: 4 }, { firstTokenMs: undefined, running: 0 }, 500));
});
