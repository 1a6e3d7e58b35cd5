import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

/** What was unrated and will never be billed: nothing of it is rated, and somebody says why. */
const statements = [
  `ALTER TABLE unrated_usage
    ADD COLUMN dropped_by text,
    ADD COLUMN dropped_for text,
    ADD CHECK ((dropped_by IS NULL) = (dropped_for IS NULL)),
    ADD CHECK (dropped_by IS NULL OR (rated_at IS NOT NULL AND rated_quantity = 0))`,
  `CREATE INDEX unrated_usage_dropped ON unrated_usage (number) WHERE dropped_by IS NOT NULL`,
];

export const writtenOff: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const statement of statements) await sql.raw(statement).execute(db);
  },
};
