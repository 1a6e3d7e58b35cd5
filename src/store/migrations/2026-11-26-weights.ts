import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

/** What a project has of a pool that is short, beside others. Projects that are there already all weigh the same. */
export const weights: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    const allowed = "weight BETWEEN 1 AND 100";
    await sql.raw(`ALTER TABLE projects ADD COLUMN weight smallint NOT NULL DEFAULT 1 CHECK (${allowed})`).execute(db);
  },
};
