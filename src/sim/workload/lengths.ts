import { randomLogNormal } from "d3-random";
import type { Chance } from "./chance.ts";

export type LengthKind = "trace" | "lognormal";
export type Side = "input" | "output";

interface LengthFacts {
  /** Tokens at each of `shares`, lowest first. */
  readonly quantiles: readonly number[];
  readonly lognormal: { readonly medianTokens: number; readonly sigma: number };
}

/** The shares of requests that are at most as long as the quantile beside it. */
const shares = [
  0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 0.975, 0.99, 0.995, 0.998, 1,
];

/**
 * Measured from the 504 requests of aegaeon-synth-48-0.1-1.0-1.0.csv (linear between neighbours, rounded), which the
 * project MachineLearningSystem/25SOSP-Aegaeon publishes at commit 1c3b110 (Xiang et al., "Aegaeon: Effective GPU
 * Pooling for Concurrent LLM Serving on the Market", SOSP 2025). Means there: 676.0 tokens in, 295.2 out; the two are
 * not correlated (0.04). The lognormal has the trace's median and its mean: sigma^2 = 2 ln(mean / median).
 */
const facts: Readonly<Record<Side, LengthFacts>> = {
  input: {
    quantiles: [
      1, 7, 14, 25, 57, 127, 193, 376, 543, 754, 960, 1052, 1206, 1312, 1504, 1694, 1874, 2128, 2433, 3209, 11_630,
    ],
    lognormal: { medianTokens: 543, sigma: 0.662 },
  },
  output: {
    quantiles: [16, 28, 48, 72, 103, 129, 158, 211, 266, 309, 365, 407, 446, 500, 566, 766, 856, 991, 1071, 1095, 1309],
    lognormal: { medianTokens: 266, sigma: 0.456 },
  },
};

/** Draws lengths in tokens, `factor` times as long as the trace's, whole and at least one. */
export function drawTokens(kind: LengthKind, side: Side, factor: number, chance: Chance): () => number {
  const { quantiles, lognormal } = facts[side];
  if (kind === "trace") return () => wholeTokens(factor * quantileAt(quantiles, chance()));
  const draw = randomLogNormal.source(chance)(Math.log(lognormal.medianTokens * factor), lognormal.sigma);
  return () => wholeTokens(draw());
}

export function describeLengths(kind: LengthKind): string {
  if (kind === "trace") return "lengths as in Aegaeon's synthetic trace (21 quantiles, linear between them)";
  const { input, output } = facts;
  return (
    `lognormal lengths with the median and the mean of Aegaeon's synthetic trace ` +
    `(input: median ${input.lognormal.medianTokens}, sigma ${input.lognormal.sigma}; ` +
    `output: median ${output.lognormal.medianTokens}, sigma ${output.lognormal.sigma})`
  );
}

/** The length that this share of the requests does not exceed, linear between two quantiles. */
function quantileAt(quantiles: readonly number[], share: number): number {
  let upper = 1;
  while (shares[upper]! <= share) upper++;
  const from = shares[upper - 1]!;
  const fraction = (share - from) / (shares[upper]! - from);
  return quantiles[upper - 1]! + fraction * (quantiles[upper]! - quantiles[upper - 1]!);
}

function wholeTokens(tokens: number): number {
  return Math.max(1, Math.round(tokens));
}
