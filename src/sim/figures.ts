import type { RefusalReason } from "../pool/index.ts";
import type { Outcome } from "./outcome.ts";
import { attainment, type Simulated } from "./simulate.ts";

/** Null: of nothing. */
export interface Percentiles {
  readonly p50: number | null;
  readonly p90: number | null;
  readonly p99: number | null;
}

/** What an experiment shows. Refused requests have no times, and count as missed. */
export interface Figures {
  /** Share of the requests each of whose tokens met its deadline: mean over the seeds. */
  readonly attainmentStrict: number;
  readonly attainmentPerSeed: readonly number[];
  /** Requests a second that were met strictly, over the time in which requests came. */
  readonly goodput: number;
  /** Of each request that had a first token, from its arrival. */
  readonly ttftMs: Percentiles;
  /** Of each finished request of two tokens and more: its mean time from token to token, the waits in between included. */
  readonly tpotMs: Percentiles;
  /** The model that fared worst, over all seeds. */
  readonly worstModel: { readonly model: string; readonly attainmentStrict: number };
  readonly requests: number;
  readonly refused: number;
  /** How many of them for which reason. */
  readonly refusals: Readonly<Partial<Record<RefusalReason, number>>>;
  /** Weights copied to a device, all seeds together. */
  readonly switches: number;
  readonly bytesMoved: number;
  /** Share of the devices' time that had a turn. */
  readonly busyShare: number;
  readonly simulatedTokensPerSecond: number;
}

export function summarize(runs: readonly (Simulated & { readonly tookMs: number })[], devices: number): Figures {
  const outcomes = runs.flatMap((run) => run.outcomes);
  const perSeed = runs.map((run) => attainment(run.outcomes));
  const total = (of: (run: Simulated) => number): number => runs.reduce((sum, run) => sum + of(run), 0);
  return {
    attainmentStrict: rounded(perSeed.reduce((sum, share) => sum + share, 0) / perSeed.length, 6),
    attainmentPerSeed: perSeed.map((share) => rounded(share, 6)),
    goodput: rounded(outcomes.filter(({ isMet }) => isMet).length / (total(arrivalMs) / 1000), 4),
    ttftMs: percentiles(outcomes.flatMap(({ ttftMs }) => ttftMs ?? [])),
    tpotMs: percentiles(outcomes.flatMap(({ tpotMs }) => tpotMs ?? [])),
    worstModel: worstModel(outcomes),
    requests: outcomes.length,
    refused: outcomes.filter(({ refusal }) => refusal !== undefined).length,
    refusals: refusalsOf(outcomes),
    switches: total(({ totals }) => totals.switches),
    bytesMoved: total(({ totals }) => totals.bytesMoved),
    busyShare: rounded(total(({ totals }) => totals.busyMs) / (devices * total(({ totals }) => totals.endMs)), 4),
    simulatedTokensPerSecond: Math.round(
      total(({ totals }) => totals.tokens) / (runs.reduce((sum, { tookMs }) => sum + tookMs, 0) / 1000),
    ),
  };
}

function refusalsOf(outcomes: readonly Outcome[]): Figures["refusals"] {
  const counts: Partial<Record<RefusalReason, number>> = {};
  for (const { refusal } of outcomes) if (refusal !== undefined) counts[refusal] = (counts[refusal] ?? 0) + 1;
  return counts;
}

/** From the beginning to the last request. */
function arrivalMs({ outcomes }: Simulated): number {
  return Math.max(1, outcomes.at(-1)?.request.atMs ?? 1);
}

export function percentiles(values: readonly number[]): Percentiles {
  const sorted = Float64Array.from(values).sort();
  const at = (share: number): number | null => {
    const value = sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
    return value === undefined ? null : rounded(value, 2);
  };
  return { p50: at(0.5), p90: at(0.9), p99: at(0.99) };
}

function worstModel(outcomes: readonly Outcome[]): Figures["worstModel"] {
  const counts = new Map<string, { met: number; all: number }>();
  for (const { request, isMet } of outcomes) {
    const count = counts.get(request.model) ?? { met: 0, all: 0 };
    counts.set(request.model, count);
    count.all++;
    if (isMet) count.met++;
  }
  let worst = { model: "", attainmentStrict: Infinity };
  for (const [model, { met, all }] of counts) {
    if (met / all < worst.attainmentStrict) worst = { model, attainmentStrict: rounded(met / all, 6) };
  }
  return worst;
}

function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
