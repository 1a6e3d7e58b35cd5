import { type Amount, parseAmount } from "../../base/index.ts";
import type { PriceVersion } from "../price-book.ts";
import type { RatedBook, SkuPrice } from "./book.ts";
import { Calendar } from "./calendar.ts";
import { minorUnitDecimals } from "./currency.ts";
import { type Fraction, fraction, none } from "./fraction.ts";
import { type Dimension, skuOf } from "./quantity.ts";

/**
 * The settings' prices as a price book: months in UTC, unit prices by kind of token, no contracts and no tax. Throws where their currency
 * is none of ISO 4217: nobody could pay in it.
 */
export function listBook(versions: readonly PriceVersion[]): RatedBook {
  const currency = versions[0]?.currency ?? "EUR";
  if (minorUnitDecimals(currency) === undefined) throw new RangeError(`${currency} is no currency of ISO 4217`);
  const begun = versions
    .map((version) => ({ ...version, fromMs: Date.parse(version.effectiveFrom) }))
    .toSorted((a, b) => a.fromMs - b.fromMs);
  return {
    name: "settings",
    currency,
    calendar: new Calendar("UTC", "month"),
    rounding: "half-up",
    offPeak: undefined,
    list: begun.map(({ version, fromMs, models }, index) => ({
      version,
      fromMs,
      toMs: begun[index + 1]?.fromMs ?? Infinity,
      prices: new Map(Object.entries(models).flatMap(([model, price]) => pricesOf(model, price))),
    })),
    contracts: new Map(),
    taxes: [],
    jurisdiction: undefined,
    customers: new Map(),
  };
}

/** The same, as its file would have it. */
export function listDocument(versions: readonly PriceVersion[]): object {
  return {
    currency: versions[0]?.currency ?? "EUR",
    versions: versions.map(({ version, effectiveFrom, models }) => ({
      version,
      effectiveFrom,
      prices: Object.entries(models).flatMap(([model, price]) =>
        perMillionOf(price).map(([dimension, pricePerMillion]) => ({ sku: skuOf(model, dimension), pricePerMillion })),
      ),
    })),
  };
}

type ModelPrice = PriceVersion["models"][string];

function pricesOf(model: string, price: ModelPrice): readonly (readonly [string, SkuPrice])[] {
  return perMillionOf(price).map(([dimension, perMillion]) => [skuOf(model, dimension), unitPrice(perMillion)]);
}

/** As a request is priced: cached input as input, and reasoning as output, where they have no price of their own. */
function perMillionOf(price: ModelPrice): readonly (readonly [Dimension, string])[] {
  const { inputPerMillion, outputPerMillion } = price;
  return [
    ["input-tokens", inputPerMillion],
    ["embedding-tokens", inputPerMillion],
    ["cached-read-tokens", price.cachedInputPerMillion ?? inputPerMillion],
    ["output-tokens", outputPerMillion],
    ["reasoning-tokens", price.reasoningPerMillion ?? outputPerMillion],
  ];
}

function unitPrice(perMillion: string): SkuPrice {
  const price: Fraction = fraction(parseAmount(perMillion) as Amount, 10n ** 18n);
  return {
    model: { kind: "unit", unitPrice: price },
    freeGrant: none,
    batchDiscount: none,
    offPeakDiscount: none,
    minimum: none,
  };
}
