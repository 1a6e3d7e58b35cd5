import { add, divide, type Fraction, fraction, multiply, subtract, total } from "../book/fraction.ts";
import { type Definition, definitions, type FigureName } from "./definitions.ts";

/** A quarter's revenue, in one currency and one unit. */
export interface QuarterRevenue {
  /** External, by month, from products tagged AI. */
  readonly aiByMonth: readonly [Fraction, Fraction, Fraction];
  /** External, from all other products. */
  readonly otherExternal: Fraction;
  readonly intersegment: Fraction;
  /** 90 to 92. */
  readonly days: number;
  /** Of the same quarter a year before; undefined where there was none, or nothing is known of it. */
  readonly yearBefore: { readonly external: Fraction; readonly segment: Fraction } | undefined;
}

export interface Figure {
  readonly definition: Definition;
  /** Exact; undefined where it would be a share of nothing, or nothing is known of the year before: it is then none, not 0. */
  readonly value: Fraction | undefined;
}

/** Every figure that is disclosed of a quarter, each with the definition that it follows. */
export function revenueFigures(quarter: QuarterRevenue): Readonly<Record<FigureName, Figure>> {
  const { aiByMonth, otherExternal, intersegment, days, yearBefore } = quarter;
  const ai = total(aiByMonth);
  const external = add(ai, otherExternal);
  const segment = add(external, intersegment);
  const figure = (name: FigureName, value: Fraction | undefined): Figure => ({ definition: definitions[name], value });
  return {
    aiRevenue: figure("aiRevenue", ai),
    externalRevenue: figure("externalRevenue", external),
    segmentRevenue: figure("segmentRevenue", segment),
    aiShareOfExternal: figure("aiShareOfExternal", shareOf(ai, external)),
    aiShareOfSegment: figure("aiShareOfSegment", shareOf(ai, segment)),
    externalGrowth: figure("externalGrowth", growth(external, yearBefore?.external)),
    segmentGrowth: figure("segmentGrowth", growth(segment, yearBefore?.segment)),
    runRateByQuarter: figure("runRateByQuarter", multiply(ai, fraction(4n))),
    runRateByLastMonth: figure("runRateByLastMonth", multiply(aiByMonth[2], fraction(12n))),
    runRateByDays: figure("runRateByDays", multiply(ai, fraction(365n, BigInt(days)))),
  };
}

function shareOf(part: Fraction, whole: Fraction | undefined): Fraction | undefined {
  return whole === undefined || whole.numerator === 0n ? undefined : divide(part, whole);
}

function growth(now: Fraction, before: Fraction | undefined): Fraction | undefined {
  const ratio = shareOf(now, before);
  return ratio === undefined ? undefined : subtract(ratio, fraction(1n));
}
