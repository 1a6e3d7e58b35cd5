import assert from "node:assert/strict";
import { test } from "node:test";
import { type Chance, chanceStreams } from "./chance.ts";
import { mean, near } from "./testing.ts";
import { WorkloadError } from "./workload.ts";

function draw(chance: Chance, count: number): number[] {
  return Array.from({ length: count }, () => chance());
}

/** Pearson's, of numbers that are uniform from 0 to 1. */
function correlation(a: readonly number[], b: readonly number[]): number {
  return mean(a.map((value, index) => (value - 0.5) * (b[index]! - 0.5))) * 12;
}

test("a stream depends on the seed and its place, not on what others were used for", () => {
  const [first, second] = [chanceStreams(7), chanceStreams(7)];
  const used = first();
  draw(used, 1000);
  second();
  const expected = draw(second(), 5);
  assert.deepEqual(draw(first(), 5), expected);
  assert.notDeepEqual(draw(chanceStreams(8)(), 5), draw(chanceStreams(7)(), 5));
});

test("numbers are uniform; streams and neighbouring seeds are not correlated", () => {
  const next = chanceStreams(1);
  const streams = [draw(next(), 50_000), draw(next(), 50_000), draw(chanceStreams(2)(), 50_000)];
  for (const numbers of streams) {
    assert.ok(numbers.every((value) => value >= 0 && value < 1));
    near(mean(numbers), 0.5, 0.01);
    near(mean(numbers.map((value) => value * value)), 1 / 3, 0.01);
  }
  // Its standard deviation is 1 / sqrt(50,000) = 0.0045.
  assert.ok(Math.abs(correlation(streams[0]!, streams[1]!)) < 0.02);
  assert.ok(Math.abs(correlation(streams[0]!, streams[2]!)) < 0.02);
  const firsts = Array.from({ length: 10_000 }, (_, seed) => chanceStreams(seed)()());
  assert.ok(Math.abs(correlation(firsts.slice(1), firsts.slice(0, -1))) < 0.04);
});

test("a seed that the generator does not tell from others is refused", () => {
  for (const seed of [-1, 0.5, 2 ** 32, Number.NaN]) {
    assert.throws(() => chanceStreams(seed), {
      name: WorkloadError.name,
      message: /whole number from 0 to 4294967295/,
    });
  }
  chanceStreams(0);
  chanceStreams(2 ** 32 - 1);
});
