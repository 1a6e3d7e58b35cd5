import { sql, type Transaction } from "kysely";
import type { OrganisationId } from "../base/index.ts";
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
  const told = JSON.stringify(
    records.map(({ organisation, source, id, digest }) => [organisation, source, id, digest]),
  );
  const { rows: fresh } = await sql<RecordKey>`
    INSERT INTO usage_records (organisation, source, id, digest, received_at, reference)
    SELECT e ->> 0, e ->> 1, e ->> 2, decode(e ->> 3, 'hex'), ${new Date(nowMs)}, ${reference}
    FROM json_array_elements(${told}::json) AS e ORDER BY 1, 2, 3
    ON CONFLICT (organisation, source, id) DO NOTHING
    RETURNING organisation, source, id`.execute(transaction);
  const isAllFresh = fresh.length === records.length;
  const { rows: differing } = isAllFresh
    ? { rows: [] }
    : await sql<RecordKey>`
        SELECT organisation, source, id FROM usage_records
        JOIN json_array_elements(${told}::json) AS e
          ON organisation = e ->> 0 AND source = e ->> 1 AND id = e ->> 2
        WHERE digest <> decode(e ->> 3, 'hex')`.execute(transaction);
  if (differing.length > 0) return { fresh: [], differing };
  const keys = new Set(fresh.map(keyOf));
  const events = records
    .filter((record) => keys.has(keyOf(record)))
    .flatMap(({ organisation, source, id, events }) =>
      events.map(({ sku, atMs, quantity, isBatch }) => [
        organisation,
        source,
        id,
        sku,
        atMs,
        quantity === undefined ? null : String(quantity),
        isBatch,
      ]),
    );
  await sql`
    INSERT INTO usage_events (organisation, source, id, sku, at, quantity, is_batch)
    SELECT e ->> 0, e ->> 1, e ->> 2, e ->> 3, timestamptz 'epoch' + (e ->> 4)::bigint * interval '1 millisecond',
      (e ->> 5)::numeric * 0.000000001, (e ->> 6)::boolean
    FROM json_array_elements(${JSON.stringify(events)}::json) AS e`.execute(transaction);
  return { fresh, differing };
}

function keyOf({ organisation, source, id }: RecordKey): string {
  return JSON.stringify([organisation, source, id]);
}
