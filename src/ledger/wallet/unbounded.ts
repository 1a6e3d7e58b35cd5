import type { RatedBook, SkuPrice } from "../book/book.ts";
import type { ChargeModel } from "../book/charge.ts";
import { compare, fraction, none } from "../book/fraction.ts";
import { perMillion, priceOf } from "../book/list-prices.ts";
import { type Dimension, skuOf } from "../book/quantity.ts";
import { AllTerms, type Terms } from "../book/terms.ts";
import type { Price } from "../price-book.ts";

/** What requests use, and as what of a price each is listed. */
const listedAs = {
  "input-tokens": "inputPerMillion",
  "embedding-tokens": "inputPerMillion",
  "cached-read-tokens": "cachedInputPerMillion",
  "output-tokens": "outputPerMillion",
  "reasoning-tokens": "reasoningPerMillion",
} as const satisfies Partial<Record<Dimension, keyof Price>>;

/**
 * Why requests of a customer may cost more on its bill than they are listed at, from a moment on. A prepaid wallet sets aside what
 * requests are listed at, so such a customer could use more than it has. None: they cannot.
 */
export function unboundedFor(book: RatedBook, customer: string, fromMs: number): readonly string[] {
  const all = new AllTerms(book);
  const reasons = all.of(customer).flatMap((terms) => (terms.toMs <= fromMs ? [] : reasonsIn(terms, book, all)));
  return [...new Set(reasons)];
}

function reasonsIn(terms: Terms, book: RatedBook, all: AllTerms): readonly string[] {
  const { contract, list } = terms;
  // Without a list price nothing runs that a wallet has to pay for.
  if (list === undefined) return [];
  if (contract !== undefined && contract.currency !== book.currency) {
    return [`${contract.contract} is billed in ${contract.currency}, and requests are listed in ${book.currency}`];
  }
  const skus = [...(contract?.prices.keys() ?? []), ...list.prices.keys()];
  const products = new Set(skus.map((sku) => sku.slice(0, sku.lastIndexOf("/"))));
  return [...products].flatMap((product) => {
    const listed = priceOf(list, product, book.currency);
    if (listed === undefined) return [];
    return (Object.keys(listedAs) as (keyof typeof listedAs)[]).flatMap((dimension) => {
      const sku = skuOf(product, dimension);
      const found = all.price(terms, sku);
      if (typeof found === "string") return [];
      const { price, isContract } = found;
      const jumps = jumpsOf(price);
      if (jumps !== undefined) return [`${sku} ${jumps}`];
      if (perMillion(price.model) <= listed[listedAs[dimension]]) return [];
      return [`${sku} costs more ${isContract ? `by ${contract!.contract} ` : ""}than a request is listed at`];
    });
  });
}

/** Where one unit more may cost more than the dearest unit. */
function jumpsOf({ model, minimum }: SkuPrice): string | undefined {
  if (compare(minimum, none) > 0) return "has a minimum";
  if (model.kind === "package" && compare(model.size, fraction(1n)) > 0) return "is priced by begun packages";
  return hasJumps(model) ? "has tiers that cost something once they are reached" : undefined;
}

function hasJumps(model: ChargeModel): boolean {
  if (model.kind === "unit" || model.kind === "package") return false;
  const { kind, tiers } = model;
  // By volume all units cost what the tier costs that the last one reaches.
  const rises = tiers.some(({ unitPrice }, at) => at > 0 && compare(unitPrice, tiers[at - 1]!.unitPrice) > 0);
  return tiers.some(({ flatFee }) => compare(flatFee, none) > 0) || (kind === "volume" && rises);
}
