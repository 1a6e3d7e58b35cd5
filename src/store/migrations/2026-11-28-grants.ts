import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

/** Grants by which a member of staff looks at a project's data, for a time, once its tenant has approved. */
const statements = [
  `CREATE TABLE grants (
    id text PRIMARY KEY,
    organisation text NOT NULL,
    project text NOT NULL REFERENCES projects,
    operator text NOT NULL,
    reason text NOT NULL CHECK (reason <> ''),
    seconds bigint NOT NULL CHECK (seconds > 0),
    asked_at timestamptz NOT NULL,
    asked_by text NOT NULL,
    approved_at timestamptz,
    approved_by text,
    until timestamptz,
    ended_at timestamptz,
    ended_by text,
    CHECK ((approved_at IS NULL) = (until IS NULL) AND (approved_at IS NULL) = (approved_by IS NULL)),
    CHECK ((ended_at IS NULL) = (ended_by IS NULL))
  )`,
  `CREATE INDEX grants_by_project ON grants (project, id)`,
  `CREATE INDEX grants_by_organisation ON grants (organisation, id)`,
  `CREATE INDEX grants_by_operator ON grants (operator, project)`,
];

export const grants: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const statement of statements) await sql.raw(statement).execute(db);
  },
};
