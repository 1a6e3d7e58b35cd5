import { parseAmount } from "../../base/index.ts";

/**
 * An exact number in lowest terms, the denominator above 0. A price by the hour of what is metered in seconds, and a part
 * of a month, have no finite decimal: so what is billed stays a fraction until its line is rounded.
 */
export interface Fraction {
  readonly numerator: bigint;
  readonly denominator: bigint;
}

/** How half a minor unit is rounded: away from zero, or to the even neighbour. */
export type Rounding = "half-up" | "half-even";

export const none: Fraction = { numerator: 0n, denominator: 1n };

/** Throws where the denominator is 0. */
export function fraction(numerator: bigint, denominator = 1n): Fraction {
  const divisor = greatestDivisor(numerator, denominator) * (denominator < 0n ? -1n : 1n);
  return { numerator: numerator / divisor, denominator: denominator / divisor };
}

export function add(a: Fraction, b: Fraction): Fraction {
  return fraction(a.numerator * b.denominator + b.numerator * a.denominator, a.denominator * b.denominator);
}

export function subtract(a: Fraction, b: Fraction): Fraction {
  return add(a, { ...b, numerator: -b.numerator });
}

export function multiply(a: Fraction, b: Fraction): Fraction {
  return fraction(a.numerator * b.numerator, a.denominator * b.denominator);
}

export function divide(a: Fraction, b: Fraction): Fraction {
  return fraction(a.numerator * b.denominator, a.denominator * b.numerator);
}

/** A percentage as a share of one. */
export function share(percent: Fraction): Fraction {
  return divide(percent, fraction(100n));
}

export function total(parts: Iterable<Fraction>): Fraction {
  let sum = none;
  for (const part of parts) sum = add(sum, part);
  return sum;
}

/** Below 0 where `a` is the smaller one, 0 where both are the same. */
export function compare(a: Fraction, b: Fraction): number {
  const difference = a.numerator * b.denominator - b.numerator * a.denominator;
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

export function smaller(a: Fraction, b: Fraction): Fraction {
  return compare(a, b) <= 0 ? a : b;
}

/** The least whole number that is not below it. */
export function ceiling({ numerator, denominator }: Fraction): bigint {
  const whole = numerator / denominator;
  return whole * denominator < numerator ? whole + 1n : whole;
}

/** A decimal string with up to 12 decimals, as prices have them; undefined where it is none. */
export function parseFraction(text: string): Fraction | undefined {
  const amount = parseAmount(text);
  return amount === undefined ? undefined : fraction(amount, 10n ** 12n);
}

/**
 * In units of 10^-`decimals`. "half-up" takes halves away from zero, as Regulation (EC) 1103/97, article 5, has sums of
 * money in euro rounded; "half-even" is roundTiesToEven of IEEE 754-2019, 4.3.1.
 */
export function round({ numerator, denominator }: Fraction, decimals: number, rounding: Rounding): bigint {
  const isNegative = numerator < 0n;
  const scaled = (isNegative ? -numerator : numerator) * 10n ** BigInt(decimals);
  const below = scaled / denominator;
  const twiceTheRest = (scaled % denominator) * 2n;
  const isUp = twiceTheRest > denominator || (twiceTheRest === denominator && (rounding === "half-up" || isOdd(below)));
  const rounded = isUp ? below + 1n : below;
  return isNegative ? -rounded : rounded;
}

/** Units of 10^-`decimals` with all of their decimals: "800.00". */
export function fixedText(units: bigint, decimals: number): string {
  const digits = (units < 0n ? -units : units).toString().padStart(decimals + 1, "0");
  const whole = digits.slice(0, digits.length - decimals);
  return `${units < 0n ? "-" : ""}${whole}${decimals === 0 ? "" : `.${digits.slice(digits.length - decimals)}`}`;
}

/** Decimals of a number that has no finite decimal. */
const cutDecimals = 18;

/** The shortest decimal of a number; where it has none, the nearest one of 18 decimals. */
export function decimalText(value: Fraction): string {
  const decimals = decimalsOf(value.denominator) ?? cutDecimals;
  const text = fixedText(round(value, decimals, "half-even"), decimals);
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

/** Whether `decimalText` loses nothing. */
export function isDecimal({ denominator }: Fraction): boolean {
  return decimalsOf(denominator) !== undefined;
}

export function fractionText({ numerator, denominator }: Fraction): string {
  return `${numerator}/${denominator}`;
}

/** How many decimals a number in lowest terms with this denominator has; undefined: more than any number. */
function decimalsOf(denominator: bigint): number | undefined {
  let [rest, twos, fives] = [denominator, 0, 0];
  for (; rest % 2n === 0n; rest /= 2n) twos++;
  for (; rest % 5n === 0n; rest /= 5n) fives++;
  return rest === 1n ? Math.max(twos, fives) : undefined;
}

function isOdd(value: bigint): boolean {
  return value % 2n !== 0n;
}

function greatestDivisor(a: bigint, b: bigint): bigint {
  let [larger, rest] = [a < 0n ? -a : a, b < 0n ? -b : b];
  while (rest !== 0n) [larger, rest] = [rest, larger % rest];
  return larger;
}
