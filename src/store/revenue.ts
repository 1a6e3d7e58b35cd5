import { type Kysely, sql } from "kysely";
import { column, instant } from "./columns.ts";
import type { LedgerPeriod } from "./ledger.ts";
import type { Database } from "./schema.ts";

/** What was posted to one revenue account for one customer in one month. */
export interface RevenueSum {
  readonly account: string;
  readonly organisation: string | null;
  readonly organisationName: string | null;
  readonly month: string;
  /** An exact decimal string: credits less debits. */
  readonly amount: string;
  readonly postings: number;
}

/**
 * Postings stand in the period that the ledger gave them; where its periods are longer than months, in the month in which they were
 * made, by the price book's clock, which says from when to when a month is.
 */
const isOfMonth = sql`t.period ~ '^\\d{4}-\\d{2}$'`;

/** All that was posted to accounts of revenue and of intersegment revenue in some months, in one currency. */
export async function revenueSums(
  db: Kysely<Database>,
  months: readonly LedgerPeriod[],
  currency: string,
): Promise<readonly RevenueSum[]> {
  const { rows } = await sql<Omit<RevenueSum, "postings"> & { postings: string }>`
    SELECT p.account, p.organisation, o.name AS organisation_name, m.month,
      trim_scale(-sum(p.amount))::text AS amount, count(*) AS postings
    FROM unnest(
      ${column(months, "text", ({ name }) => name)},
      ${column(months, "bigint", ({ startMs }) => startMs)},
      ${column(months, "bigint", ({ endMs }) => endMs)}
    ) AS m (month, start_ms, end_ms)
    JOIN ledger_transactions t ON CASE WHEN ${isOfMonth} THEN t.period = m.month
      ELSE t.at >= ${instant(sql`m.start_ms`)} AND t.at < ${instant(sql`m.end_ms`)} END
    JOIN ledger_postings p ON p.transaction = t.number
    LEFT JOIN organisations o ON o.id = p.organisation
    WHERE p.currency = ${currency} AND (p.account LIKE 'revenue/%' OR p.account LIKE 'intersegment/%')
    GROUP BY p.account, p.organisation, o.name, m.month
    HAVING sum(p.amount) <> 0
    ORDER BY month, account, organisation`.execute(db);
  return rows.map((row) => ({ ...row, postings: Number(row.postings) }));
}

/** What some accounts came to at the end of a month: debits less credits, as exact decimal strings. */
export async function balancesUntil(
  db: Kysely<Database>,
  accounts: readonly string[],
  { name, endMs }: Pick<LedgerPeriod, "name" | "endMs">,
  currency: string,
): Promise<ReadonlyMap<string, string>> {
  const { rows } = await sql<{ account: string; balance: string }>`
    SELECT p.account, trim_scale(sum(p.amount))::text AS balance
    FROM ledger_transactions t JOIN ledger_postings p ON p.transaction = t.number
    WHERE p.currency = ${currency} AND p.account = ANY (${[...accounts]}::text[])
      AND CASE WHEN ${isOfMonth} THEN t.period <= ${name} ELSE t.at < ${new Date(endMs)} END
    GROUP BY p.account`.execute(db);
  return new Map(rows.map(({ account, balance }) => [account, balance]));
}

/** What was used in some periods, rated or not, or written off, by the last part of its SKU: exact decimal strings. */
export async function quantitiesByDimension(
  db: Kysely<Database>,
  { periods, from, to }: { readonly periods: readonly string[]; readonly from: Date; readonly to: Date },
): Promise<ReadonlyMap<string, string>> {
  const { rows } = await sql<{ dimension: string; quantity: string }>`
    SELECT substring(sku FROM '[^/]+$') AS dimension, trim_scale(sum(quantity))::text AS quantity FROM (
      SELECT sku, quantity FROM usage_sums WHERE period = ANY (${[...periods]}::text[])
      UNION ALL
      SELECT sku, quantity FROM unrated_usage
        WHERE (rated_at IS NULL OR dropped_by IS NOT NULL) AND quantity IS NOT NULL AND at >= ${from} AND at < ${to}
    ) AS used GROUP BY 1`.execute(db);
  return new Map(rows.map(({ dimension, quantity }) => [dimension, quantity]));
}

/** The currencies that revenue was posted in. */
export async function revenueCurrencies(db: Kysely<Database>): Promise<readonly string[]> {
  const { rows } = await sql<{ currency: string }>`
    SELECT DISTINCT currency FROM ledger_postings WHERE account LIKE 'revenue/%' OR account LIKE 'intersegment/%'
    ORDER BY currency`.execute(db);
  return rows.map(({ currency }) => currency);
}
