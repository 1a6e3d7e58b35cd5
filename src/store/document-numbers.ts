import { type Kysely, sql } from "kysely";
import type { Database } from "./schema.ts";

interface Head {
  readonly number: string;
  readonly kind: string;
  /** An invoice's id, or something else that it was made from. */
  readonly reference: string;
}

/**
 * Under which number the document of each transaction was issued, by the transaction's number: a credit's is its credit note's, what
 * else was made from an invoice has the invoice's. Drafts have none.
 */
export async function documentNumbers(
  db: Kysely<Database>,
  heads: readonly Head[],
): Promise<ReadonlyMap<string, string>> {
  const ofInvoices = heads.filter(({ reference }) => reference.startsWith("inv_"));
  if (ofInvoices.length === 0) return new Map();
  const credits = ofInvoices.filter(({ kind }) => kind === "credit");
  const [invoices, notes] = [
    await numbersOfInvoices(db, distinct(ofInvoices)),
    credits.length === 0 ? new Map<string, string>() : await numbersOfCredits(db, distinct(credits)),
  ];
  return new Map(
    ofInvoices.flatMap(({ number, kind, reference }) => {
      const found = kind === "credit" ? notes.get(number) : invoices.get(reference);
      return found === undefined ? [] : [[number, found]];
    }),
  );
}

function distinct(heads: readonly Head[]): readonly string[] {
  return [...new Set(heads.map(({ reference }) => reference))];
}

async function numbersOfInvoices(
  db: Kysely<Database>,
  invoices: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const { rows } = await sql<{ invoice: string; number: string }>`
    SELECT invoice, number FROM invoice_documents WHERE kind = 'invoice' AND invoice = ANY(${invoices}::text[])`.execute(
    db,
  );
  return new Map(rows.map(({ invoice, number }) => [invoice, number]));
}

/**
 * A credit note and its transaction are written together while their invoice is locked, so both are in the same order: the n-th
 * transaction of an amount belongs to the n-th note of it. A note of nothing posts nothing.
 */
async function numbersOfCredits(
  db: Kysely<Database>,
  invoices: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const { rows } = await sql<{ transaction: string; number: string }>`
    WITH posted AS (
      SELECT t.number, t.reference, coalesce(-sum(p.amount) FILTER (WHERE p.account = 'receivables'), 0) AS amount
      FROM ledger_transactions t JOIN ledger_postings p ON p.transaction = t.number
      WHERE t.kind = 'credit' AND t.reference = ANY(${invoices}::text[]) GROUP BY t.number, t.reference
    ), posted_in_order AS (
      SELECT *, row_number() OVER (PARTITION BY reference, amount ORDER BY number) AS place FROM posted
    ), issued_in_order AS (
      SELECT number, invoice, (document::json -> 'totals' ->> 'gross')::numeric AS amount,
        row_number() OVER (PARTITION BY invoice, (document::json -> 'totals' ->> 'gross')::numeric
          ORDER BY issue_date, length(number), number) AS place
      FROM invoice_documents WHERE kind = 'credit-note' AND invoice = ANY(${invoices}::text[])
    )
    SELECT posted_in_order.number AS transaction, issued_in_order.number
    FROM posted_in_order JOIN issued_in_order
      ON invoice = reference AND issued_in_order.amount = posted_in_order.amount
        AND issued_in_order.place = posted_in_order.place`.execute(db);
  return new Map(rows.map(({ transaction, number }) => [transaction, number]));
}
