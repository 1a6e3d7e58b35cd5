import { z } from "zod";
import type { RequestId } from "../base/index.ts";
import type { Counted } from "../engine/index.ts";

/** No answer has more: what a host says beyond it is no count, and a sum of such would be none. */
const tokensMax = 2 ** 31 - 1;

const tokens = z.int().min(0).max(tokensMax);

const counts = z.object({
  request: z.string(),
  usage: z
    .object({ inputTokens: tokens, cachedInputTokens: tokens, outputTokens: tokens, reasoningTokens: tokens })
    .refine(({ inputTokens, cachedInputTokens }) => cachedInputTokens <= inputTokens)
    .refine(({ outputTokens, reasoningTokens }) => reasoningTokens <= outputTokens),
  ending: z.enum(["stop", "length", "tool", "abort", "error"]),
});

/**
 * What a host says that a request used: somebody else's text, which is read before a bill stands on it. "unreadable": it
 * is of another request, or no counts.
 */
export function countsToldOf(request: RequestId, said: unknown): Counted | "unreadable" {
  const read = counts.safeParse(said);
  if (!read.success || read.data.request !== request) return "unreadable";
  const { usage, ending } = read.data;
  return { usage, ending };
}
