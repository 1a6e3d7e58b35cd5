import type { Chance } from "./chance.ts";
import { drawIntervals, type IntervalShape } from "./intervals.ts";

/**
 * The times of arrival within a window, ascending, from 0 to below `durationMs`. There are as many as the rate says: its
 * fraction is rounded up or down by chance. As in ServeGen's own generator (`_sample_iats` in servegen/construct.py at
 * commit f891d11), intervals are drawn and scaled to fill the window, because many of the fitted shapes are so uneven
 * that unscaled intervals would not give the rate. Unlike there, they are laid round the window as on a clock's face
 * from a beginning by chance: all clients' windows begin together, and so would the bursts of all of them.
 */
export function windowTimesMs(
  intervals: IntervalShape,
  ratePerSecond: number,
  durationMs: number,
  chance: Chance,
): Float64Array {
  const count = Math.floor((ratePerSecond * durationMs) / 1000 + chance());
  const times = new Float64Array(count);
  if (count === 0) return times;
  const fromMs = chance() * durationMs;
  const next = drawIntervals(intervals, 1, chance);
  let sum = 0;
  for (let index = 0; index < count; index++) times[index] = sum += next();
  // Shapes near 0 give intervals that are too short for a double: then all come at once.
  const scale = sum > 0 ? durationMs / sum : 0;
  for (let index = 0; index < count; index++) times[index] = (fromMs + times[index]! * scale) % durationMs;
  return times.sort();
}
