import { type Kysely, sql, type Transaction } from "kysely";
import type { OrganisationId } from "../base/index.ts";
import { column, instant } from "./columns.ts";
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

/** A sum, or what is added to one. Quantities are in units of 10^-9, money of 10^-12. */
export interface SumRow extends SumKey {
  readonly currency: string;
  readonly quantity: bigint;
  readonly batch: bigint;
  readonly offPeak: bigint;
  readonly events: number;
  readonly accrued: bigint;
  readonly lastAtMs: number;
}

export type AddedSum = Omit<SumRow, "accrued">;

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
  readonly lastAtMs: string;
}

/** Whole units: what is exact in both worlds, as text. */
const rawColumns = sql`billed_in, organisation, sku, period, terms_from, currency,
  (quantity * 1000000000)::numeric(47, 0) AS quantity, (batch * 1000000000)::numeric(47, 0) AS batch,
  (off_peak * 1000000000)::numeric(47, 0) AS off_peak, events, (accrued * 1000000000000)::numeric(50, 0) AS accrued,
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

/**
 * Adds to sums, each once at most, and returns what they are then. Their rows stay locked until the transaction ends; they are taken in the
 * order of their key, so that two who add to the same ones wait for one another and never for each other.
 */
export async function addToSums(
  transaction: Transaction<Database>,
  added: readonly AddedSum[],
): Promise<readonly SumRow[]> {
  if (added.length === 0) return [];
  const result = await sql<RawSum>`
    INSERT INTO usage_sums AS held (
      billed_in, organisation, sku, period, terms_from, currency, quantity, batch, off_peak, events, last_at
    )
    SELECT billed_in, organisation, sku, period, terms_from, currency,
      quantity * 0.000000001, batch * 0.000000001, off_peak * 0.000000001, events, ${instant(sql`last_at_ms`)}
    FROM unnest(
      ${column(added, "text", ({ billedIn }) => billedIn)},
      ${column(added, "text", ({ organisation }) => organisation)},
      ${column(added, "text", ({ sku }) => sku)},
      ${column(added, "text", ({ period }) => period)},
      ${column(added, "bigint", ({ termsFrom }) => termsFrom)},
      ${column(added, "text", ({ currency }) => currency)},
      ${column(added, "numeric", ({ quantity }) => quantity)},
      ${column(added, "numeric", ({ batch }) => batch)},
      ${column(added, "numeric", ({ offPeak }) => offPeak)},
      ${column(added, "bigint", ({ events }) => events)},
      ${column(added, "bigint", ({ lastAtMs }) => lastAtMs)}
    ) AS added (
      billed_in, organisation, sku, period, terms_from, currency, quantity, batch, off_peak, events, last_at_ms
    )
    ORDER BY 1, 2, 3, 4, 5
    ON CONFLICT (billed_in, organisation, sku, period, terms_from) DO UPDATE SET
      quantity = held.quantity + excluded.quantity, batch = held.batch + excluded.batch,
      off_peak = held.off_peak + excluded.off_peak, events = held.events + excluded.events,
      last_at = greatest(held.last_at, excluded.last_at)
    RETURNING ${rawColumns}`.execute(transaction);
  return result.rows.map(sumOf);
}

/** Notes what of sums is in the ledger now. */
export async function setAccrued(
  transaction: Transaction<Database>,
  sums: readonly (SumKey & { readonly accrued: bigint })[],
): Promise<void> {
  if (sums.length === 0) return;
  await sql`
    UPDATE usage_sums AS held SET accrued = now.accrued * 0.000000000001
    FROM unnest(
      ${column(sums, "text", ({ billedIn }) => billedIn)},
      ${column(sums, "text", ({ organisation }) => organisation)},
      ${column(sums, "text", ({ sku }) => sku)},
      ${column(sums, "text", ({ period }) => period)},
      ${column(sums, "bigint", ({ termsFrom }) => termsFrom)},
      ${column(sums, "numeric", ({ accrued }) => accrued)}
    ) AS now (billed_in, organisation, sku, period, terms_from, accrued)
    WHERE held.billed_in = now.billed_in AND held.organisation = now.organisation AND held.sku = now.sku
      AND held.period = now.period AND held.terms_from = now.terms_from`.execute(transaction);
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
  await sql`DELETE FROM usage_sums`.execute(transaction);
  await sql`DELETE FROM ledger_periods`.execute(transaction);
}
