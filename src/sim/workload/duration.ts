import { formatCount, WorkloadError } from "./workload.ts";

/** A week: no trace that is read here is longer in one piece. */
const minutesMax = 7 * 24 * 60;

export function durationMsOf(minutes: number): number {
  if (minutes > 0 && minutes <= minutesMax) return minutes * 60_000;
  throw new WorkloadError(`${minutes} minutes: give a number above 0, of ${formatCount(minutesMax)} (a week) at most`);
}
