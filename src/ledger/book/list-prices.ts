import type { Amount } from "../../base/index.ts";
import type { Price, PriceBook } from "../price-book.ts";
import type { BookVersion, RatedBook } from "./book.ts";
import type { ChargeModel } from "./charge.ts";
import { ceiling, compare, divide, type Fraction, fraction, multiply, none } from "./fraction.ts";
import { type Dimension, skuOf } from "./quantity.ts";
import { unpricedIn } from "./unpriced.ts";

/**
 * What a single request is listed at by a price book: its list's unit prices. Of tiers it is the dearest, of packages the price of a unit in a
 * full one; contracts, grants and discounts count on the bill alone. Where a model has no price for a kind of token, of cached input and
 * of reasoning it is that of what they are part of; without one of input and output, or of embeddings, there is none.
 */
export function listPrices(book: RatedBook): PriceBook {
  const { currency, list } = book;
  const known = new Map<BookVersion, Map<string, Price | undefined>>();
  return {
    currency,
    unpriced: unpricedIn(book),
    at(timeMs, model) {
      const version = list.find(({ fromMs, toMs }) => fromMs <= timeMs && timeMs < toMs);
      if (version === undefined) return undefined;
      let prices = known.get(version);
      if (prices === undefined) known.set(version, (prices = new Map()));
      if (!prices.has(model)) {
        if (prices.size >= modelsKept) prices.clear();
        prices.set(model, priceOf(version, model, currency));
      }
      return prices.get(model);
    },
  };
}

/** A client may ask for a model of any name. */
const modelsKept = 10_000;

/** What requests for a model are listed at; undefined: not at all. */
export function priceOf(version: BookVersion, model: string, currency: string): Price | undefined {
  const of = (dimension: Dimension): Amount | undefined => {
    const price = version.prices.get(skuOf(model, dimension)) ?? version.prices.get(skuOf("*", dimension));
    return price === undefined ? undefined : perMillion(price.model);
  };
  const [input, output, embedding] = [of("input-tokens"), of("output-tokens"), of("embedding-tokens")];
  const isChat = input !== undefined && output !== undefined;
  if (!isChat && embedding === undefined) return undefined;
  const [inputPerMillion, outputPerMillion] = isChat ? [input, output] : [embedding!, 0n as Amount];
  return {
    version: version.version,
    currency,
    inputPerMillion,
    cachedInputPerMillion: of("cached-read-tokens") ?? inputPerMillion,
    outputPerMillion,
    reasoningPerMillion: of("reasoning-tokens") ?? outputPerMillion,
  };
}

/** With 12 decimals; what has more is rounded up. */
export function perMillion(model: ChargeModel): Amount {
  return ceiling(multiply(unitPriceOf(model), fraction(10n ** 18n))) as Amount;
}

function unitPriceOf(model: ChargeModel): Fraction {
  if (model.kind === "unit") return model.unitPrice;
  if (model.kind === "package") return divide(model.price, model.size);
  return model.tiers.reduce((dearest, { unitPrice }) => (compare(unitPrice, dearest) > 0 ? unitPrice : dearest), none);
}
