import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { orderByMooreHodgson, type Task } from "./moore-hodgson.ts";

function lateOf(tasks: readonly Task[], nowMs: number): number {
  let endMs = nowMs;
  let late = 0;
  for (const { dueMs, takesMs } of tasks) {
    endMs += takesMs;
    if (endMs > dueMs) late++;
  }
  return late;
}

function permutations<T>(items: readonly T[]): T[][] {
  if (items.length <= 1) return [[...items]];
  return items.flatMap((item, at) => permutations(items.toSpliced(at, 1)).map((rest) => [item, ...rest]));
}

test("the longest is put off where not all can be in time", () => {
  const [long, short, shorter] = [
    { dueMs: 10, takesMs: 9 },
    { dueMs: 11, takesMs: 5 },
    { dueMs: 12, takesMs: 4 },
  ];
  assert.deepEqual(orderByMooreHodgson([long, short, shorter], 0), [short, shorter, long]);
});

test("no order has fewer late ones", () => {
  const task = fc.record({ dueMs: fc.integer({ min: 0, max: 40 }), takesMs: fc.integer({ min: 1, max: 15 }) });
  fc.assert(
    fc.property(fc.array(task, { maxLength: 6 }), fc.integer({ min: 0, max: 20 }), (tasks, nowMs) => {
      const ordered = orderByMooreHodgson(tasks, nowMs);
      assert.equal(ordered.length, tasks.length);
      assert.equal(lateOf(ordered, nowMs), Math.min(...permutations(tasks).map((other) => lateOf(other, nowMs))));
    }),
    { numRuns: 200, seed: 7 },
  );
});
