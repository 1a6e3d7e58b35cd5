import type { Capacity, CapacityQuestion, ExperimentResult } from "../sim/index.ts";
import { shareText } from "./quantities.ts";

export type Fact = readonly [name: string, value: string];

/** What an experiment shows, for people. */
export function resultFacts(result: ExperimentResult): readonly Fact[] {
  const { ttftMs, tpotMs, worstModel } = result;
  return [
    ["policy", result.policy],
    ["met strictly", `${percent(result.attainmentStrict)} of ${result.requests} requests`],
    ["per seed", result.attainmentPerSeed.map(percent).join(", ")],
    ["goodput", `${result.goodput} requests/s`],
    ["first token", percentilesText(ttftMs)],
    ["per token", `${percentilesText(tpotMs)}: of each request's mean, waits included`],
    ["worst model", `${worstModel.model}, ${percent(worstModel.attainmentStrict)}`],
    ["refused", refusedText(result)],
    ["switches", `${result.switches}, ${(result.bytesMoved / 1e9).toFixed(0)} GB moved`],
    ["devices busy", percent(result.busyShare)],
    ["simulated", `${(result.simulatedTokensPerSecond / 1e6).toFixed(1)} million tokens/s`],
    ...result.notes.map((note): Fact => ["note", note]),
  ];
}

/** The figures are those with the fewest devices that reach it, or with the most that were tried. */
export function capacityFacts(
  found: Capacity,
  { device, attainment }: Pick<CapacityQuestion, "device" | "attainment">,
): readonly Fact[] {
  const { bound, result } = found;
  if (found.outcome === "reached") {
    return [
      ["accelerators", String(found.accelerators)],
      ["bound", `${bound}; nobody does with fewer, and this is ${found.ratio.toFixed(2)} times as many`],
      ...resultFacts(result),
    ];
  }
  const least = percent(Math.min(...result.attainmentPerSeed));
  return [
    ["accelerators", `not found: up to ${found.most} ${device.name} were tried (--most)`],
    ["reached", `${least} with ${found.most}, by the seed that fares worst; asked for are ${percent(attainment)}`],
    ["bound", `${bound}; nobody does with fewer`],
    ...resultFacts(result),
  ];
}

function percentilesText({ p50, p90, p99 }: ExperimentResult["ttftMs"]): string {
  return `p50 ${millisecondsText(p50)}, p90 ${millisecondsText(p90)}, p99 ${millisecondsText(p99)}`;
}

function refusedText({ refused, refusals }: ExperimentResult): string {
  const reasons = Object.entries(refusals).map(([reason, count]) => `${count} ${reason}`);
  return reasons.length === 0 ? String(refused) : `${refused}: ${reasons.join(", ")}`;
}

/** Null, which is of no requests, is a dash. */
export function millisecondsText(ms: number | null): string {
  return ms === null ? "-" : `${ms} ms`;
}

function percent(share: number): string {
  return shareText(share, 1, 2);
}
