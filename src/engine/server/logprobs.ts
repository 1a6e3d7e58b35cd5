import type { LogprobToken } from "../types.ts";

interface ChatToken {
  readonly token: string;
  readonly logprob: number;
  readonly bytes?: readonly number[] | null;
  readonly top_logprobs?: readonly ChatToken[];
}

interface LegacyLogprobs {
  readonly tokens: readonly string[];
  readonly token_logprobs: readonly (number | null)[];
  readonly top_logprobs?: readonly (Readonly<Record<string, number>> | null)[] | null;
}

/** A choice's logprobs, in the shape of chats or in the older one of completions; undefined: there are none. */
export function logprobsOf(value: unknown): readonly LogprobToken[] | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  if ("content" in value && Array.isArray(value.content)) return (value.content as ChatToken[]).map(tokenOf);
  return "tokens" in value && Array.isArray(value.tokens) ? legacyTokens(value as LegacyLogprobs) : undefined;
}

function tokenOf(each: ChatToken): LogprobToken {
  return { ...alternativeOf(each), top: (each.top_logprobs ?? []).map(alternativeOf) };
}

function alternativeOf({ token, logprob, bytes }: ChatToken): Omit<LogprobToken, "top"> {
  return { token, logprob: notAboveZero(logprob), bytes: bytes ?? [...Buffer.from(token)] };
}

function legacyTokens({ tokens, token_logprobs, top_logprobs }: LegacyLogprobs): readonly LogprobToken[] {
  return tokens.map((token, index) => ({
    ...alternativeOf({ token, logprob: token_logprobs[index] ?? 0 }),
    top: Object.entries(top_logprobs?.[index] ?? {}).map(([other, logprob]) =>
      alternativeOf({ token: other, logprob }),
    ),
  }));
}

/** A probability is at most 1, whatever rounding makes of it. */
function notAboveZero(logprob: number): number {
  return Math.min(0, logprob);
}
