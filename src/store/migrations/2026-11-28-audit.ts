import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

/**
 * Named operators, what keys may do beside asking models, and the log of who did what. Every key that is there goes on
 * asking models and may do nothing else.
 */
const statements = [
  `CREATE TABLE operators (
    id text PRIMARY KEY,
    name text NOT NULL CHECK (name <> ''),
    country text CHECK (country ~ '^[A-Z]{2}(-[A-Z0-9]{1,3})?$'),
    token_hash bytea NOT NULL UNIQUE CHECK (length(token_hash) = 32),
    created_at timestamptz NOT NULL,
    created_by text NOT NULL,
    revoked_at timestamptz
  )`,
  // A name stands in the audit log for ever, so it is given once.
  `CREATE UNIQUE INDEX operators_by_name ON operators (name)`,

  `ALTER TABLE keys
    ADD COLUMN permissions text[] NOT NULL DEFAULT '{use}' CHECK (cardinality(permissions) > 0),
    ADD COLUMN reach text NOT NULL DEFAULT 'project' CHECK (reach IN ('project', 'organisation'))`,

  `CREATE TABLE audit (
    number bigint PRIMARY KEY CHECK (number > 0),
    request text NOT NULL,
    at timestamptz NOT NULL,
    actor text NOT NULL,
    action text NOT NULL,
    outcome text NOT NULL,
    organisation text,
    project text,
    body text NOT NULL,
    hash text NOT NULL UNIQUE CHECK (hash ~ '^[0-9a-f]{64}$')
  )`,
  `CREATE INDEX audit_by_organisation ON audit (organisation, number)`,
  `CREATE INDEX audit_by_project ON audit (project, number)`,
  `CREATE INDEX audit_by_request ON audit (request)`,
  // The hashes show a change; this stops the slip that would make one.
  `CREATE FUNCTION refuse_change_of_audit() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN
      -- A restore empties what is empty.
      IF TG_OP <> 'TRUNCATE' OR EXISTS (SELECT FROM audit) THEN RAISE EXCEPTION 'the audit log is only added to'; END IF;
      RETURN NULL;
    END $$`,
  `CREATE TRIGGER audit_is_only_added_to BEFORE UPDATE OR DELETE ON audit
    FOR EACH ROW EXECUTE FUNCTION refuse_change_of_audit()`,
  `CREATE TRIGGER audit_is_not_emptied BEFORE TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_audit()`,
];

export const audit: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const statement of statements) await sql.raw(statement).execute(db);
  },
};
