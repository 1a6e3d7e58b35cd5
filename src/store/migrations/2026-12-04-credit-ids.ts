import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

/** What makes a credit the same one when it is asked for again: the asker's id, and a digest of what was asked. */
const statements = [
  `ALTER TABLE invoice_documents
    ADD COLUMN credit_id text CHECK (credit_id <> ''),
    ADD COLUMN credit_digest bytea CHECK (length(credit_digest) = 32),
    ADD CHECK ((credit_id IS NULL) = (credit_digest IS NULL) AND (credit_id IS NULL OR kind = 'credit-note'))`,
  `CREATE UNIQUE INDEX invoice_documents_by_credit ON invoice_documents (invoice, credit_id) WHERE credit_id IS NOT NULL`,
];

export const creditIds: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const statement of statements) await sql.raw(statement).execute(db);
  },
};
