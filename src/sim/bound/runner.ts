import { type Chain, firstTokenFrom, lastDueMs, tokensDueBefore } from "./chain.ts";

/** What a window has of a chain: its tokens from number `from` on, which no go before `releaseMs` can make. */
export interface Runner {
  readonly chain: Chain;
  readonly from: number;
  readonly releaseMs: number;
  readonly lastDueMs: number;
}

/** Those of one model's chains, which are by arrival, in windows that begin at `fromMs`; by release. */
export function runnersFrom(chains: readonly Chain[], fromMs: number): Runner[] {
  const runners: Runner[] = [];
  for (const chain of chains) {
    // A token that is due before, but cannot be there, is late in every schedule: no window has it.
    const from = Math.max(firstTokenFrom(chain, fromMs), tokensDueBefore(chain, fromMs));
    if (from >= chain.tokens) continue;
    runners.push({ chain, from, releaseMs: Math.max(chain.atMs, fromMs), lastDueMs: lastDueMs(chain) });
  }
  return runners;
}

/** What its tokens that are due before `ms` cost, each for itself. */
export function ownMsBefore({ chain, from }: Runner, ms: number): number {
  return chain.costs.ownMs(chain.inputTokens, from, tokensDueBefore(chain, ms));
}
