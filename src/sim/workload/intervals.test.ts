import assert from "node:assert/strict";
import { test } from "node:test";
import { chanceStreams } from "./chance.ts";
import { drawFirstInterval, drawIntervals, exponential, type IntervalShape, shapeOfCv } from "./intervals.ts";
import { logGamma } from "./log-gamma.ts";
import { cvOf, mean, near } from "./testing.ts";

test("the logarithm of the gamma function is right where it is known", () => {
  near(logGamma(0.5), Math.log(Math.sqrt(Math.PI)), 1e-10);
  near(logGamma(5), Math.log(24), 1e-10);
  near(logGamma(1.5), Math.log(Math.sqrt(Math.PI) / 2), 1e-10);
  let factorial = 0;
  for (let factor = 2; factor <= 40; factor++) factorial += Math.log(factor);
  near(logGamma(41), factorial, 1e-12);
  assert.ok(Math.abs(logGamma(1)) < 1e-11);
  assert.ok(Math.abs(logGamma(2)) < 1e-11);
});

test("Weibull's shape is 1 for a CV of 1, and 1/2 for a CV of the square root of 5", () => {
  near(shapeOfCv("weibull", 1).shape, 1, 1e-9);
  // Γ(5) / Γ(3)^2 - 1 = 24 / 4 - 1
  near(shapeOfCv("weibull", Math.sqrt(5)).shape, 0.5, 1e-9);
  near(shapeOfCv("gamma", 2).shape, 0.25, 1e-12);
});

const shapes: readonly (readonly [IntervalShape, number])[] = [
  [exponential, 1],
  [shapeOfCv("gamma", 0.1), 0.1],
  [shapeOfCv("gamma", 0.5), 0.5],
  [shapeOfCv("gamma", 2), 2],
  [shapeOfCv("weibull", 0.1), 0.1],
  [shapeOfCv("weibull", 0.5), 0.5],
  [shapeOfCv("weibull", 2), 2],
];

test("intervals have the mean and the coefficient of variation that are asked for", () => {
  const next = chanceStreams(11);
  for (const [shape, cv] of shapes) {
    const draw = drawIntervals(shape, 300, next());
    const drawn = Array.from({ length: 200_000 }, () => draw());
    near(mean(drawn), 300, 0.02);
    near(cvOf(drawn), cv, 0.04);
  }
});

test("the first interval is what is left of one at any moment: its mean is (1 + CV^2) / 2 of an interval's", () => {
  const next = chanceStreams(12);
  for (const [shape, cv] of shapes) {
    const chance = next();
    const drawn = Array.from({ length: 100_000 }, () => drawFirstInterval(shape, 300, chance));
    near(mean(drawn), (300 * (1 + cv * cv)) / 2, 0.03);
  }
});
