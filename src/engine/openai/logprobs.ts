import type { LogprobToken } from "../types.ts";

/** Chat's shape: one entry a token, with its alternatives. */
export function chatLogprobs(tokens: readonly LogprobToken[]): object[] {
  return tokens.map((token) => ({
    token: token.token,
    logprob: token.logprob,
    bytes: token.bytes,
    top_logprobs: token.top.map((other) => ({ token: other.token, logprob: other.logprob, bytes: other.bytes })),
  }));
}

/** The legacy shape of completions: four lists side by side. `text_offset` counts characters of the answer. */
export interface LegacyLogprobs {
  tokens: string[];
  token_logprobs: number[];
  top_logprobs: Record<string, number>[] | null;
  text_offset: number[];
}

/** `offset`: where the first token begins in the answer's text. */
export function legacyLogprobs(tokens: readonly LogprobToken[], offset: number): LegacyLogprobs {
  const offsets: number[] = [];
  let at = offset;
  for (const { token } of tokens) {
    offsets.push(at);
    at += characters(token);
  }
  return {
    tokens: tokens.map(({ token }) => token),
    token_logprobs: tokens.map(({ logprob }) => logprob),
    top_logprobs: tokens.some(({ top }) => top.length > 0) ? tokens.map(alternatives) : null,
    text_offset: offsets,
  };
}

export function characters(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}

function alternatives(token: LogprobToken): Record<string, number> {
  return Object.fromEntries(token.top.map((other) => [other.token, other.logprob]));
}
