import type { Usage } from "../base/index.ts";
import { objectOf, type Said } from "./said.ts";

/** Reads a usage object of an endpoint's answers; undefined where it holds no counts. */
export type ReadUsage = (found: Said) => Usage | undefined;

export const openaiUsage: ReadUsage = (found) =>
  countsOf(found, {
    input: "prompt_tokens",
    output: "completion_tokens",
    inputDetails: "prompt_tokens_details",
    outputDetails: "completion_tokens_details",
  });

export const responsesUsage: ReadUsage = (found) =>
  countsOf(found, {
    input: "input_tokens",
    output: "output_tokens",
    inputDetails: "input_tokens_details",
    outputDetails: "output_tokens_details",
  });

interface UsageFields {
  readonly input: string;
  readonly output: string;
  readonly inputDetails: string;
  readonly outputDetails: string;
}

function countsOf(found: Said, fields: UsageFields): Usage | undefined {
  const inputTokens = count(found[fields.input]);
  // Embeddings generate nothing and may leave the output out.
  const outputTokens = found[fields.output] === undefined ? 0 : count(found[fields.output]);
  if (inputTokens === undefined || outputTokens === undefined) return undefined;
  return bounded({
    inputTokens,
    cachedInputTokens: count(objectOf(found[fields.inputDetails])["cached_tokens"]) ?? 0,
    outputTokens,
    reasoningTokens: count(objectOf(found[fields.outputDetails])["reasoning_tokens"]) ?? 0,
  });
}

/** Anthropic counts cached input beside `input_tokens`; here `inputTokens` includes it. */
export function anthropicUsage(found: Said): Usage | undefined {
  const fresh = count(found["input_tokens"]);
  const outputTokens = count(found["output_tokens"]);
  if (fresh === undefined || outputTokens === undefined) return undefined;
  const cached = count(found["cache_read_input_tokens"]) ?? 0;
  const written = count(found["cache_creation_input_tokens"]) ?? 0;
  return { inputTokens: fresh + cached + written, cachedInputTokens: cached, outputTokens, reasoningTokens: 0 };
}

/** A part is never more than its whole, whatever an upstream says. */
function bounded(usage: Usage): Usage {
  return {
    ...usage,
    cachedInputTokens: Math.min(usage.cachedInputTokens, usage.inputTokens),
    reasoningTokens: Math.min(usage.reasoningTokens, usage.outputTokens),
  };
}

/** No answer has more: a larger number is an upstream's slip, and a sum of them would be none. */
const tokensMax = 2 ** 31 - 1;

function count(value: unknown): number | undefined {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= tokensMax ? value : undefined;
}
