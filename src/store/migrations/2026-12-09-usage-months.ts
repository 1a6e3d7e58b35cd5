import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

/**
 * Sums of periods that are longer than a month, by month: a quarter of a year's books has its own quantities. Of sums that are there already
 * only the last use is known, in UTC: all of one counts in that month, within the period on whose bill it stands.
 */
const statements = [
  `CREATE TABLE usage_months (
    month text COLLATE "C" NOT NULL,
    billed_in text COLLATE "C" NOT NULL,
    organisation text COLLATE "C" NOT NULL,
    sku text COLLATE "C" NOT NULL,
    period text COLLATE "C" NOT NULL,
    terms_from bigint NOT NULL,
    currency text NOT NULL,
    quantity numeric(38, 9) NOT NULL CHECK (quantity >= 0),
    accrued numeric(38, 12) NOT NULL,
    PRIMARY KEY (month, billed_in, organisation, sku, period, terms_from)
  )`,
  `INSERT INTO usage_months
    SELECT greatest(least(to_char(last_at AT TIME ZONE 'UTC', 'YYYY-MM'), last), first),
      billed_in, organisation, sku, period, terms_from, currency, quantity, accrued
    FROM usage_sums CROSS JOIN LATERAL (
      SELECT left(billed_in, 4) || '-' || to_char(coalesce(quarter * 3 - 2, 1), 'FM00') COLLATE "C" AS first,
        left(billed_in, 4) || '-' || to_char(coalesce(quarter * 3, 12), 'FM00') COLLATE "C" AS last
      FROM (SELECT substring(billed_in FROM '-Q([1-4])$')::integer AS quarter) AS named
    ) AS months
    WHERE billed_in ~ '^\\d{4}(-Q[1-4])?$'`,
  // What came after its period was closed: set where it does, so that what is told of the period stays.
  `ALTER TABLE usage ADD COLUMN is_late boolean NOT NULL DEFAULT false`,
];

export const usageMonths: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const statement of statements) await sql.raw(statement).execute(db);
  },
};
