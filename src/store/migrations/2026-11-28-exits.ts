import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

/** Tenants that leave, and their dates. */
const statements = [
  `CREATE TABLE exits (
    id text PRIMARY KEY,
    organisation text NOT NULL REFERENCES organisations,
    noticed_at timestamptz NOT NULL,
    notice_until timestamptz NOT NULL CHECK (notice_until >= noticed_at),
    transition_until timestamptz NOT NULL CHECK (transition_until >= notice_until),
    retrieval_until timestamptz NOT NULL CHECK (retrieval_until >= transition_until),
    asked_by text NOT NULL,
    finished_at timestamptz,
    erasure text,
    CHECK ((finished_at IS NULL) = (erasure IS NULL))
  )`,
  `CREATE UNIQUE INDEX exits_open ON exits (organisation) WHERE finished_at IS NULL`,
];

export const exits: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const statement of statements) await sql.raw(statement).execute(db);
  },
};
