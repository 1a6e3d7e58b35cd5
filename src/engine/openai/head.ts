import { createHash } from "node:crypto";
import type { Usage } from "../../base/index.ts";
import type { GenerationEndpoint } from "./parameters.ts";

/** What every chunk of an answer begins with, and the whole answer too. */
export interface AnswerHead {
  readonly id: string;
  /** Seconds since 1970-01-01 UTC. */
  readonly created: number;
  readonly model: string;
  readonly fingerprint: string;
  /** OpenAI's `service_tier`; undefined: the request did not ask for one. */
  readonly serviceTier: string | undefined;
}

/** `request`: "req_..."; the answer's id has the same body. */
export function answerHead(
  endpoint: GenerationEndpoint,
  request: string,
  answer: { readonly nowMs: number } & Pick<AnswerHead, "model" | "fingerprint" | "serviceTier">,
): AnswerHead {
  const prefix = endpoint === "chat.completions" ? "chatcmpl" : "cmpl";
  return {
    id: `${prefix}-${request.slice(request.indexOf("_") + 1)}`,
    created: Math.floor(answer.nowMs / 1_000),
    model: answer.model,
    fingerprint: answer.fingerprint,
    serviceTier: answer.serviceTier,
  };
}

/** What an answer says of its tier: nothing, unless its request asked for one. */
export function tierFields({ serviceTier }: AnswerHead): { readonly service_tier?: string } {
  return serviceTier === undefined ? {} : { service_tier: serviceTier };
}

/** OpenAI's `system_fingerprint`: another build or other weights may answer differently under the same seed. */
export function systemFingerprint(engineBuild: string, modelSha256: string): string {
  return `fp_${createHash("sha256").update(`${engineBuild}\n${modelSha256}`).digest("hex").slice(0, 12)}`;
}

/** OpenAI's usage object, as JSON text. */
export function usageOf(usage: Usage): string {
  const { inputTokens, cachedInputTokens, outputTokens, reasoningTokens } = usage;
  return (
    `{"prompt_tokens":${inputTokens},"completion_tokens":${outputTokens},"total_tokens":${inputTokens + outputTokens},` +
    `"prompt_tokens_details":{"cached_tokens":${cachedInputTokens}},` +
    `"completion_tokens_details":{"reasoning_tokens":${reasoningTokens}}}`
  );
}
