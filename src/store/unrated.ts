import { sql, type Transaction } from "kysely";
import type { OrganisationId } from "../base/index.ts";
import type { Database } from "./schema.ts";

/** Usage that has no price yet, or whose quantity nobody knows; in units of 10^-9. */
export interface UnratedEvent {
  readonly organisation: OrganisationId;
  readonly sku: string;
  readonly atMs: number;
  readonly quantity: bigint | undefined;
  readonly isBatch: boolean;
  readonly events?: number;
  readonly reason: string;
  /** Left out: that of all of them. */
  readonly reference?: string;
}

export async function addUnrated(
  transaction: Transaction<Database>,
  unrated: readonly UnratedEvent[],
  reference: string,
): Promise<void> {
  if (unrated.length === 0) return;
  const rows = unrated.map((event) => [
    event.organisation,
    event.sku,
    event.atMs,
    event.quantity === undefined ? null : String(event.quantity),
    event.isBatch,
    event.events ?? 1,
    event.reason,
    event.reference ?? reference,
  ]);
  await sql`
    INSERT INTO unrated_usage (organisation, sku, at, quantity, is_batch, events, reason, reference)
    SELECT e ->> 0, e ->> 1, timestamptz 'epoch' + (e ->> 2)::bigint * interval '1 millisecond',
      (e ->> 3)::numeric * 0.000000001, (e ->> 4)::boolean, (e ->> 5)::bigint, e ->> 6, e ->> 7
    FROM json_array_elements(${JSON.stringify(rows)}::json) AS e`.execute(transaction);
}
