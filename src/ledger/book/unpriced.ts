import type { UsedTokens } from "../price-book.ts";
import type { RatedBook } from "./book.ts";
import { type Dimension, skuOf } from "./quantity.ts";
import { AllTerms } from "./terms.ts";

const ofAnswers: readonly Dimension[] = ["input-tokens", "cached-read-tokens", "output-tokens", "reasoning-tokens"];
const ofEmbeddings: readonly Dimension[] = ["embedding-tokens"];

/** Says which tokens of a request a customer's bill would have no price for, by its own terms. */
export function unpricedIn(book: RatedBook): (timeMs: number, used: UsedTokens) => string | undefined {
  const terms = new AllTerms(book);
  return (timeMs, { customer, model, isEmbedding }) => {
    const held = terms.at(customer, timeMs);
    return (isEmbedding ? ofEmbeddings : ofAnswers)
      .map((dimension) => skuOf(model, dimension))
      .find((sku) => typeof terms.price(held, sku) === "string");
  };
}
