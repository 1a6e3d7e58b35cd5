import { decimalText, type Fraction, fraction } from "./fraction.ts";

/** What was used, in units of 10^-9 of a token, a second, a seat: sums are exact, in whatever order. */
export type Quantity = bigint & { readonly quantity: unique symbol };

const one = 10n ** 9n;
const pattern = /^(\d{1,15})(?:\.(\d{1,9}))?$/;

/** A decimal string from 0 with at most 15 digits before its point and 9 behind; undefined where it is none. */
export function parseQuantity(text: string): Quantity | undefined {
  const [, whole, decimals = ""] = pattern.exec(text) ?? [];
  if (whole === undefined) return undefined;
  return (BigInt(whole) * one + (decimals === "" ? 0n : BigInt(decimals.padEnd(9, "0")))) as Quantity;
}

/** Units of 10^-9 as a decimal string. */
export function quantityText(units: bigint): string {
  return decimalText(quantityFraction(units));
}

export function quantityFraction(quantity: bigint): Fraction {
  return fraction(quantity, one);
}

/**
 * What is metered, the last part of a SKU's name, and in which unit. Tokens by kind exclude one another: what was read
 * from the prefix cache is no input here, and reasoning no output, so that each token has one price.
 */
export const dimensions = {
  "input-tokens": "token",
  "cached-read-tokens": "token",
  "cache-write-tokens": "token",
  "output-tokens": "token",
  "reasoning-tokens": "token",
  "embedding-tokens": "token",
  "training-tokens": "token",
  "accelerator-seconds": "second",
  "storage-gib-hours": "GiB-hour",
  seats: "seat",
} as const;

export type Dimension = keyof typeof dimensions;

/** The SKU of a product's dimension: a model's, or an accelerator type's. */
export function skuOf(product: string, dimension: Dimension): string {
  return `${product}/${dimension}`;
}

/** Whether somebody can have used so much of a SKU: of tokens there are no parts, where a seat or a second can be used for a part of it. */
export function canBeUsed(sku: string, quantity: Quantity): boolean {
  return unitOf(sku) !== "token" || quantity % one === 0n;
}

/** The unit that a SKU is metered in; undefined where its name ends in no dimension that is known here. */
export function unitOf(sku: string): string | undefined {
  const units: Readonly<Record<string, string>> = dimensions;
  const dimension = sku.slice(sku.lastIndexOf("/") + 1);
  return Object.hasOwn(units, dimension) ? units[dimension] : undefined;
}
