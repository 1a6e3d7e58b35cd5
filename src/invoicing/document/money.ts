import { type Fraction, fraction, minorUnitDecimals, parseFraction } from "../../ledger/index.ts";

/** Minor units of what `moneyText` wrote; undefined where a text is no amount, or has more decimals than its currency. */
export function minorUnits(text: string, currency: string): bigint | undefined {
  const amount = parseFraction(text);
  const unit = 10n ** BigInt(minorUnitDecimals(currency) ?? 0);
  if (amount === undefined || (amount.numerator * unit) % amount.denominator !== 0n) return undefined;
  return (amount.numerator * unit) / amount.denominator;
}

/** As above, of an invoice's own amounts, which are some, and may be below 0. */
export function unitsOf(text: string, currency: string): bigint {
  const { numerator, denominator } = decimalOf(text);
  const units = numerator * 10n ** BigInt(minorUnitDecimals(currency) ?? 0);
  if (units % denominator !== 0n) throw new RangeError(`"${text}" is no amount in ${currency}`);
  return units / denominator;
}

/** What a decimal string of an invoice says, however many decimals it has. */
export function decimalOf(text: string): Fraction {
  const [whole = "0", decimals = ""] = text.split(".");
  return fraction(BigInt(whole + decimals), 10n ** BigInt(decimals.length));
}
