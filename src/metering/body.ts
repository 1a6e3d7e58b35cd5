import type { UsageEvent } from "../ledger/index.ts";

/** What of a record is billed, and not how it was written: an instant in another zone is the same one. */
export function bodyOf(events: readonly UsageEvent[]): string {
  return events
    .map(({ customer, sku, atMs, quantity, isBatch }) => `${customer}\n${sku}\n${atMs}\n${quantity}\n${isBatch}`)
    .join("\n");
}
