import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { RefusalError } from "../base/index.ts";
import { type LimitRow, limitsTold, mergeLimits, withinParent } from "./limits.ts";

const whole = fc.option(fc.nat(5).map(String));
const row: fc.Arbitrary<LimitRow> = fc.record(
  {
    models: fc.option(fc.subarray(["a", "b", "c"])),
    requestsPerMinute: whole,
    tokensPerMinute: whole,
    monthlyBudget: fc.option(fc.constantFrom("0", "0.5", "0.50", "10", "9.999999999999")),
    expiresAt: fc.option(fc.nat(3).map((day) => new Date(Date.UTC(2030, 0, 1 + day)))),
  },
  { noNullPrototype: true },
);

function isWithin(child: LimitRow, parent: LimitRow): boolean {
  try {
    withinParent(child, parent, "project");
    return true;
  } catch (error) {
    assert.ok(error instanceof RefusalError && error.refusal.code === "exceeds_parent");
    return false;
  }
}

test("a child is within its parent exactly where each thing that both limit is", () => {
  fc.assert(
    fc.property(row, row, (child, parent) => {
      const ordered = (["requestsPerMinute", "tokensPerMinute", "monthlyBudget"] as const).every(
        (field) => child[field] === null || parent[field] === null || Number(child[field]) <= Number(parent[field]),
      );
      const models = parent.models === null || (child.models ?? []).every((model) => parent.models!.includes(model));
      const ends = child.expiresAt === null || parent.expiresAt === null || child.expiresAt <= parent.expiresAt;
      assert.equal(isWithin(child, parent), ordered && models && ends);
      assert.ok(isWithin(child, child));
    }),
  );
});

test("what is not asked for stays, null takes away, and what is told can be asked for again", () => {
  fc.assert(
    fc.property(row, (before) => {
      assert.deepEqual(mergeLimits(before, {}), before);
      const told = limitsTold(before);
      assert.deepEqual(limitsTold(mergeLimits(undefined, told)), told);
      const gone = {
        models: null,
        requestsPerMinute: null,
        tokensPerMinute: null,
        monthlyBudget: null,
        expiresAt: null,
      };
      assert.deepEqual(mergeLimits(before, gone), gone);
    }),
  );
});
