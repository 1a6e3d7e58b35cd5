import { sql, type Transaction } from "kysely";
import type { OrganisationId } from "../base/index.ts";
import { column, instant } from "./columns.ts";
import type { Database } from "./schema.ts";

/** What makes a record the same one. */
export interface RecordKey {
  readonly organisation: OrganisationId;
  readonly source: string;
  readonly id: string;
}

/** A record of usage with what it says. */
export interface ToldRecord extends RecordKey {
  /** SHA-256, hex. */
  readonly digest: string;
  readonly events: readonly {
    readonly sku: string;
    readonly atMs: number;
    /** In units of 10^-9; undefined: nobody has counted. */
    readonly quantity: bigint | undefined;
    readonly isBatch: boolean;
  }[];
}

/**
 * Writes records that were never told before, and says which these were, and which were told with another digest; nothing is
 * written of those. No two of them have one key. Who tells one of them at the same time waits.
 */
export async function addRecords(
  transaction: Transaction<Database>,
  records: readonly ToldRecord[],
  { reference, nowMs }: { readonly reference: string; readonly nowMs: number },
): Promise<{ readonly fresh: readonly RecordKey[]; readonly differing: readonly RecordKey[] }> {
  const told = sql`unnest(
      ${column(records, "text", ({ organisation }) => organisation)},
      ${column(records, "text", ({ source }) => source)},
      ${column(records, "text", ({ id }) => id)},
      ${column(records, "text", ({ digest }) => digest)}
    ) AS told (organisation, source, id, digest)`;
  const { rows: fresh } = await sql<RecordKey>`
    INSERT INTO usage_records (organisation, source, id, digest, received_at, reference)
    SELECT organisation, source, id, decode(digest, 'hex'), ${new Date(nowMs)}, ${reference}
    FROM ${told} ORDER BY 1, 2, 3
    ON CONFLICT (organisation, source, id) DO NOTHING
    RETURNING organisation, source, id`.execute(transaction);
  const isAllFresh = fresh.length === records.length;
  const { rows: differing } = isAllFresh
    ? { rows: [] }
    : await sql<RecordKey>`
        SELECT organisation, source, id FROM usage_records AS held
        JOIN ${told} USING (organisation, source, id)
        WHERE held.digest <> decode(told.digest, 'hex')`.execute(transaction);
  if (differing.length > 0) return { fresh: [], differing };
  const keys = new Set(fresh.map(keyOf));
  const events = records
    .filter((record) => keys.has(keyOf(record)))
    .flatMap(({ events, ...key }) => events.map((event) => ({ ...event, ...key })));
  await sql`
    INSERT INTO usage_events (organisation, source, id, sku, at, quantity, is_batch)
    SELECT organisation, source, id, sku, ${instant(sql`at_ms`)}, quantity * 0.000000001, is_batch
    FROM unnest(
      ${column(events, "text", ({ organisation }) => organisation)},
      ${column(events, "text", ({ source }) => source)},
      ${column(events, "text", ({ id }) => id)},
      ${column(events, "text", ({ sku }) => sku)},
      ${column(events, "bigint", ({ atMs }) => atMs)},
      ${column(events, "numeric", ({ quantity }) => quantity ?? null)},
      ${column(events, "boolean", ({ isBatch }) => isBatch)}
    ) AS event (organisation, source, id, sku, at_ms, quantity, is_batch)`.execute(transaction);
  return { fresh, differing };
}

function keyOf({ organisation, source, id }: RecordKey): string {
  return JSON.stringify([organisation, source, id]);
}
