import type { SimulatedRequest } from "../outcome.ts";

/** A request with what matters here. */
export interface Wish {
  readonly atMs: number;
  readonly ttftMs: number;
  readonly tpotMs: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** Absent: the same for all. */
  readonly model?: string;
}

/** In the order of their arrival. */
export function requestsOf(wishes: readonly Wish[]): SimulatedRequest[] {
  return wishes
    .toSorted((a, b) => a.atMs - b.atMs)
    .map(({ atMs, ttftMs, tpotMs, inputTokens, outputTokens, model = "m" }, index) => ({
      id: `r${index}`,
      model,
      tenant: "t",
      objective: { ttftMs, tpotMs },
      inputTokens,
      outputTokens,
      maxOutputTokens: outputTokens,
      atMs,
    }));
}
