import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

/** Each sum of usage says in whose revenue it was accrued, as external or as one's own group's, so that it comes out of there again. */
export const segments: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await sql`ALTER TABLE usage_sums ADD COLUMN is_internal boolean NOT NULL DEFAULT false`.execute(db);
    // What was accrued before is where its customer's last accrual of that period went; sums of closed periods are in no accrual any more.
    await sql`
      UPDATE usage_sums s SET is_internal = true
      WHERE billed_in NOT IN (SELECT period FROM ledger_periods WHERE closed_at IS NOT NULL)
        AND (SELECT p.account LIKE 'intersegment/%'
          FROM ledger_postings p JOIN ledger_transactions t ON t.number = p.transaction
          WHERE t.kind = 'accrual' AND t.period = s.billed_in AND p.organisation = s.organisation
            AND (p.account LIKE 'intersegment/%' OR p.account LIKE 'revenue/%')
          ORDER BY p.transaction DESC, p.line DESC LIMIT 1)`.execute(db);
  },
};
