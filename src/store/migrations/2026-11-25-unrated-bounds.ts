import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

/**
 * What a request whose usage is not known can have cost at most. Budgets are charged with it, so that what nobody can
 * count is not free, and must find it again after a restart. Rows that are there already have none.
 */
export const unratedBounds: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await sql.raw("ALTER TABLE usage ADD COLUMN amount_bound numeric CHECK (amount_bound >= 0)").execute(db);
  },
};
