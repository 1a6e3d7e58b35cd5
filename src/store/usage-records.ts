import { type RawBuilder, sql, type Transaction } from "kysely";
import type { OrganisationId } from "../base/index.ts";
import { column, instant, rowsOf } from "./columns.ts";
import type { Database } from "./schema.ts";

/** A record of usage with what it says. */
export interface ToldRecord {
  /** These three make it the same one. */
  readonly organisation: OrganisationId;
  readonly source: string;
  readonly id: string;
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
 * Writes records that were never told before, and says by their places which these were, and which were told with another digest; nothing is
 * written of those. No two of them have one key. Who tells one of them at the same time waits.
 */
export async function addRecords(
  transaction: Transaction<Database>,
  records: readonly ToldRecord[],
  { reference, nowMs }: { readonly reference: string; readonly nowMs: number },
): Promise<{ readonly fresh: readonly number[]; readonly differing: readonly number[] }> {
  const told = rowsOf({
    organisation: column(records, "text", ({ organisation }) => organisation),
    source: column(records, "text", ({ source }) => source),
    id: column(records, "text", ({ id }) => id),
    digest: column(records, "text", ({ digest }) => digest),
    place: column([...records.keys()], "integer", (place) => place),
  });
  const { numAffectedRows } = await sql`
    INSERT INTO usage_records (organisation, source, id, digest, received_at, reference)
    SELECT organisation, source, id, decode(digest, 'hex'), ${new Date(nowMs)}, ${reference}
    FROM ${told} AS told ORDER BY 1, 2, 3
    ON CONFLICT (organisation, source, id) DO NOTHING`.execute(transaction);
  // Nearly always all of them are new: only where they are not is it worth it to ask which.
  const isAllFresh = numAffectedRows === BigInt(records.length);
  const { fresh, differing } = isAllFresh
    ? { fresh: [...records.keys()], differing: [] }
    : await lookedUp(transaction, told, nowMs);
  if (differing.length > 0) return { fresh: [], differing };
  await addEvents(
    transaction,
    fresh.map((place) => records[place]!),
  );
  return { fresh, differing };
}

/**
 * Which of these this transaction has written, and which are there with another digest. A transaction's number is short and comes again
 * some day: what it wrote has its moment, too.
 */
async function lookedUp(
  transaction: Transaction<Database>,
  told: RawBuilder<unknown>,
  nowMs: number,
): Promise<{ readonly fresh: readonly number[]; readonly differing: readonly number[] }> {
  const { rows } = await sql<{ place: number; isFresh: boolean; isOther: boolean }>`
    SELECT place, held.xmin = pg_current_xact_id()::xid AND held.received_at = ${new Date(nowMs)} AS is_fresh,
      held.digest <> decode(told.digest, 'hex') AS is_other
    FROM ${told} AS told
    JOIN usage_records AS held USING (organisation, source, id) ORDER BY place`.execute(transaction);
  const placesOf = (some: typeof rows): readonly number[] => some.map(({ place }) => place);
  return {
    fresh: placesOf(rows.filter(({ isFresh }) => isFresh)),
    differing: placesOf(rows.filter(({ isOther }) => isOther)),
  };
}

async function addEvents(transaction: Transaction<Database>, records: readonly ToldRecord[]): Promise<void> {
  const events = records.flatMap(({ events, ...key }) => events.map((event) => ({ ...event, ...key })));
  await sql`
    INSERT INTO usage_events (organisation, source, id, sku, at, quantity, is_batch)
    SELECT organisation, source, id, sku, ${instant(sql`at_ms`)}, quantity * 0.000000001, is_batch
    FROM ${rowsOf({
      organisation: column(events, "text", ({ organisation }) => organisation),
      source: column(events, "text", ({ source }) => source),
      id: column(events, "text", ({ id }) => id),
      sku: column(events, "text", ({ sku }) => sku),
      at_ms: column(events, "bigint", ({ atMs }) => atMs),
      quantity: column(events, "numeric", ({ quantity }) => quantity ?? null),
      is_batch: column(events, "boolean", ({ isBatch }) => isBatch),
    })} AS event`.execute(transaction);
}
