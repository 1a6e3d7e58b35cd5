import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

/** What was asked and answered, sealed, for projects that ask for it; those that are there do not. */
const statements = [
  `ALTER TABLE projects ADD COLUMN keep_content_seconds bigint CHECK (keep_content_seconds > 0)`,
  `CREATE TABLE contents (
    request text PRIMARY KEY,
    organisation text NOT NULL,
    project text NOT NULL,
    at timestamptz NOT NULL,
    until timestamptz NOT NULL,
    data_class text NOT NULL,
    model text NOT NULL,
    endpoint text NOT NULL,
    content_key text NOT NULL,
    subject_tag text,
    wrapped_key bytea NOT NULL,
    sealed bytea NOT NULL
  )`,
  // It is random to whoever has no key: trying to make it smaller only costs time.
  `ALTER TABLE contents ALTER COLUMN sealed SET STORAGE EXTERNAL`,
  `CREATE INDEX contents_by_project ON contents (project, request)`,
  `CREATE INDEX contents_by_organisation ON contents (organisation, request)`,
  `CREATE INDEX contents_by_subject ON contents (project, subject_tag) WHERE subject_tag IS NOT NULL`,
  `CREATE INDEX contents_by_key ON contents (project, content_key)`,
  `CREATE INDEX contents_by_end ON contents (until)`,
];

export const contents: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const statement of statements) await sql.raw(statement).execute(db);
  },
};
