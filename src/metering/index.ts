/**
 * metering: usage as files and other services tell it: CSV, JSON lines, CloudEvents. Owns their fields, what of them is
 * refused, and that an event counts once, however often it is told. Does not own: prices and sums (ledger), the counts of
 * requests that were served here (stages). Invariants: what a file says is billed or refused with its line and field, and
 * never read as something near it; the same (source, id) with another body is refused; files are never held as a whole,
 * lists of JSON excepted, which are bounded.
 */
export { bodyOf } from "./body.ts";
export type { UsageRecord } from "./record.ts";
export { sentRecords } from "./sent.ts";
export { readTold } from "./told.ts";
export { UsageFile } from "./usage-file.ts";
export { type MeteredUsage, recordOf, usageText } from "./written.ts";
