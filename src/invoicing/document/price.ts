import {
  compare,
  decimalText,
  divide,
  type Fraction,
  fraction,
  isDecimal,
  minorUnitDecimals,
  multiply,
  round,
} from "../../ledger/index.ts";
import type { LinePrice } from "./invoice.ts";

const none = fraction(0n);

/** Prices have 12 decimals, per million of tokens too. */
const decimalsMost = 12;

/** For how many units prices are told: a token's would be all zeros, and that of a second may have no end where an hour's has. */
const basesByUnit: Readonly<Record<string, readonly bigint[]>> = { token: [1_000_000n], second: [1n, 3_600n] };

/**
 * The price of a unit, from what all of them cost: EN 16931 knows no tiers, and one price times the quantity has to be
 * the amount. Where what they cost is no price times the quantity with 12 decimals at most, it is their average, of as
 * few decimals as bring the rounded amount back.
 */
export function priceOf(full: Fraction, quantity: Fraction, unit: string | undefined, currency: string): LinePrice {
  const bases = (unit === undefined ? undefined : basesByUnit[unit]) ?? [1n];
  if (compare(quantity, none) === 0) return { amount: "0", baseQuantity: bases[0]!.toString(), isExact: true };
  for (const base of bases) {
    const price = divide(multiply(full, fraction(base)), quantity);
    const amount = decimalText(price);
    if (!isDecimal(price) || (amount.split(".")[1] ?? "").length > decimalsMost) continue;
    return { amount, baseQuantity: base.toString(), isExact: true };
  }
  return { ...averageOf(full, quantity, bases[0]!, currency), isExact: false };
}

function averageOf(full: Fraction, quantity: Fraction, base: bigint, currency: string): Omit<LinePrice, "isExact"> {
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
