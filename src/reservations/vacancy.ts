import type { Period } from "./metering.ts";

/** From when on a device is free for so long: the first such moment that is not before `fromMs`. */
export function freeFrom(taken: readonly Period[], fromMs: number, durationMs: number): number {
  let freeMs = fromMs;
  for (const { fromMs: beginMs, untilMs } of taken.toSorted((a, b) => a.fromMs - b.fromMs)) {
    if (beginMs >= freeMs + durationMs) break;
    freeMs = Math.max(freeMs, untilMs);
  }
  return freeMs;
}

export interface Shared extends Period {
  readonly share: number;
}

/** The moment in a period at which most is reserved, and by whom; the earliest of several. */
export function peakOf<Holder extends Shared>(
  holders: readonly Holder[],
  period: Period,
): { readonly atMs: number; readonly share: number; readonly holders: readonly Holder[] } {
  const moments = [period.fromMs, ...holders.map(({ fromMs }) => fromMs)]
    .filter((atMs) => atMs >= period.fromMs && atMs < period.untilMs)
    .toSorted((a, b) => a - b);
  let peak = { atMs: period.fromMs, share: 0, holders: [] as readonly Holder[] };
  for (const atMs of moments) {
    const there = holders.filter(({ fromMs, untilMs }) => fromMs <= atMs && atMs < untilMs);
    const share = roundShare(there.reduce((sum, holder) => sum + holder.share, 0));
    if (share > peak.share) peak = { atMs, share, holders: there };
  }
  return peak;
}

/** Shares have 4 decimals; sums and differences of doubles have more. */
export function roundShare(share: number): number {
  return Math.round(share * 10_000) / 10_000;
}
