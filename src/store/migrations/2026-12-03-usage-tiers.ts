import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

/**
 * Which tier a request was held to, and what that promised then: settings change, and so does what a project has. Rows that are
 * there already have none.
 */
export const usageTiers: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await sql
      .raw(
        `ALTER TABLE usage
          ADD COLUMN tier text CHECK (tier IN ('interactive', 'standard', 'batch')),
          ADD COLUMN ttft_ms bigint CHECK (ttft_ms >= 0),
          ADD COLUMN tpot_ms bigint CHECK (tpot_ms >= 0)`,
      )
      .execute(db);
  },
};
