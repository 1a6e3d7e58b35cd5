import type { Token } from "node-llama-cpp";
import type { LogprobToken } from "../types.ts";
import type { Vocabulary } from "./vocabulary.ts";

/** JSON has no infinity; OpenAI answers with this number for what has no probability. */
const leastLogprob = -9999;

/** A token's logprob and its alternatives, from a distribution that lists the likeliest first. */
export function logprobOf(
  token: Token,
  distribution: ReadonlyMap<Token, number>,
  alternatives: number,
  vocabulary: Vocabulary,
): LogprobToken {
  const top: LogprobToken["top"][number][] = [];
  for (const [other, probability] of distribution) {
    if (top.length >= alternatives) break;
    top.push(entry(other, probability, vocabulary));
  }
  return { ...entry(token, distribution.get(token) ?? 0, vocabulary), top };
}

function entry(token: Token, probability: number, vocabulary: Vocabulary): LogprobToken["top"][number] {
  const { bytes } = vocabulary.piece(token);
  const logprob = Math.max(leastLogprob, Math.log(probability));
  return { token: bytes.toString(), bytes: [...bytes], logprob };
}
