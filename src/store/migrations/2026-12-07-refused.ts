import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

/** Operators are told when a limit first refuses, too. */
export const refused: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await sql`ALTER TABLE alerts DROP CONSTRAINT alerts_kind_check,
      ADD CONSTRAINT alerts_kind_check CHECK (kind IN ('budget', 'wallet', 'unrated', 'refused'))`.execute(db);
  },
};
