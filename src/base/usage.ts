/** Tokens by kind, as the engine counted them. `inputTokens` includes the cached ones, `outputTokens` the reasoning. */
export interface Usage {
  readonly inputTokens: number;
  readonly cachedInputTokens: number;
  readonly outputTokens: number;
  readonly reasoningTokens: number;
}

export const zeroUsage: Usage = { inputTokens: 0, cachedInputTokens: 0, outputTokens: 0, reasoningTokens: 0 };

/** How an answer ended. `abort`: the client left; `error`: the engine or the upstream failed. */
export type Ending = "stop" | "length" | "tool" | "abort" | "error";
