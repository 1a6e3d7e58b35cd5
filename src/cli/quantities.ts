// Quantities as people read them: each with its unit, and no more digits than tell something.

export function sizeText(bytes: number | null): string {
  if (bytes === null) return "–";
  if (bytes === 0) return "0 MB";
  return bytes >= 1e9 ? `${(bytes / 1e9).toFixed(1)} GB` : `${Math.max(1, Math.round(bytes / 1e6))} MB`;
}

/** A part of a size, in the unit of the whole: "49.2 of 78.0 GB (63 %)". */
export function sizeOfText(bytes: number, ofBytes: number): string {
  const [unitBytes, unit, digits] = ofBytes >= 1e9 ? ([1e9, "GB", 1] as const) : ([1e6, "MB", 0] as const);
  const inUnit = (value: number): string => (value / unitBytes).toFixed(digits);
  return `${inUnit(bytes)} of ${inUnit(ofBytes)} ${unit} (${shareText(bytes, ofBytes, 0)})`;
}

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** A duration; one that is below nothing keeps its sign. */
export function durationText(ms: number): string {
  const lengthMs = Math.abs(ms);
  if (lengthMs < 1_000) return `${Math.round(ms)} ms`;
  if (lengthMs < 100_000) return `${(ms / 1_000).toFixed(1)} s`;
  if (lengthMs < 100 * minuteMs) return `${Math.round(ms / minuteMs)} min`;
  if (lengthMs < 2 * dayMs) return `${Math.round(ms / hourMs)} h`;
  return `${Math.round(ms / dayMs)} days`;
}

/** A part of a whole in percent; of nothing there is no part. */
export function shareText(part: number, whole: number, digits: number): string {
  return whole > 0 ? `${((part / whole) * 100).toFixed(digits)} %` : "–";
}

/** A number of things: "1 load", "1,204 turns". */
export function countText(count: number, thing: string): string {
  return `${count.toLocaleString("en")} ${thing}${count === 1 ? "" : "s"}`;
}
