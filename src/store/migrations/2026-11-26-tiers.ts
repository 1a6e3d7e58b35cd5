import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

/**
 * What a project's requests are promised. Projects that are there already become standard ones, which is what all
 * requests were held to before.
 */
export const tiers: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    const allowed = "tier IN ('interactive', 'standard', 'batch')";
    await sql
      .raw(`ALTER TABLE projects ADD COLUMN tier text NOT NULL DEFAULT 'standard' CHECK (${allowed})`)
      .execute(db);
  },
};
