/**
 * Money is a bigint in units of 10^-12 of a currency, so that sums are exact and a token's price needs no rounding.
 * On the wire and in files it is a decimal string; in PostgreSQL `numeric`. A float never touches it.
 */
export type Amount = bigint & { readonly amount: unique symbol };

const scale = 12;
const one = 10n ** 12n;
const pattern = /^-?\d{1,18}(?:\.\d{1,12})?$/;

export const zero = 0n as Amount;

/** Reads a decimal string that somebody wrote, such as "12.5"; undefined where it is not one, has more than 12 decimals, or is 10^18 or more. */
export function parseAmount(text: string): Amount | undefined {
  return pattern.test(text) ? readAmount(text) : undefined;
}

/** Reads a decimal string that a sum came to, such as the database's: however large it is. Throws where it is none, or has more than 12 decimals. */
export function readAmount(text: string): Amount {
  const [, sign, whole = "0", fraction = ""] = /^(-?)(\d+)(?:\.(\d{1,12}))?$/.exec(text) ?? [];
  if (sign === undefined) throw new RangeError(`${JSON.stringify(text)} is no amount`);
  const units = BigInt(whole) * one + BigInt(fraction.padEnd(scale, "0"));
  return (sign === "-" ? -units : units) as Amount;
}

/** The shortest decimal string of an amount: "0.0005", "12", "-3.25". */
export function formatAmount(amount: bigint): string {
  const magnitude = amount < 0n ? -amount : amount;
  const fraction = (magnitude % one).toString().padStart(scale, "0").replace(/0+$/, "");
  return `${amount < 0n ? "-" : ""}${magnitude / one}${fraction === "" ? "" : `.${fraction}`}`;
}

/** An amount's exact share: `quantity` units at a price per million, in units of 10^-18, which no rounding touches. */
export type Exact = bigint & { readonly exact: unique symbol };

/** `quantity` x `pricePerMillion` / 1,000,000 with nothing lost: the result has 18 decimals. */
export function priceExactly(quantity: number, pricePerMillion: Amount): Exact {
  return (BigInt(quantity) * pricePerMillion) as Exact;
}

/** Reads a decimal string with up to 18 decimals, as `formatExact` writes it; what is behind them is cut off. */
export function parseExact(text: string): Exact {
  const [whole = "0", fraction = ""] = text.split(".");
  return (BigInt(readAmount(whole)) * 10n ** 6n + BigInt(fraction.padEnd(18, "0").slice(0, 18))) as Exact;
}

/** The shortest decimal string of an exact product (18 decimals). */
export function formatExact(exact: bigint): string {
  const magnitude = exact < 0n ? -exact : exact;
  // Of the digits alone: a price is written for every request, and dividing large numbers takes longer.
  const digits = magnitude.toString().padStart(19, "0");
  let end = digits.length;
  while (digits.charCodeAt(end - 1) === zeroDigit && end > digits.length - 18) end--;
  const whole = digits.slice(0, -18);
  const fraction = digits.slice(digits.length - 18, end);
  return `${exact < 0n ? "-" : ""}${whole}${fraction === "" ? "" : `.${fraction}`}`;
}

const zeroDigit = 0x30;
