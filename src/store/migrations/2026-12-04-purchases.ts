import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

/**
 * Invoices of credits that were bought, one for each grant, and grants that are taken back with them; of each invoice that wallets
 * have paid, what the credits had cost. Grants of before have no invoice, and of bills of before that cost is not known.
 */
const statements = [
  `ALTER TABLE invoices ADD COLUMN grant_id text`,
  `ALTER TABLE invoices ADD COLUMN drawn_cost numeric(38, 12) CHECK (drawn_cost >= 0)`,
  `ALTER TABLE invoices ADD CONSTRAINT invoices_of_grant
    FOREIGN KEY (organisation, grant_id) REFERENCES wallet_grants (organisation, id)`,
  `ALTER TABLE invoices DROP CONSTRAINT invoices_organisation_period_currency_key`,
  `CREATE UNIQUE INDEX invoices_of_usage ON invoices (organisation, period, currency) WHERE grant_id IS NULL`,
  `CREATE UNIQUE INDEX invoices_of_grants ON invoices (organisation, grant_id) WHERE grant_id IS NOT NULL`,
  `CREATE OR REPLACE FUNCTION invoice_drawn_stays() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF (NEW.drawn, NEW.drawn_cost, NEW.grant_id) IS DISTINCT FROM (OLD.drawn, OLD.drawn_cost, OLD.grant_id) THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'invoice_stays',
          MESSAGE = 'what an invoice says is never changed';
      END IF;
      RETURN NEW;
    END
  $$`,

  `ALTER TABLE wallet_movements DROP CONSTRAINT wallet_movements_kind_check`,
  `ALTER TABLE wallet_movements ADD CONSTRAINT wallet_movements_kind_check CHECK (kind IN ('draw', 'lapse', 'return'))`,
  // Together with wallet_is_not_overdrawn: what was returned was never used, and never is.
  `CREATE FUNCTION wallet_returns_whole() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF NEW.credits <> (SELECT credits FROM wallet_grants WHERE organisation = NEW.organisation AND id = NEW.grant_id) THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'wallet_returns_whole',
          MESSAGE = 'grant ' || NEW.grant_id || ' is returned as a whole, or not at all';
      END IF;
      RETURN NULL;
    END
  $$`,
  `CREATE TRIGGER wallet_returns_whole AFTER INSERT ON wallet_movements
    FOR EACH ROW WHEN (NEW.kind = 'return') EXECUTE FUNCTION wallet_returns_whole()`,
];

export const purchases: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const statement of statements) await sql.raw(statement).execute(db);
  },
};
