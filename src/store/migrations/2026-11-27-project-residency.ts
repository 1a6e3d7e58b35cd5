import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

/**
 * What else a project says of where its data may be. Null is what projects were before: data rests where it is processed,
 * the regimes are those of its class, and there is no country and no figures of exports.
 */
const statements = [
  `ALTER TABLE projects
    ADD COLUMN storage text[],
    ADD COLUMN regimes text[] CHECK (cardinality(regimes) > 0),
    ADD COLUMN country text CHECK (country ~ '^[A-Z]{2}(-[A-Z0-9]{1,3})?$'),
    ADD COLUMN exported jsonb CHECK (jsonb_typeof(exported -> 'year') = 'number')`,
];

export const projectResidency: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const statement of statements) await sql.raw(statement).execute(db);
  },
};
