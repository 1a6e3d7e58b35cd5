import assert from "node:assert/strict";
import { test } from "node:test";
import { chanceStreams } from "./chance.ts";
import { drawTokens, type LengthKind, type Side } from "./lengths.ts";
import { mean, near } from "./testing.ts";

function drawn(kind: LengthKind, side: Side, factor = 1): readonly number[] {
  const draw = drawTokens(kind, side, factor, chanceStreams(31)());
  return Array.from({ length: 200_000 }, () => draw());
}

/** Of all 504 requests of aegaeon-synth-48-0.1-1.0-1.0.csv: see lengths.ts. */
const trace = { input: { mean: 675.99, median: 543 }, output: { mean: 295.18, median: 266 } } as const;

test("lengths have the trace's mean within 3 %, and its median, whichever way they are drawn", () => {
  for (const side of ["input", "output"] as const) {
    for (const kind of ["trace", "lognormal"] as const) {
      const lengths = drawn(kind, side);
      near(mean(lengths), trace[side].mean, 0.03);
      near(lengths.toSorted((a, b) => a - b)[lengths.length >> 1]!, trace[side].median, 0.02);
    }
  }
});

test("lengths are whole and at least one, also where the factor is small; a factor is a factor", () => {
  for (const kind of ["trace", "lognormal"] as const) {
    const short = drawn(kind, "input", 0.01);
    assert.ok(short.every((tokens) => Number.isInteger(tokens) && tokens >= 1));
    near(mean(drawn(kind, "output", 2)), 2 * trace.output.mean, 0.03);
  }
});

test("the tail is the trace's: one input in 500 is longer than 3,209 tokens, none than 11,630", () => {
  const lengths = drawn("trace", "input");
  near(lengths.filter((tokens) => tokens > 3209).length / lengths.length, 0.002, 0.15);
  const longest = lengths.reduce((most, tokens) => Math.max(most, tokens), 0);
  assert.ok(longest > 11_000 && longest <= 11_630, String(longest));
});
