import { type Dimension, type Quantity, skuOf, type UsageEvent } from "../ledger/index.ts";
import type { UsedTokens } from "../store/index.ts";
import type { Arriving } from "./accruing.ts";

const unit = 10n ** 9n;

/** Tokens of served requests as usage of SKUs. */
export function servedUsage(used: readonly UsedTokens[]): readonly Arriving[] {
  return used.flatMap((each) => {
    const event = {
      customer: each.organisation,
      atMs: each.atMs,
      isBatch: each.isBatch,
      events: each.requests,
      ...(each.request === undefined ? {} : { reference: each.request }),
    };
    return quantitiesOf(each)
      .filter(([, quantity]) => quantity !== 0n)
      .map(([dimension, quantity]): Arriving => ({ ...event, sku: skuOf(each.model, dimension), quantity }));
  });
}

/** What nobody has counted is unknown in each direction. */
function quantitiesOf({ isEmbedding, tokens }: UsedTokens): readonly (readonly [Dimension, UsageEvent["quantity"]])[] {
  const input = isEmbedding ? "embedding-tokens" : "input-tokens";
  if (tokens === undefined) {
    const unknown: readonly Dimension[] = isEmbedding ? [input] : [input, "output-tokens"];
    return unknown.map((dimension) => [dimension, undefined] as const);
  }
  const of = (count: bigint): Quantity => (count * unit) as Quantity;
  return [
    [input, of(tokens.inputTokens)],
    ["cached-read-tokens", of(tokens.cachedInputTokens)],
    ["output-tokens", of(tokens.outputTokens)],
    ["reasoning-tokens", of(tokens.reasoningTokens)],
  ];
}
