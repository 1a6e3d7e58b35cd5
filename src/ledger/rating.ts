import { type Exact, priceExactly, type Usage } from "../base/index.ts";
import type { Price } from "./price-book.ts";

/** What the tokens of one request cost, exactly: cached input and reasoning at their own prices, nothing rounded. */
export function rate(usage: Usage, price: Price): Exact {
  const { inputTokens, cachedInputTokens, outputTokens, reasoningTokens } = usage;
  return (priceExactly(inputTokens - cachedInputTokens, price.inputPerMillion) +
    priceExactly(cachedInputTokens, price.cachedInputPerMillion) +
    priceExactly(outputTokens - reasoningTokens, price.outputPerMillion) +
    priceExactly(reasoningTokens, price.reasoningPerMillion)) as Exact;
}

/** The most tokens that a request can use. */
export interface TokenBound {
  readonly inputTokens: number;
  readonly outputTokens: number;
}

/** The most that a request within its bound can cost: every token at the dearest price of its direction. */
export function bound({ inputTokens, outputTokens }: TokenBound, price: Price): Exact {
  const dearestInput = larger(price.inputPerMillion, price.cachedInputPerMillion);
  const dearestOutput = larger(price.outputPerMillion, price.reasoningPerMillion);
  return (priceExactly(inputTokens, dearestInput) + priceExactly(outputTokens, dearestOutput)) as Exact;
}

function larger<Value extends bigint>(a: Value, b: Value): Value {
  return a > b ? a : b;
}
