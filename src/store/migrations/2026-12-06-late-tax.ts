import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

/** A draft that closed before its rate of tax was known gets its tax in the moment in which it becomes final, and never another one. */
const statements = [
  `CREATE OR REPLACE FUNCTION invoice_stays() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF TG_OP = 'DELETE'
        OR (NEW.id, NEW.organisation, NEW.period, NEW.currency, NEW.net)
          IS DISTINCT FROM (OLD.id, OLD.organisation, OLD.period, OLD.currency, OLD.net)
        OR ((NEW.bill, NEW.tax, NEW.gross) IS DISTINCT FROM (OLD.bill, OLD.tax, OLD.gross)
          AND NOT (OLD.state = 'draft' AND NEW.state = 'final' AND OLD.tax = 0
            AND OLD.bill LIKE '%"taxPercent":null,%' AND NEW.gross - NEW.tax = OLD.gross - OLD.tax))
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
  // What may change in that moment is said above.
  `CREATE OR REPLACE FUNCTION invoice_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
      changeable text[] := CASE WHEN OLD.state = 'draft' AND NEW.state = 'final'
        THEN ARRAY['state', 'bill', 'tax', 'gross'] ELSE ARRAY['state'] END;
    BEGIN
      IF to_jsonb(NEW) - changeable IS DISTINCT FROM to_jsonb(OLD) - changeable THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'invoice_stays',
          MESSAGE = 'what an invoice says is never changed';
      END IF;
      RETURN NEW;
    END
  $$`,
];

export const lateTax: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const statement of statements) await sql.raw(statement).execute(db);
  },
};
