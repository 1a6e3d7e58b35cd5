export interface Window {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Lengths that a reader of a clock expects: 1 s to a day. */
const lengthsMs = [
  1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400,
].map((seconds) => seconds * 1000);

const windowsMost = 60;
const windowsLeast = 4;
/** With fewer, one request more or less would move a window's share by more than 5 points. */
const requestsLeast = 20;

/** Windows up to `endMs`, as short as `requests` in all allow: few enough to be seen, each with enough to be a share of. */
export function windowsOf(endMs: number, requests: number): { windowMs: number; windows: readonly Window[] } {
  const wantedMs = Math.max(endMs / windowsMost, (endMs * requestsLeast) / Math.max(1, requests));
  const longestMs = endMs / windowsLeast;
  const usualMs = lengthsMs.find((lengthMs) => lengthMs >= wantedMs) ?? wantedMs;
  const windowMs = usualMs <= longestMs ? usualMs : (lengthsMs.findLast((lengthMs) => lengthMs <= longestMs) ?? endMs);
  // What is less than half a window is a part of the last one: alone it would be noise.
  const count = Math.max(1, Math.round(endMs / windowMs));
  const windows = Array.from({ length: count }, (_, index): Window => {
    return { fromMs: index * windowMs, toMs: index === count - 1 ? endMs : (index + 1) * windowMs };
  });
  return { windowMs, windows };
}
