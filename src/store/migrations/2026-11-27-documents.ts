import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

/**
 * What residency is decided by: facts and policies, each version as it was applied. Versions are added and never changed,
 * whoever writes: what a decision of last year stood on can still be read.
 */
const statements = [
  `CREATE TABLE documents (
    kind text NOT NULL CHECK (kind IN ('facts', 'policies')),
    version bigint NOT NULL CHECK (version > 0),
    body text NOT NULL,
    sha256 text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    author text NOT NULL,
    created_at timestamptz NOT NULL,
    note text,
    PRIMARY KEY (kind, version)
  )`,
  `CREATE FUNCTION documents_stay() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'documents_stay',
        MESSAGE = 'a version of a document is never changed';
    END
  $$`,
  `CREATE TRIGGER documents_stay BEFORE UPDATE OR DELETE ON documents
    FOR EACH ROW EXECUTE FUNCTION documents_stay()`,
];

export const documents: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const statement of statements) await sql.raw(statement).execute(db);
  },
};
