import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

/**
 * What the books' guards did not see: postings added once a transaction was looked at, a moment in a closed period under an open one's
 * name, tables emptied at once, and columns of an invoice that nobody had named.
 */
const statements = [
  // Each statement that adds postings leaves its transactions' numbers here, and the check takes them away: so it comes again where
  // `SET CONSTRAINTS` had it come before. Checked posting by posting, a shipment's thousands would each be added up with all others.
  `CREATE TABLE ledger_unchecked (transaction bigint PRIMARY KEY)`,
  `CREATE FUNCTION ledger_is_to_balance() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      -- A row that is there already is written once more: whatever put it there, the check comes.
      INSERT INTO ledger_unchecked SELECT DISTINCT transaction FROM added
        ON CONFLICT (transaction) DO UPDATE SET transaction = excluded.transaction;
      RETURN NULL;
    END
  $$`,
  `CREATE TRIGGER ledger_is_to_balance AFTER INSERT ON ledger_postings REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_is_to_balance()`,
  `CREATE FUNCTION ledger_postings_balance() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
      off text;
    BEGIN
      SELECT string_agg(sum || ' ' || currency, ', ') INTO off FROM (
        SELECT currency, sum(amount) FROM ledger_postings WHERE transaction = NEW.transaction
          GROUP BY currency HAVING sum(amount) <> 0
      ) AS by_currency;
      IF off IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_balances',
          MESSAGE = 'transaction ' || NEW.transaction || ' does not balance: ' || off;
      END IF;
      DELETE FROM ledger_unchecked WHERE transaction = NEW.transaction;
      RETURN NULL;
    END
  $$`,
  `CREATE CONSTRAINT TRIGGER ledger_postings_balance AFTER INSERT OR UPDATE ON ledger_unchecked
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger_postings_balance()`,
  // What is left for the transaction itself: that there are postings.
  `CREATE OR REPLACE FUNCTION ledger_balances() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF NOT EXISTS (SELECT FROM ledger_postings WHERE transaction = NEW.number) THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_balances',
          MESSAGE = 'transaction ' || NEW.number || ' does not balance: it has no postings';
      END IF;
      RETURN NULL;
    END
  $$`,

  // Periods close one after the other: what was before the end of a closed one is closed.
  `CREATE OR REPLACE FUNCTION ledger_is_open() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
      closed text;
    BEGIN
      SELECT min(period) INTO closed FROM ledger_periods
        WHERE closed_at IS NOT NULL AND (period IN (SELECT period FROM added) OR ends_at > (SELECT min(at) FROM added));
      IF closed IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_is_open',
          MESSAGE = 'period ' || closed || ' is closed';
      END IF;
      RETURN NULL;
    END
  $$`,

  `CREATE FUNCTION books_are_not_emptied() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
      is_there boolean;
    BEGIN
      -- A restore empties what is empty.
      EXECUTE format('SELECT EXISTS (SELECT FROM %I.%I)', TG_TABLE_SCHEMA, TG_TABLE_NAME) INTO is_there;
      IF is_there THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_stays',
          MESSAGE = TG_TABLE_NAME || ' is only added to';
      END IF;
      RETURN NULL;
    END
  $$`,
  ...[
    "ledger_periods",
    "invoices",
    "invoice_documents",
    "invoice_series",
    "wallet_grants",
    "wallet_movements",
    "usage_records",
    "usage_events",
  ].map(
    (table) => `CREATE TRIGGER books_are_not_emptied BEFORE TRUNCATE ON ${table}
      FOR EACH STATEMENT EXECUTE FUNCTION books_are_not_emptied()`,
  ),
  ...["usage_records", "usage_events"].map(
    (table) => `CREATE TRIGGER ledger_stays BEFORE UPDATE OR DELETE ON ${table}
      FOR EACH ROW EXECUTE FUNCTION ledger_stays()`,
  ),

  // All of its columns but one, those that are still to come too.
  `CREATE FUNCTION invoice_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF to_jsonb(NEW) - 'state' IS DISTINCT FROM to_jsonb(OLD) - 'state' THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'invoice_stays',
          MESSAGE = 'what an invoice says is never changed';
      END IF;
      RETURN NEW;
    END
  $$`,
  `CREATE TRIGGER invoice_is_kept BEFORE UPDATE ON invoices FOR EACH ROW EXECUTE FUNCTION invoice_is_kept()`,
  `CREATE FUNCTION invoice_series_has_no_gaps() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF TG_OP = 'DELETE' OR NEW.series <> OLD.series OR NEW.last NOT IN (OLD.last, OLD.last + 1) THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'invoice_series_has_no_gaps',
          MESSAGE = 'series ' || OLD.series || ' goes on one by one from ' || OLD.last;
      END IF;
      RETURN NEW;
    END
  $$`,
  `CREATE TRIGGER invoice_series_has_no_gaps BEFORE UPDATE OR DELETE ON invoice_series
    FOR EACH ROW EXECUTE FUNCTION invoice_series_has_no_gaps()`,
];

export const guards: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const statement of statements) await sql.raw(statement).execute(db);
  },
};
