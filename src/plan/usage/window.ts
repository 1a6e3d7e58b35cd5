import type { UsageRow } from "./row.ts";

const minuteMs = 60_000;
/** Two years of minutes: no export is longer. */
const minutesMax = 2 * 366 * 24 * 60;

export interface Window {
  readonly fromMs: number;
  readonly toMs: number;
}

/** The stretch of so many minutes with the most tokens, begun at a whole minute; the first of several. */
export function busiestWindow(rows: readonly UsageRow[], minutes: number): Window | undefined {
  const firstMinute = Math.floor(Math.min(...extremes(rows, "fromMs")) / minuteMs);
  const lastMinute = Math.ceil(Math.max(...extremes(rows, "toMs")) / minuteMs);
  const count = lastMinute - firstMinute + 1;
  if (count > minutesMax) return undefined;
  const tokens = new Float64Array(count);
  for (const row of rows) spread(row, firstMinute, tokens);
  const width = Math.min(count, Math.ceil(minutes));
  let inWindow = tokens.subarray(0, width).reduce((sum, value) => sum + value, 0);
  let [most, mostAt] = [inWindow, 0];
  for (let at = 1; at + width <= count; at++) {
    inWindow += tokens[at + width - 1]! - tokens[at - 1]!;
    // What is left of rounding is no reason to move on.
    if (inWindow > most * (1 + 1e-9)) [most, mostAt] = [inWindow, at];
  }
  const fromMs = (firstMinute + mostAt) * minuteMs;
  return { fromMs, toMs: fromMs + minutes * minuteMs };
}

/** From the first row's beginning to the last one's end. */
export function spanMsOf(rows: readonly UsageRow[]): number {
  return Math.max(...extremes(rows, "toMs")) - Math.min(...extremes(rows, "fromMs"));
}

/** Least and most, without a call of a million arguments. */
function extremes(rows: readonly UsageRow[], side: "fromMs" | "toMs"): readonly [number, number] {
  let [least, most] = [Infinity, -Infinity];
  for (const row of rows) {
    least = Math.min(least, row[side]);
    most = Math.max(most, row[side]);
  }
  return [least, most];
}

/** A row's tokens over the minutes that it reaches into, evenly. */
function spread(row: UsageRow, firstMinute: number, tokens: Float64Array): void {
  const all = row.inputTokens + row.outputTokens;
  const from = Math.floor(row.fromMs / minuteMs);
  const to = Math.max(from + 1, Math.ceil(row.toMs / minuteMs));
  for (let minute = from; minute < to; minute++) tokens[minute - firstMinute]! += all / (to - from);
}
