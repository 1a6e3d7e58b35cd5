import { formatAmount } from "../base/index.ts";

/** When something holds, in milliseconds since 1970; `untilMs` is excluded. */
export interface Period {
  readonly fromMs: number;
  readonly untilMs: number;
}

/** Whether they have a moment in common. */
export function overlap(one: Period, other: Period): boolean {
  return one.fromMs < other.untilMs && other.fromMs < one.untilMs;
}

/** A reservation's times as they were agreed, and when it was ended before. */
export interface Agreed extends Period {
  readonly endedAtMs?: number | undefined;
}

/** When a reservation holds: it stops where it was ended, and never held where that was before it began. */
export function heldPeriod({ fromMs, untilMs, endedAtMs }: Agreed): Period {
  return { fromMs, untilMs: Math.max(fromMs, Math.min(untilMs, endedAtMs ?? untilMs)) };
}

/**
 * The hours of a reservation that lie in a period, as a decimal string with at most 6 decimals ("1.5").
 *
 * A millisecond is no whole number of millionths of an hour. What is cut off is therefore cut off of the hours since the
 * reservation began, at both ends of the period, and the difference taken: so the hours of periods that follow one another
 * add up to those of all of them together, to the last decimal.
 */
export function meteredHours(reservation: Agreed, period: Period): string {
  const held = heldPeriod(reservation);
  const sinceBeginMs = (atMs: number): number => Math.min(Math.max(atMs, held.fromMs), held.untilMs) - held.fromMs;
  const micros =
    microHoursOf(sinceBeginMs(Math.max(period.fromMs, period.untilMs))) - microHoursOf(sinceBeginMs(period.fromMs));
  return formatAmount(micros * amountUnitsPerMicro);
}

/** Millionths of an hour, 3.6 ms each, that are over after so many whole milliseconds. */
function microHoursOf(durationMs: number): bigint {
  return (BigInt(durationMs) * 10n) / 36n;
}

/** Decimals are written as those of money are, which has 12. */
const amountUnitsPerMicro = 1_000_000n;
