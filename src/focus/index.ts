/**
 * focus: invoices as the FinOps Foundation's FOCUS tells costs. Owns the rows (charges), the columns of each version, CSV and
 * Parquet. Does not own: what is billed (ledger, invoicing). Invariants: the sum of BilledCost over an invoice's rows is its
 * gross amount, tax and rounding with it; amounts are decimals, never floats; nothing is billed twice: what was drawn from
 * prepaid credits bills 0, and was billed with their purchase.
 */
export type { FocusVersion } from "./columns.ts";
export { focusCsv } from "./csv.ts";
export { focusParquet } from "./parquet.ts";
export { chargesOf } from "./charges.ts";
