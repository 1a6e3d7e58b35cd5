import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

/**
 * Invoices that were issued: who is billed, the counters that numbers are drawn from, and the documents. A document is never
 * changed; an invoice is final only with one, and then goes one way.
 */
const statements = [
  `CREATE TABLE organisation_parties (
    organisation text PRIMARY KEY,
    party text NOT NULL,
    changed_at timestamptz NOT NULL,
    changed_by text NOT NULL
  )`,
  // The row that whoever issues the next one locks: a sequence would leave a gap at each rollback.
  `CREATE TABLE invoice_series (
    series text PRIMARY KEY,
    last bigint NOT NULL CHECK (last >= 0),
    newest text CHECK (newest ~ '^\\d{4}-\\d{2}-\\d{2}$')
  )`,
  `CREATE TABLE invoice_documents (
    seller text NOT NULL,
    number text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('invoice', 'credit-note')),
    invoice text NOT NULL REFERENCES invoices,
    document text NOT NULL,
    issue_date text NOT NULL,
    due_date text,
    issued_at timestamptz NOT NULL,
    issued_by text NOT NULL,
    PRIMARY KEY (seller, number)
  )`,
  `CREATE UNIQUE INDEX invoice_documents_invoice ON invoice_documents (invoice) WHERE kind = 'invoice'`,
  `CREATE INDEX invoice_documents_of ON invoice_documents (invoice)`,
  `CREATE INDEX invoice_documents_by_number ON invoice_documents (number)`,
  `CREATE FUNCTION invoice_document_stays() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'invoice_document_stays',
        MESSAGE = 'an invoice that was issued is never changed: it is credited';
    END
  $$`,
  `CREATE TRIGGER invoice_document_stays BEFORE UPDATE OR DELETE ON invoice_documents
    FOR EACH ROW EXECUTE FUNCTION invoice_document_stays()`,
  `CREATE OR REPLACE FUNCTION invoice_stays() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF TG_OP = 'DELETE'
        OR (NEW.id, NEW.organisation, NEW.period, NEW.currency, NEW.bill, NEW.net, NEW.tax, NEW.gross)
          IS DISTINCT FROM (OLD.id, OLD.organisation, OLD.period, OLD.currency, OLD.bill, OLD.net, OLD.tax, OLD.gross)
      THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'invoice_stays',
          MESSAGE = 'what an invoice says is never changed';
      END IF;
      IF NEW.state <> OLD.state AND (OLD.state, NEW.state)
          NOT IN (('draft', 'final'), ('final', 'paid'), ('final', 'void')) THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'invoice_goes_one_way',
          MESSAGE = 'an invoice that is ' || OLD.state || ' does not become ' || NEW.state;
      END IF;
      IF OLD.state = 'draft' AND NEW.state = 'final'
          AND NOT EXISTS (SELECT FROM invoice_documents WHERE invoice = NEW.id AND kind = 'invoice') THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'invoice_has_document',
          MESSAGE = 'an invoice is final once its document is there';
      END IF;
      RETURN NEW;
    END
  $$`,
];

export const issuing: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const statement of statements) await sql.raw(statement).execute(db);
  },
};
