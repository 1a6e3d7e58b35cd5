import { type Kysely, type RawBuilder, sql } from "kysely";
import { column, instant } from "./columns.ts";
import { dayOf } from "./disclosed.ts";
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
 * made, by the price book's clock, which says from when to when a month is. What was used is dated in its month.
 */
const isOfMonth = sql`t.period ~ '^\\d{4}-\\d{2}$'`;

/** Breakage is revenue (IFRS 15.B46); what rounding an invoice leaves is none. */
const isRevenue = (account: RawBuilder<unknown>): RawBuilder<boolean> =>
  sql`(${account} LIKE 'revenue/%' OR ${account} LIKE 'intersegment/%' OR ${account} = 'breakage')`;

/** All that was posted to accounts of revenue, of breakage and of intersegment revenue in some months, in one currency. */
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
    WHERE p.currency = ${currency} AND ${isRevenue(sql`p.account`)}
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

/**
 * What was billed with some months, or written off in one of them, by the last part of its SKU: exact decimal strings. Of books by longer
 * periods each month has what was used in it, and what came in it too late for its own period. What waits for a price is in none yet: so
 * months whose periods are closed stay as they are.
 */
export async function quantitiesByDimension(
  db: Kysely<Database>,
  months: readonly LedgerPeriod[],
): Promise<ReadonlyMap<string, string>> {
  const names = months.map(({ name }) => name);
  const [from, to] = [months[0]!.startMs, months.at(-1)!.endMs].map((atMs) => new Date(atMs)) as [Date, Date];
  const { rows } = await sql<{ dimension: string; quantity: string }>`
    SELECT substring(sku FROM '[^/]+$') AS dimension, trim_scale(sum(quantity))::text AS quantity FROM (
      SELECT sku, quantity FROM usage_sums WHERE billed_in = ANY (${names}::text[])
      UNION ALL
      SELECT sku, quantity FROM usage_months WHERE month = ANY (${names}::text[])
      UNION ALL
      SELECT sku, quantity FROM unrated_usage
        WHERE dropped_by IS NOT NULL AND quantity IS NOT NULL AND rated_at >= ${from} AND rated_at < ${to}
    ) AS used GROUP BY 1`.execute(db);
  return new Map(rows.map(({ dimension, quantity }) => [dimension, quantity]));
}

/**
 * What the tokens come to that hosts have served whose accelerators were seen to be up in some months, at the prices of their sums: of each
 * sum, with what other services told of the same SKU in it, the part that they are of all its units. Of sums that were billed with their
 * own period: what comes later changes nothing any more. An exact decimal string.
 */
export async function servedRevenue(
  db: Kysely<Database>,
  months: readonly LedgerPeriod[],
  currency: string,
): Promise<string> {
  const names = months.map(({ name }) => name);
  const [from, to] = [months[0]!.startMs, months.at(-1)!.endMs].map((atMs) => new Date(atMs)) as [Date, Date];
  const { rows } = await sql<{ amount: string | null }>`
    WITH served AS (
      SELECT organisation, model || '/' || kind AS sku, m.month, sum(tokens) AS quantity
      FROM unnest(
        ${column(months, "text", ({ name }) => name)},
        ${column(months, "bigint", ({ startMs }) => startMs)},
        ${column(months, "bigint", ({ endMs }) => endMs)}
      ) AS m (month, start_ms, end_ms)
      JOIN usage u ON u.started_at >= ${instant(sql`m.start_ms`)} AND u.started_at < ${instant(sql`m.end_ms`)}
      CROSS JOIN LATERAL (VALUES
        (CASE endpoint WHEN 'embeddings' THEN 'embedding-tokens' ELSE 'input-tokens' END, input_tokens - cached_input_tokens),
        ('cached-read-tokens', cached_input_tokens),
        ('output-tokens', output_tokens - reasoning_tokens),
        ('reasoning-tokens', reasoning_tokens)
      ) AS counted (kind, tokens)
      WHERE day BETWEEN ${dayOf(from)}::date AND ${dayOf(to)}::date AND unrated IS NULL AND NOT is_late AND tokens > 0
        AND destination IN (SELECT host FROM accelerator_time WHERE hour >= ${from} AND hour < ${to} AND up_ms > 0)
      GROUP BY 1, 2, 3
    ), summed AS (
      SELECT organisation, sku, month, sum(accrued) AS accrued, sum(quantity) AS quantity FROM (
        SELECT organisation, sku, period AS month, accrued, quantity FROM usage_sums
        WHERE currency = ${currency} AND period = ANY (${names}::text[]) AND billed_in = period
        UNION ALL
        SELECT organisation, sku, month, accrued, quantity FROM usage_months
        WHERE currency = ${currency} AND month = ANY (${names}::text[]) AND billed_in = period
      ) AS of_month GROUP BY 1, 2, 3
    )
    SELECT trim_scale(round(sum(accrued * served.quantity / summed.quantity), 12))::text AS amount
    FROM served JOIN summed USING (organisation, sku, month) WHERE summed.quantity > 0`.execute(db);
  return rows[0]?.amount ?? "0";
}

/** The currencies that revenue was posted in. */
export async function revenueCurrencies(db: Kysely<Database>): Promise<readonly string[]> {
  const { rows } = await sql<{ currency: string }>`
    SELECT DISTINCT currency FROM ledger_postings WHERE ${isRevenue(sql`account`)}
    ORDER BY currency`.execute(db);
  return rows.map(({ currency }) => currency);
}
