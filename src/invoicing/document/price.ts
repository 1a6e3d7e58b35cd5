import {
  compare,
  decimalText,
  divide,
  type Fraction,
  fraction,
  minorUnitDecimals,
  multiply,
  round,
  subtract,
} from "../../ledger/index.ts";
import type { LinePrice } from "./invoice.ts";
import { decimalOf } from "./money.ts";

const none = fraction(0n);

/** Prices have 12 decimals, per million of tokens too. */
export const priceDecimalsMost = 12;

/** For how many units prices are told: a token's would be all zeros, and that of a second may have no end where an hour's has. */
const basesByUnit: Readonly<Record<string, readonly bigint[]>> = { token: [1_000_000n], second: [1n, 3_600n] };

/** What was charged for, and what all of it costs. */
export interface Sold {
  readonly full: Fraction;
  /** By how much `full` may differ from what it was. */
  readonly cut: Fraction;
  readonly quantity: Fraction;
  readonly unit: string | undefined;
  readonly currency: string;
}

/**
 * Whether no price of 0 or more times the quantity is what it comes to. So it can be with late usage, which changes what earlier usage
 * costs: a commitment falls away, or all units are of a cheaper tier.
 */
export function isUnpriced({ full, quantity }: Pick<Sold, "full" | "quantity">): boolean {
  return compare(full, none) !== 0 && compare(multiply(full, quantity), none) <= 0;
}

/**
 * The price of a unit, from what all of them cost: EN 16931 knows no tiers, and one price times the quantity has to be
 * the amount. Where what they cost is no price times the quantity with 12 decimals at most, it is their average, of as
 * few decimals as bring the rounded amount back. 0 where there is no price at all.
 */
export function priceOf(sold: Sold): LinePrice {
  const { quantity, unit } = sold;
  const bases = (unit === undefined ? undefined : basesByUnit[unit]) ?? [1n];
  if (compare(quantity, none) === 0 || isUnpriced(sold))
    return { amount: "0", baseQuantity: bases[0]!.toString(), isExact: true };
  // What was kept is what it was, nearly always: only where it has no price, that is sought beside it.
  for (const cut of [none, sold.cut]) {
    for (const base of bases) {
      const amount = onlyPrice({ ...sold, cut }, base);
      if (amount !== undefined) return { amount, baseQuantity: base.toString(), isExact: true };
    }
  }
  return { ...averageOf(sold, bases[0]!), isExact: false };
}

/** What a quantity costs at a price. */
export function costAt({ amount, baseQuantity }: LinePrice, quantity: Fraction): Fraction {
  return divide(multiply(decimalOf(amount), quantity), decimalOf(baseQuantity));
}

/** The shortest price that all units have had, as far as what they cost is known; undefined where there is none. */
function onlyPrice({ full, cut, quantity }: Sold, base: bigint): string | undefined {
  const price = divide(multiply(full, fraction(base)), quantity);
  const most = absolute(divide(multiply(cut, fraction(base)), quantity));
  for (let decimals = 0; decimals <= priceDecimalsMost; decimals++) {
    const near = fraction(round(price, decimals, "half-up"), 10n ** BigInt(decimals));
    if (compare(absolute(subtract(near, price)), most) <= 0) return decimalText(near);
  }
  return undefined;
}

function absolute({ numerator, denominator }: Fraction): Fraction {
  return { numerator: numerator < 0n ? -numerator : numerator, denominator };
}

function averageOf({ full, quantity, currency }: Sold, base: bigint): Omit<LinePrice, "isExact"> {
  const rounded = roundedUp(full, currency);
  // From the rounded amount, which is nowhere near a half: so some number of decimals is enough.
  const target = fraction(rounded, 10n ** BigInt(minorUnitDecimals(currency)!));
  const exact = divide(multiply(target, fraction(base)), quantity);
  for (let decimals = 2; ; decimals++) {
    const price = { amount: priceText(exact, decimals), baseQuantity: base.toString() };
    if (productOf(round(exact, decimals, "half-up"), decimals, quantity, base, currency) === rounded) return price;
  }
}

function productOf(price: bigint, decimals: number, quantity: Fraction, base: bigint, currency: string): bigint {
  return roundedUp(multiply(fraction(price, 10n ** BigInt(decimals) * base), quantity), currency);
}

function priceText(value: Fraction, decimals: number): string {
  return decimalText(fraction(round(value, decimals, "half-up"), 10n ** BigInt(decimals)));
}

/** As validators round (XPath's round): halves up, whatever a price book says of its lines. */
export function roundedUp(value: Fraction, currency: string): bigint {
  return round(value, minorUnitDecimals(currency)!, "half-up");
}
