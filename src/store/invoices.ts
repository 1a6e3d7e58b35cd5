import { type Kysely, sql, type Transaction } from "kysely";
import type { InvoiceId, OrganisationId } from "../base/index.ts";
import { balanceOf, type InvoiceBalance } from "./payments.ts";
import type { Database } from "./schema.ts";

/** A draft on its way in; money in units of 10^-12. */
export interface DraftInvoice {
  readonly id: InvoiceId;
  readonly organisation: OrganisationId;
  readonly period: string;
  readonly currency: string;
  /** JSON. */
  readonly bill: string;
  readonly net: bigint;
  readonly tax: bigint;
  readonly gross: bigint;
  /** What rounding took away, below 0 where it added. */
  readonly residual: bigint;
  /** What wallets pay of `net`, and what those credits had cost. */
  readonly drawn: bigint;
  readonly drawnCost: bigint;
  /** The grant that it is the purchase of; null: it is of usage. */
  readonly grant: string | null;
  readonly createdAtMs: number;
}

const invoicesAtOnce = 1_000;

export async function addInvoices(
  transaction: Transaction<Database>,
  invoices: readonly DraftInvoice[],
): Promise<void> {
  for (let from = 0; from < invoices.length; from += invoicesAtOnce) {
    const rows = invoices
      .slice(from, from + invoicesAtOnce)
      .map(({ net, tax, gross, residual, drawn, drawnCost, ...rest }) => ({
        ...rest,
        net: String(net),
        tax: String(tax),
        gross: String(gross),
        residual: String(residual),
        drawn: String(drawn),
        drawnCost: String(drawnCost),
      }));
    await sql`
      INSERT INTO invoices (id, organisation, period, currency, bill, net, tax, gross, residual, drawn, drawn_cost, grant_id, created_at)
      SELECT id, organisation, period, currency, bill, net * 0.000000000001, tax * 0.000000000001,
        gross * 0.000000000001, residual * 0.000000000001, drawn * 0.000000000001, "drawnCost" * 0.000000000001,
        "grant", timestamptz 'epoch' + "createdAtMs" * interval '1 millisecond'
      FROM json_to_recordset(${JSON.stringify(rows)}::json) AS invoice (
        id text, organisation text, period text, currency text, bill text, net numeric, tax numeric, gross numeric,
        residual numeric, drawn numeric, "drawnCost" numeric, "grant" text, "createdAtMs" bigint
      )`.execute(transaction);
  }
}

/** Exact decimal strings, of all invoices of usage in a currency. */
export interface InvoiceTotal {
  readonly currency: string;
  readonly invoices: number;
  readonly net: string;
  readonly tax: string;
  readonly gross: string;
  readonly residual: string;
}

/** Customers of a period's drafts that have no rate of tax, by what they are called now: the first ones, and how many drafts there are. */
export async function untaxedDrafts(
  db: Kysely<Database>,
  period: string,
  limit: number,
): Promise<{ readonly customers: readonly string[]; readonly count: number }> {
  // Bills are as we write them, and large: a look at the text is enough.
  const { rows } = await sql<{ customer: string; count: string }>`
    SELECT coalesce(o.name, i.organisation) AS customer, count(*) OVER () AS count
    FROM invoices i LEFT JOIN organisations o ON o.id = i.organisation
    WHERE i.period = ${period} AND i.state = 'draft' AND i.tax = 0
      AND i.bill LIKE '%"taxPercent":null,"reverseCharge":false%'
    ORDER BY 1 LIMIT ${limit}`.execute(db);
  return { customers: rows.map(({ customer }) => customer), count: Number(rows[0]?.count ?? 0) };
}

export async function invoiceTotals(
  db: Kysely<Database>,
  period: string,
): Promise<{ readonly invoices: number; readonly totals: readonly InvoiceTotal[] }> {
  const { rows } = await sql<Omit<InvoiceTotal, "invoices"> & { invoices: string }>`
    SELECT currency, count(*) AS invoices, trim_scale(sum(net))::text AS net, trim_scale(sum(tax))::text AS tax,
      trim_scale(sum(gross))::text AS gross, trim_scale(sum(residual))::text AS residual
    FROM invoices WHERE period = ${period} AND grant_id IS NULL GROUP BY currency ORDER BY currency`.execute(db);
  const totals = rows.map((row) => ({ ...row, invoices: Number(row.invoices) }));
  return { invoices: totals.reduce((sum, { invoices }) => sum + invoices, 0), totals };
}

/** A period of the ledger; undefined where nothing was ever posted or closed in it. */
export async function findPeriod(
  db: Kysely<Database>,
  period: string,
): Promise<{ readonly closedAt: Date | undefined; readonly closedBy: string | undefined } | undefined> {
  const row = await db
    .selectFrom("ledgerPeriods")
    .select(["closedAt", "closedBy"])
    .where("period", "=", period)
    .executeTakeFirst();
  return row && { closedAt: row.closedAt ?? undefined, closedBy: row.closedBy ?? undefined };
}

/** The first period that anything is posted in; undefined where nothing ever was. */
export async function firstPeriod(
  db: Kysely<Database>,
): Promise<{ readonly name: string; readonly startMs: number } | undefined> {
  const row = await db
    .selectFrom("ledgerPeriods")
    .select(["period", "startsAt"])
    .orderBy("startsAt")
    .limit(1)
    .executeTakeFirst();
  return row && { name: row.period, startMs: row.startsAt.getTime() };
}

/** Whether nothing was ever posted in a period, or before. */
export async function isEmptyFirst(db: Kysely<Database>, period: string): Promise<boolean> {
  const { rows } = await sql<{ isEmpty: boolean }>`
    SELECT NOT EXISTS (SELECT FROM ledger_periods e JOIN ledger_transactions t ON t.period = e.period WHERE e.ends_at <= p.ends_at)
      AND NOT EXISTS (SELECT FROM ledger_periods e WHERE e.ends_at < p.ends_at) AS is_empty
    FROM ledger_periods p WHERE p.period = ${period}`.execute(db);
  return rows[0]?.isEmpty === true;
}

/** The first period that is open and ends at a moment, or before; undefined where none does. */
export async function openBefore(db: Kysely<Database>, atMs: number): Promise<string | undefined> {
  const row = await db
    .selectFrom("ledgerPeriods")
    .select("period")
    .where("closedAt", "is", null)
    .where("endsAt", "<=", new Date(atMs))
    .orderBy("startsAt")
    .executeTakeFirst();
  return row?.period;
}

export async function closePeriod(
  transaction: Transaction<Database>,
  period: string,
  closedBy: string,
  nowMs: number,
): Promise<void> {
  await transaction
    .updateTable("ledgerPeriods")
    .set({ closedAt: new Date(nowMs), closedBy })
    .where("period", "=", period)
    .executeTakeFirstOrThrow();
}

export interface InvoiceRow extends InvoiceBalance {
  readonly id: InvoiceId;
  readonly organisation: OrganisationId;
  readonly organisationName: string | null;
  readonly period: string;
  readonly currency: string;
  readonly state: "draft" | "final" | "paid" | "void";
  /** JSON. */
  readonly bill: string;
  readonly net: string;
  readonly tax: string;
  readonly gross: string;
  readonly residual: string;
  /** What wallets have paid of `net`. */
  readonly drawn: string;
  /** The grant that it is the purchase of; null: it is of usage. */
  readonly grant: string | null;
  readonly createdAt: Date;
  /** null of a draft. */
  readonly number: string | null;
  readonly issueDate: string | null;
  readonly dueDate: string | null;
}

/** Invoices in the order of their ids. */
export async function invoicesPage(
  db: Kysely<Database>,
  question: {
    readonly id?: InvoiceId;
    readonly organisation?: OrganisationId;
    readonly period?: string;
    readonly after?: InvoiceId;
    readonly limit: number;
  },
): Promise<readonly InvoiceRow[]> {
  const { id, organisation, period, after, limit } = question;
  const filters = [
    sql`true`,
    ...(id === undefined ? [] : [sql`i.id = ${id}`]),
    ...(organisation === undefined ? [] : [sql`i.organisation = ${organisation}`]),
    ...(period === undefined ? [] : [sql`i.period = ${period}`]),
    ...(after === undefined ? [] : [sql`i.id > ${after}`]),
  ];
  const { rows } = await sql<InvoiceRow>`
    SELECT i.id, i.organisation, o.name AS organisation_name, i.period, i.currency, i.state, i.bill,
      trim_scale(i.net)::text AS net, trim_scale(i.tax)::text AS tax, trim_scale(i.gross)::text AS gross,
      trim_scale(i.residual)::text AS residual, trim_scale(i.drawn)::text AS drawn, i.grant_id AS grant, i.created_at, d.number, d.issue_date, d.due_date, balance.paid, balance.open
    FROM invoices i LEFT JOIN organisations o ON o.id = i.organisation
      LEFT JOIN invoice_documents d ON d.invoice = i.id AND d.kind = 'invoice'
      CROSS JOIN LATERAL ${balanceOf(sql`i.id`)}
    WHERE ${sql.join(filters, sql` AND `)} ORDER BY i.id LIMIT ${limit}::bigint`.execute(db);
  return rows;
}
