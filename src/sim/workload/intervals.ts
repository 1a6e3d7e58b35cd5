import { randomExponential, randomGamma, randomWeibull } from "d3-random";
import type { Chance } from "./chance.ts";
import { logGamma } from "./log-gamma.ts";

/** How the times between two arrivals are distributed, but for their mean. The exponential's shape is always 1. */
export interface IntervalShape {
  readonly family: "exponential" | "gamma" | "weibull";
  readonly shape: number;
}

export const exponential: IntervalShape = { family: "exponential", shape: 1 };

/** The shape whose coefficient of variation (standard deviation / mean) is `cv`, from 0.1 to 10. */
export function shapeOfCv(family: "gamma" | "weibull", cv: number): IntervalShape {
  return { family, shape: family === "gamma" ? 1 / (cv * cv) : weibullShapeOfCv(cv) };
}

/** Draws intervals with the given mean, in the mean's unit. */
export function drawIntervals({ family, shape }: IntervalShape, mean: number, chance: Chance): () => number {
  return families[family].intervals(shape, mean, chance);
}

/**
 * One draw of the time from any moment to the next arrival of a process that has run for ever (Cox, Renewal Theory,
 * 1962: the equilibrium renewal process): a uniform part of an interval that is met with a chance in proportion to its
 * length. A process that began with a whole interval instead would have (CV^2 - 1) / 2 arrivals too many.
 */
export function drawFirstInterval({ family, shape }: IntervalShape, mean: number, chance: Chance): number {
  return chance() * families[family].intervalByLength(shape, mean, chance);
}

interface Family {
  /** Draws intervals. */
  intervals(shape: number, mean: number, chance: Chance): () => number;
  /** One draw of an interval, whose chance is in proportion to its length. */
  intervalByLength(shape: number, mean: number, chance: Chance): number;
}

const families: Readonly<Record<IntervalShape["family"], Family>> = {
  exponential: {
    intervals: (_shape, mean, chance) => randomExponential.source(chance)(1 / mean),
    intervalByLength: (_shape, mean, chance) => randomGamma.source(chance)(2, mean)(),
  },
  gamma: {
    intervals: (shape, mean, chance) => randomGamma.source(chance)(shape, mean / shape),
    intervalByLength: (shape, mean, chance) => randomGamma.source(chance)(shape + 1, mean / shape)(),
  },
  weibull: {
    intervals: (shape, mean, chance) => randomWeibull.source(chance)(shape, 0, weibullScale(shape, mean)),
    // Weighted by its length, (interval / scale)^shape is gamma distributed with shape 1 + 1 / shape.
    intervalByLength: (shape, mean, chance) =>
      weibullScale(shape, mean) * randomGamma.source(chance)(1 + 1 / shape)() ** (1 / shape),
  },
};

/** Mean = scale x Γ(1 + 1 / shape). */
function weibullScale(shape: number, mean: number): number {
  return mean / Math.exp(logGamma(1 + 1 / shape));
}

/** CV^2 = Γ(1 + 2 / shape) / Γ(1 + 1 / shape)^2 - 1. */
function weibullCv(shape: number): number {
  return Math.sqrt(Math.expm1(logGamma(1 + 2 / shape) - 2 * logGamma(1 + 1 / shape)));
}

/**
 * Shapes beyond have CVs beyond 370,000 and 0.013: all requests in one instant, which no time of arrival can hold, or a
 * clockwork.
 */
export const weibullShapeLeast = 0.05;
export const weibullShapeMost = 100;

/** By halving: the larger the shape, the smaller the CV. */
function weibullShapeOfCv(cv: number): number {
  let low = weibullShapeLeast;
  let high = weibullShapeMost;
  for (let halving = 0; halving < 60; halving++) {
    const middle = Math.sqrt(low * high);
    if (weibullCv(middle) > cv) low = middle;
    else high = middle;
  }
  return Math.sqrt(low * high);
}
