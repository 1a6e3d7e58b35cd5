import { type Kysely, type RawBuilder, sql, type Transaction } from "kysely";
import type { OrganisationId } from "../base/index.ts";
import { column, instant, rowsOf } from "./columns.ts";
import type { Database } from "./schema.ts";

/** Which usage is priced at once, and with which period it is billed. */
export interface SumKey {
  readonly billedIn: string;
  readonly organisation: OrganisationId;
  readonly sku: string;
  readonly period: string;
  /** Milliseconds since 1970. */
  readonly termsFrom: number;
}

/** Quantities are in units of 10^-9, money of 10^-12. */
export interface SumRow extends SumKey {
  readonly currency: string;
  readonly quantity: bigint;
  readonly batch: bigint;
  readonly offPeak: bigint;
  readonly events: number;
  readonly accrued: bigint;
  /** Whether that stands in the accounts of one's own group. */
  readonly isInternal: boolean;
  readonly lastAtMs: number;
}

interface RawSum {
  readonly billedIn: string;
  readonly organisation: OrganisationId;
  readonly sku: string;
  readonly period: string;
  readonly termsFrom: string;
  readonly currency: string;
  readonly quantity: string;
  readonly batch: string;
  readonly offPeak: string;
  readonly events: string;
  readonly accrued: string;
  readonly isInternal: boolean;
  readonly lastAtMs: string;
}

/** Whole units: what is exact in both worlds, as text. */
const rawColumns = sql`billed_in, organisation, sku, period, terms_from, currency,
  (quantity * 1000000000)::numeric(47, 0) AS quantity, (batch * 1000000000)::numeric(47, 0) AS batch,
  (off_peak * 1000000000)::numeric(47, 0) AS off_peak, events, (accrued * 1000000000000)::numeric(50, 0) AS accrued, is_internal,
  (extract(epoch FROM last_at) * 1000)::bigint AS last_at_ms`;

function sumOf(row: RawSum): SumRow {
  return {
    ...row,
    termsFrom: Number(row.termsFrom),
    quantity: BigInt(row.quantity),
    batch: BigInt(row.batch),
    offPeak: BigInt(row.offPeak),
    events: Number(row.events),
    accrued: BigInt(row.accrued),
    lastAtMs: Number(row.lastAtMs),
  };
}

/** Any number that nobody else takes as a lock's. */
const sumsLock = 5_172_813;

/**
 * Sums as they are, by the places of these keys; of one that is not there, nothing. Until the transaction ends nobody else adds to any: what
 * was read stays, so that a sum is written once, with what is posted of it. Rows that are locked one by one are each written for it.
 */
export async function holdSums(
  transaction: Transaction<Database>,
  keys: readonly SumKey[],
): Promise<ReadonlyMap<number, SumRow>> {
  await sql`SELECT pg_advisory_xact_lock(${sql.lit(sumsLock)})`.execute(transaction);
  // A statement of its own: it sees what was committed while the lock was waited for.
  const { rows } = await sql<RawSum & { place: number }>`
    SELECT place, ${rawColumns}
    FROM ${rowsOf({ ...keyColumns(keys), place: column([...keys.keys()], "integer", (place) => place) })} AS wanted
    JOIN usage_sums USING (billed_in, organisation, sku, period, terms_from)`.execute(transaction);
  return new Map(rows.map(({ place, ...row }) => [place, sumOf(row)]));
}

/** Writes sums as they are now, those that were there and new ones; by whoever holds them, or has the ledger alone. */
export async function writeSums(transaction: Transaction<Database>, sums: readonly SumRow[]): Promise<void> {
  if (sums.length === 0) return;
  await sql`
    MERGE INTO usage_sums AS held
    USING (
      SELECT billed_in, organisation, sku, period, terms_from, currency, quantity * 0.000000001 AS quantity,
        batch * 0.000000001 AS batch, off_peak * 0.000000001 AS off_peak, events,
        accrued * 0.000000000001 AS accrued, is_internal, ${instant(sql`last_at_ms`)} AS last_at
      FROM ${rowsOf({
        ...keyColumns(sums),
        currency: column(sums, "text", ({ currency }) => currency),
        quantity: column(sums, "numeric", ({ quantity }) => quantity),
        batch: column(sums, "numeric", ({ batch }) => batch),
        off_peak: column(sums, "numeric", ({ offPeak }) => offPeak),
        events: column(sums, "bigint", ({ events }) => events),
        accrued: column(sums, "numeric", ({ accrued }) => accrued),
        is_internal: column(sums, "boolean", ({ isInternal }) => isInternal),
        last_at_ms: column(sums, "bigint", ({ lastAtMs }) => lastAtMs),
      })} AS sum
    ) AS now
    ON held.billed_in = now.billed_in AND held.organisation = now.organisation AND held.sku = now.sku
      AND held.period = now.period AND held.terms_from = now.terms_from
    WHEN MATCHED THEN UPDATE SET quantity = now.quantity, batch = now.batch, off_peak = now.off_peak,
      events = now.events, accrued = now.accrued, is_internal = now.is_internal, last_at = now.last_at
    WHEN NOT MATCHED THEN INSERT (
      billed_in, organisation, sku, period, terms_from, currency, quantity, batch, off_peak, events, accrued,
      is_internal, last_at
    ) VALUES (
      now.billed_in, now.organisation, now.sku, now.period, now.terms_from, now.currency, now.quantity, now.batch,
      now.off_peak, now.events, now.accrued, now.is_internal, now.last_at
    )`.execute(transaction);
}

/** What was added to a sum in a month, where periods are longer than that: by when it was used, or came where it is late. */
export interface SumPart extends SumKey {
  /** "2026-02" */
  readonly month: string;
  readonly currency: string;
  /** In units of 10^-9. */
  readonly quantity: bigint;
  /** In units of 10^-12. */
  readonly accrued: bigint;
}

/** By whoever holds the sums. */
export async function addMonths(transaction: Transaction<Database>, parts: readonly SumPart[]): Promise<void> {
  if (parts.length === 0) return;
  await sql`
    INSERT INTO usage_months AS held
      (month, billed_in, organisation, sku, period, terms_from, currency, quantity, accrued)
    SELECT month, billed_in, organisation, sku, period, terms_from, currency, quantity * 0.000000001,
      accrued * 0.000000000001
    FROM ${rowsOf({
      ...keyColumns(parts),
      month: column(parts, "text", ({ month }) => month),
      currency: column(parts, "text", ({ currency }) => currency),
      quantity: column(parts, "numeric", ({ quantity }) => quantity),
      accrued: column(parts, "numeric", ({ accrued }) => accrued),
    })} AS part
    ON CONFLICT (month, billed_in, organisation, sku, period, terms_from) DO UPDATE
      SET quantity = held.quantity + excluded.quantity, accrued = held.accrued + excluded.accrued`.execute(transaction);
}

function keyColumns(keys: readonly SumKey[]): Readonly<Record<string, RawBuilder<unknown>>> {
  return {
    billed_in: column(keys, "text", ({ billedIn }) => billedIn),
    organisation: column(keys, "text", ({ organisation }) => organisation),
    sku: column(keys, "text", ({ sku }) => sku),
    period: column(keys, "text", ({ period }) => period),
    terms_from: column(keys, "bigint", ({ termsFrom }) => termsFrom),
  };
}

/** Sums by what they are of; all where nothing is named. In the order of their key. */
export async function findSums(
  db: Kysely<Database>,
  wanted: {
    readonly billedIn?: string;
    readonly periods?: readonly string[];
    readonly organisations?: readonly string[];
    readonly isOpen?: boolean;
  } = {},
): Promise<readonly SumRow[]> {
  const { billedIn, periods, organisations, isOpen } = wanted;
  const filters = [
    ...(billedIn === undefined ? [] : [sql`billed_in = ${billedIn}`]),
    ...(periods === undefined ? [] : [sql`period = ANY(${periods}::text[])`]),
    ...(organisations === undefined ? [] : [sql`organisation = ANY(${organisations}::text[])`]),
    ...(isOpen === true ? [sql`billed_in NOT IN (SELECT period FROM ledger_periods WHERE closed_at IS NOT NULL)`] : []),
  ];
  const result = await sql<RawSum>`
    SELECT ${rawColumns} FROM usage_sums
    ${filters.length === 0 ? sql`` : sql`WHERE ${sql.join(filters, sql` AND `)}`}
    ORDER BY billed_in, organisation, sku, period, terms_from`.execute(db);
  return result.rows.map(sumOf);
}

/** Whose sums are billed with a period. */
export async function organisationsBilled(db: Kysely<Database>, billedIn: string): Promise<readonly OrganisationId[]> {
  const { rows } = await sql<{ organisation: OrganisationId }>`
    SELECT DISTINCT organisation FROM usage_sums WHERE billed_in = ${billedIn}`.execute(db);
  return rows.map(({ organisation }) => organisation);
}

/** What was priced under which terms, and when for the last time. */
export interface UsedTerms {
  readonly organisation: OrganisationId;
  readonly sku: string;
  readonly termsFrom: number;
  readonly lastAtMs: number;
}

export async function usedTerms(db: Kysely<Database>): Promise<readonly UsedTerms[]> {
  const { rows } = await sql<Omit<UsedTerms, "termsFrom" | "lastAtMs"> & { termsFrom: string; lastAtMs: string }>`
    SELECT organisation, sku, terms_from, (extract(epoch FROM max(last_at)) * 1000)::bigint AS last_at_ms
    FROM usage_sums GROUP BY organisation, sku, terms_from ORDER BY 1, 2, 3`.execute(db);
  return rows.map((row) => ({ ...row, termsFrom: Number(row.termsFrom), lastAtMs: Number(row.lastAtMs) }));
}

/** When something was used for the first time and for the last; undefined: nothing ever was. */
export async function usedSpan(
  db: Kysely<Database>,
): Promise<{ readonly firstMs: number; readonly lastMs: number } | undefined> {
  const { rows } = await sql<{ first: Date | null; last: Date | null }>`
    SELECT min(first) AS first, max(last) AS last FROM (
      SELECT min(started_at) AS first, max(started_at) AS last FROM usage
      UNION ALL SELECT min(at), max(at) FROM usage_events
      UNION ALL SELECT min(last_at), max(last_at) FROM usage_sums
    ) AS used`.execute(db);
  const { first, last } = rows[0]!;
  return first === null || last === null ? undefined : { firstMs: first.getTime(), lastMs: last.getTime() };
}

/** Whether nothing else was ever posted than what was used, and no period is closed. */
export async function isUsageAlone(db: Kysely<Database>): Promise<boolean> {
  const { rows } = await sql<{ isAlone: boolean }>`
    SELECT NOT EXISTS (SELECT FROM ledger_transactions WHERE kind <> 'accrual')
      AND NOT EXISTS (SELECT FROM ledger_periods WHERE closed_at IS NOT NULL) AS is_alone`.execute(db);
  return rows[0]!.isAlone;
}

/** Takes all sums and their periods away, for whoever puts them into others. The database keeps those that are closed. */
export async function clearSums(transaction: Transaction<Database>): Promise<void> {
  await sql`DELETE FROM usage_months`.execute(transaction);
  await sql`DELETE FROM usage_sums`.execute(transaction);
  await sql`DELETE FROM ledger_periods`.execute(transaction);
}
