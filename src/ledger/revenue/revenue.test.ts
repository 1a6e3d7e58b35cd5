import assert from "node:assert/strict";
import { test } from "node:test";
import { fixedText, type Fraction, fraction, multiply, none, round } from "../book/fraction.ts";
import { type QuarterRevenue, revenueFigures } from "./revenue.ts";

const whole = (value: number): Fraction => fraction(BigInt(value));

/** The shape of what Alibaba Cloud disclosed for the March quarter of 2026, in millions of RMB. */
const marchQuarter: QuarterRevenue = {
  aiByMonth: [whole(2_700), whole(2_900), whole(3_371)],
  otherExternal: whole(20_932),
  intersegment: whole(11_697),
  days: 90,
  yearBefore: { external: whole(21_359), segment: whole(30_127) },
};

function text(value: Fraction | undefined, decimals: number, factor = 1): string | undefined {
  return value === undefined
    ? undefined
    : fixedText(round(multiply(value, whole(factor)), decimals, "half-up"), decimals);
}

test("the golden quarter: shares of what they say, growth, and a run rate by each method", () => {
  const figures = revenueFigures(marchQuarter);
  assert.equal(text(figures.aiRevenue.value, 0), "8971");
  assert.equal(text(figures.externalRevenue.value, 0), "29903");
  assert.equal(text(figures.segmentRevenue.value, 0), "41600");
  assert.equal(text(figures.aiShareOfExternal.value, 0, 100), "30");
  assert.equal(text(figures.aiShareOfSegment.value, 1, 100), "21.6");
  assert.equal(text(figures.externalGrowth.value, 0, 100), "40");
  assert.equal(text(figures.segmentGrowth.value, 0, 100), "38");
  assert.equal(text(figures.runRateByQuarter.value, 0), "35884");
  assert.equal(text(figures.runRateByLastMonth.value, 0), "40452");
  assert.equal(text(figures.runRateByDays.value, 0), "36382");
});

test("each figure names its definition, and each share its denominator, which is a figure too", () => {
  const figures = Object.values(revenueFigures(marchQuarter)).map(({ definition }) => definition);
  const ids = figures.map(({ id }) => id);
  assert.equal(new Set(ids).size, ids.length);
  for (const { id, version, text, denominator } of figures) {
    assert.ok(version >= 1 && text.length > 0, id);
    assert.equal(/share/.test(id), denominator !== undefined, id);
    if (denominator !== undefined) assert.ok(ids.includes(denominator), denominator);
  }
});

test("a share of nothing, and growth on an unknown year, are none and not 0", () => {
  const idle = {
    ...marchQuarter,
    aiByMonth: [none, none, none] as const,
    otherExternal: none,
    intersegment: none,
    yearBefore: undefined,
  };
  const { aiShareOfExternal, externalGrowth, runRateByQuarter } = revenueFigures(idle);
  assert.deepEqual(
    [aiShareOfExternal.value, externalGrowth.value, runRateByQuarter.value],
    [undefined, undefined, none],
  );
  assert.equal(
    revenueFigures({ ...marchQuarter, yearBefore: { external: none, segment: none } }).externalGrowth.value,
    undefined,
  );
});
