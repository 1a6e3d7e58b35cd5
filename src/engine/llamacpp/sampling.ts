import type { SequenceEvaluateOptions, Token } from "node-llama-cpp";
import type { Sampling } from "../types.ts";

/** The library's word for "choose a seed yourself" is the largest 32-bit number. */
const largestSeed = 0xffff_fffe;

/** A seed as the library takes it: 32 bits. */
export function seedOf(seed: number | undefined, entropy: (count: number) => Buffer): number {
  const bits = seed === undefined ? entropy(4).readUInt32LE() : Number(BigInt.asUintN(32, BigInt(seed)));
  return Math.min(bits, largestSeed);
}

/**
 * The library's options for a request. Penalties look at the tokens of the answer alone, as OpenAI's do; the library's
 * own list would forget all but the last 64.
 */
export function samplerOptions(
  sampling: Sampling,
  seed: number,
  generated: { readonly tokens: readonly Token[]; readonly maxTokens: number },
): SequenceEvaluateOptions {
  const { temperature, topK, topP, minP, frequencyPenalty, presencePenalty, repeatPenalty } = sampling;
  const options = temperature <= 0 ? { temperature: 0 } : { temperature, topK, topP, minP, seed };
  if (frequencyPenalty === 0 && presencePenalty === 0 && repeatPenalty === 1) return options;
  return {
    ...options,
    repeatPenalty: {
      punishTokens: () => [...generated.tokens],
      maxPunishTokens: generated.maxTokens,
      penalty: repeatPenalty,
      frequencyPenalty,
      presencePenalty,
    },
  };
}
