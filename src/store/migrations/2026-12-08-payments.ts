import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

/**
 * Payments of invoices, in parts too, and what goes back of them; a paid invoice is open again where a payment did not last. Each
 * is what its transaction in the ledger says, and what is open of an invoice is what the ledger has of it as receivables.
 */
const statements = [
  `CREATE TABLE invoice_payments (
    invoice text NOT NULL REFERENCES invoices,
    id text NOT NULL CHECK (id <> ''),
    kind text NOT NULL CHECK (kind IN ('payment', 'refund')),
    amount numeric(38, 12) NOT NULL CHECK (amount > 0),
    date text CHECK (date ~ '^\\d{4}-\\d{2}-\\d{2}$'),
    payment text,
    digest bytea CHECK (length(digest) = 32),
    transaction bigint NOT NULL UNIQUE,
    created_at timestamptz NOT NULL,
    created_by text,
    PRIMARY KEY (invoice, id),
    CHECK (payment IS NULL OR kind = 'refund')
  )`,
  `CREATE UNIQUE INDEX invoice_payments_return_once ON invoice_payments (invoice, payment) WHERE payment IS NOT NULL`,
  // What was paid before has its posting alone.
  `INSERT INTO invoice_payments (invoice, id, kind, amount, transaction, created_at)
    SELECT i.id, 'transaction-' || t.number, 'payment', p.amount, t.number, t.created_at
    FROM ledger_transactions t JOIN invoices i ON i.id = t.reference
      JOIN ledger_postings p ON p.transaction = t.number AND p.account = 'cash' AND p.amount > 0
    WHERE t.kind = 'payment'`,

  `CREATE TRIGGER ledger_stays BEFORE UPDATE OR DELETE ON invoice_payments
    FOR EACH ROW EXECUTE FUNCTION ledger_stays()`,
  `CREATE TRIGGER books_are_not_emptied BEFORE TRUNCATE ON invoice_payments
    FOR EACH STATEMENT EXECUTE FUNCTION books_are_not_emptied()`,
  // At the end of the database's transaction, and true of the whole history: a restore has its rows in any order.
  `CREATE FUNCTION invoice_payment_is_posted() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF NOT EXISTS (
        SELECT FROM ledger_transactions t JOIN ledger_postings p ON p.transaction = t.number
        WHERE t.number = NEW.transaction AND t.kind = NEW.kind AND t.reference = NEW.invoice AND p.account = 'cash'
          AND p.amount = CASE NEW.kind WHEN 'payment' THEN NEW.amount ELSE -NEW.amount END
      ) THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'invoice_payment_is_posted',
          MESSAGE = NEW.kind || ' ' || NEW.id || ' of ' || NEW.invoice || ' is not what the ledger has posted';
      END IF;
      RETURN NULL;
    END
  $$`,
  `CREATE CONSTRAINT TRIGGER invoice_payment_is_posted AFTER INSERT ON invoice_payments
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION invoice_payment_is_posted()`,
  `CREATE FUNCTION ledger_payment_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF NOT EXISTS (SELECT FROM invoice_payments WHERE transaction = NEW.number) THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_payment_is_kept',
          MESSAGE = NEW.kind || ' of ' || NEW.reference || ' is no payment of an invoice';
      END IF;
      RETURN NULL;
    END
  $$`,
  `CREATE CONSTRAINT TRIGGER ledger_payment_is_kept AFTER INSERT ON ledger_transactions
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.kind IN ('payment', 'refund'))
    EXECUTE FUNCTION ledger_payment_is_kept()`,
  `CREATE FUNCTION invoice_payments_add_up() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
      paid numeric;
      returned numeric;
      refunded numeric;
    BEGIN
      IF NEW.payment IS NOT NULL AND NOT EXISTS (
        SELECT FROM invoice_payments
        WHERE invoice = NEW.invoice AND id = NEW.payment AND kind = 'payment' AND amount = NEW.amount
      ) THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'invoice_payment_returns_whole',
          MESSAGE = 'payment ' || NEW.payment || ' of ' || NEW.invoice || ' comes back as a whole, or not at all';
      END IF;
      SELECT coalesce(sum(amount) FILTER (WHERE kind = 'payment'), 0),
          coalesce(sum(amount) FILTER (WHERE kind = 'refund' AND payment IS NOT NULL), 0),
          coalesce(sum(amount) FILTER (WHERE kind = 'refund' AND payment IS NULL), 0)
        INTO paid, returned, refunded FROM invoice_payments WHERE invoice = NEW.invoice;
      IF paid - returned - refunded > (SELECT gross - drawn FROM invoices WHERE id = NEW.invoice) OR refunded > paid THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'invoice_payments_add_up',
          MESSAGE = 'of ' || NEW.invoice || ' more was paid than is owed, or more refunded than was paid';
      END IF;
      RETURN NULL;
    END
  $$`,
  `CREATE CONSTRAINT TRIGGER invoice_payments_add_up AFTER INSERT ON invoice_payments
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION invoice_payments_add_up()`,

  `CREATE FUNCTION invoice_open(named text) RETURNS numeric LANGUAGE sql STABLE AS $$
    SELECT coalesce(sum(p.amount), 0) FROM ledger_transactions t JOIN ledger_postings p ON p.transaction = t.number
      WHERE t.reference = named AND p.account = 'receivables'
  $$`,
  `CREATE OR REPLACE FUNCTION invoice_stays() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
      owed numeric;
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
          NOT IN (('draft', 'final'), ('final', 'paid'), ('final', 'void'), ('paid', 'final')) THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'invoice_goes_one_way',
          MESSAGE = 'an invoice that is ' || OLD.state || ' does not become ' || NEW.state;
      END IF;
      IF OLD.state = 'draft' AND NEW.state = 'final'
          AND NOT EXISTS (SELECT FROM invoice_documents WHERE invoice = NEW.id AND kind = 'invoice') THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'invoice_has_document',
          MESSAGE = 'an invoice is final once its document is there';
      END IF;
      IF NEW.state <> OLD.state AND OLD.state <> 'draft' THEN
        owed := invoice_open(NEW.id);
        IF (NEW.state = 'paid' AND owed > 0) OR (NEW.state = 'void' AND owed <> 0) OR (NEW.state = 'final' AND owed <= 0) THEN
          RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'invoice_is_settled',
            MESSAGE = 'an invoice of which ' || trim_scale(owed) || ' is open does not become ' || NEW.state;
        END IF;
      END IF;
      RETURN NEW;
    END
  $$`,
];

export const payments: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const statement of statements) await sql.raw(statement).execute(db);
  },
};
