import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { arrivalTimesMs } from "./arrivals.ts";

test("constant arrivals are evenly spaced from the start", () => {
  const times = arrivalTimesMs({ pattern: "constant", ratePerSecond: 500, durationMs: 10, seed: 1 });
  assert.deepEqual(times, [0, 2, 4, 6, 8]);
});

test("Poisson arrivals ascend within the round, the same for the same seed", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1_000_000 }), (seed) => {
      const arrivals = { pattern: "poisson", ratePerSecond: 500, durationMs: 200, seed } as const;
      const times = arrivalTimesMs(arrivals);
      assert.ok(times.every((atMs, index) => atMs >= (times[index - 1] ?? 0) && atMs < 200));
      assert.deepEqual(times, arrivalTimesMs(arrivals));
    }),
  );
});

test("Poisson arrivals have the rate that was asked for, and gaps as an exponential distribution has", () => {
  const times = arrivalTimesMs({ pattern: "poisson", ratePerSecond: 500, durationMs: 100_000, seed: 7 });
  const gaps = times.map((atMs, index) => atMs - (times[index - 1] ?? 0));
  const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
  const deviation = Math.sqrt(gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length);
  // 50,000 gaps: the standard error of both is below half a percent; the seed is fixed, so this cannot flicker.
  assert.ok(Math.abs(mean - 2) < 0.04, `mean gap ${mean}`);
  assert.ok(Math.abs(deviation - 2) < 0.06, `deviation ${deviation}`);
  const longer = gaps.filter((gap) => gap > 2).length / gaps.length;
  assert.ok(Math.abs(longer - Math.exp(-1)) < 0.01, `${longer} of the gaps exceed the mean`);
});

test("two seeds give two schedules", () => {
  const of = (seed: number) => arrivalTimesMs({ pattern: "poisson", ratePerSecond: 500, durationMs: 100, seed });
  assert.notDeepEqual(of(0), of(1));
});
