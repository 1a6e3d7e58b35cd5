import type { SimulatedRequest } from "../outcome.ts";
import type { TokenCosts } from "./costs.ts";

/** More than an `Outcome` forgives, and than doubles lose. */
const toleranceMs = 1e-5;

/** A request as work: so many tokens, one after the other, each due a little later than the one before. */
export interface Chain {
  readonly atMs: number;
  /** Of the first token. */
  readonly dueMs: number;
  readonly tpotMs: number;
  readonly inputTokens: number;
  readonly tokens: number;
  readonly costs: TokenCosts;
}

export function chainOf(request: SimulatedRequest, costs: TokenCosts): Chain {
  const { atMs, objective, inputTokens, outputTokens } = request;
  const dueMs = atMs + objective.ttftMs + toleranceMs;
  return { atMs, dueMs, tpotMs: objective.tpotMs, inputTokens, tokens: Math.max(1, outputTokens), costs };
}

export function lastDueMs({ dueMs, tpotMs, tokens }: Chain): number {
  return dueMs + (tokens - 1) * tpotMs;
}

/** The tokens that are due before `ms` are those with a lower number than this. */
export function tokensDueBefore({ dueMs, tpotMs, tokens }: Chain, ms: number): number {
  if (ms <= dueMs) return 0;
  return Math.min(tokens, Math.ceil((ms - dueMs) / tpotMs));
}

/** The first token that no go before `ms` can make; `tokens` where there is none. */
export function firstTokenFrom({ atMs, inputTokens, tokens, costs }: Chain, ms: number): number {
  if (atMs >= ms) return 0;
  let early = 0;
  let late = tokens;
  if (atMs + costs.soonestMs(inputTokens, tokens - 1) < ms) early = tokens - 1;
  while (late - early > 1) {
    const middle = (early + late) >>> 1;
    if (atMs + costs.soonestMs(inputTokens, middle) < ms) early = middle;
    else late = middle;
  }
  return late;
}
