import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { distribution, median, percentile } from "./statistics.ts";

test("percentile takes the nearest rank, without interpolation", () => {
  const hundred = Array.from({ length: 100 }, (_, index) => index + 1);
  assert.equal(percentile(hundred, 0.99), 99);
  assert.equal(percentile(hundred, 0.5), 50);
  assert.equal(percentile(hundred, 1), 100);
  assert.equal(percentile([7], 0.01), 7);
  assert.throws(() => percentile([], 0.5), RangeError);
  assert.throws(() => percentile([1], 0), RangeError);
});

test("at least that share of the sample does not exceed a percentile, and no smaller value has that", () => {
  const sample = fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { minLength: 1 });
  fc.assert(
    fc.property(sample, fc.integer({ min: 1, max: 100 }), (values, percent) => {
      const sorted = Float64Array.from(values).toSorted();
      const value = percentile(sorted, percent / 100);
      const upTo = values.filter((other) => other <= value).length;
      const below = values.filter((other) => other < value).length;
      // In whole numbers, because the bench's shares are not exact in binary.
      assert.ok(upTo * 100 >= percent * values.length - 1e-6);
      assert.ok(below * 100 < percent * values.length + 1e-6);
    }),
  );
});

test("the median of an even sample lies between its two middle values", () => {
  assert.equal(median([4, 1, 3, 2]), 2.5);
  assert.equal(median([9, 1, 5]), 5);
  assert.throws(() => median([]), RangeError);
});

test("a distribution sorts by number, not by text", () => {
  const { p50, max, mean, count } = distribution([10, 9, 100]);
  assert.deepEqual({ p50, max, mean, count }, { p50: 10, max: 100, mean: 119 / 3, count: 3 });
});
