import { tiers } from "../base/index.ts";
import type { Placements } from "../gateway/control/index.ts";

/** How many requests, with how many tokens, were due by one objective of one tier. */
export type Deadlines = Placements["items"][number]["deadlines"][number];

/** Those of several placements, added up by tier and objective; what nobody noted comes last. */
export function deadlinesOf(placements: readonly { readonly deadlines: readonly Deadlines[] }[]): readonly Deadlines[] {
  const sums = new Map<string, Deadlines>();
  for (const each of placements.flatMap(({ deadlines }) => deadlines)) {
    const key = JSON.stringify([each.tier, each.ttftMs, each.tpotMs]);
    const sum = sums.get(key) ?? { ...each, requests: 0, outputTokens: 0, uncounted: 0 };
    sums.set(key, {
      ...sum,
      requests: sum.requests + each.requests,
      outputTokens: sum.outputTokens + each.outputTokens,
      uncounted: sum.uncounted + each.uncounted,
    });
  }
  return [...sums.values()].toSorted(soonest);
}

function soonest(one: Deadlines, other: Deadlines): number {
  const place = ({ tier }: Deadlines): number => (tier === null ? tiers.length : tiers.indexOf(tier));
  const late = (ms: number | null): number => ms ?? Number.MAX_SAFE_INTEGER;
  return place(one) - place(other) || late(one.ttftMs) - late(other.ttftMs) || late(one.tpotMs) - late(other.tpotMs);
}

/** The first token of each request was due, and each further one. */
export function deadlinesText(deadlines: readonly Deadlines[]): string {
  return deadlines.length === 0 ? "none" : deadlines.map(oneText).join("; ");
}

function oneText({ tier, ttftMs, tpotMs, requests, outputTokens, uncounted }: Deadlines): string {
  const uncountedText = uncounted === 0 ? "" : ` and those of ${uncounted} that nobody has counted`;
  const sum = `${requests} request${requests === 1 ? "" : "s"}, ${outputTokens} output tokens${uncountedText}`;
  if (tier === null) return `${sum}: not known, an earlier release took them`;
  const due =
    ttftMs === null ? "objective not known, an earlier release took them" : `ttft ${ttftMs} ms, tpot ${tpotMs} ms`;
  return `${sum}: ${tier} (${due})`;
}
