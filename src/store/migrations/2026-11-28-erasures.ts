import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

/** Erasures, each a row that says how far it is, and which organisations and projects are gone. */
const statements = [
  `ALTER TABLE organisations ADD COLUMN erased_at timestamptz`,
  `ALTER TABLE projects ADD COLUMN erased_at timestamptz`,
  `CREATE TABLE erasures (
    id text PRIMARY KEY,
    organisation text NOT NULL,
    project text,
    kind text NOT NULL CHECK (kind IN ('request', 'subject', 'project', 'organisation')),
    asked_at timestamptz NOT NULL,
    asked_by text NOT NULL,
    reason text,
    blinding text NOT NULL,
    progress text NOT NULL,
    steps text[] NOT NULL DEFAULT '{}',
    finished_at timestamptz,
    statement text,
    CHECK ((finished_at IS NULL) = (statement IS NULL))
  )`,
  `CREATE INDEX erasures_by_organisation ON erasures (organisation, id)`,
  `CREATE INDEX erasures_open ON erasures (id) WHERE finished_at IS NULL`,
];

export const erasures: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const statement of statements) await sql.raw(statement).execute(db);
  },
};
