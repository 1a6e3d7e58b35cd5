import { type Kysely, sql, type Transaction } from "kysely";
import type { InvoiceId } from "../base/index.ts";
import type { Database } from "./schema.ts";

/** What has arrived of an invoice, or went back to its customer. */
interface Settlement {
  readonly invoice: InvoiceId;
  readonly id: string;
  readonly kind: "payment" | "refund";
  /** Of a refund, the payment that did not last. */
  readonly payment: string | null;
}

export interface NewPayment extends Settlement {
  /** In units of 10^-12. */
  readonly amount: bigint;
  readonly date: string | null;
  /** SHA-256 of what was asked for; null: nobody can ask for it again. */
  readonly digest: Buffer | null;
  /** The ledger's. */
  readonly transaction: bigint;
  readonly createdBy: string;
}

export interface PaymentRow extends Settlement {
  /** Exact decimal string. */
  readonly amount: string;
  /** The day that was named; null: that of its posting. */
  readonly date: string | null;
  readonly digest: Buffer | null;
  /** When it is posted. */
  readonly at: Date;
  /** null: an earlier release did not keep it. */
  readonly by: string | null;
}

/** Keeps what was posted; at the commit the database refuses what is not in the ledger, or does not add up. */
export async function addPayment(
  transaction: Transaction<Database>,
  { amount, transaction: number, ...payment }: NewPayment,
  nowMs: number,
): Promise<void> {
  await transaction
    .insertInto("invoicePayments")
    .values({ ...payment, amount: `${amount}e-12`, transaction: String(number), createdAt: new Date(nowMs) })
    .execute();
}

/** Payments and refunds of an invoice in the order in which they were posted. */
export async function findPayments(
  db: Kysely<Database>,
  invoice: InvoiceId,
  wanted: { readonly transaction?: number } = {},
): Promise<readonly PaymentRow[]> {
  const rows = await db
    .selectFrom("invoicePayments as p")
    .innerJoin("ledgerTransactions as t", "t.number", "p.transaction")
    .select(["invoice", "id", "p.kind", "amount", "date", "payment", "digest", "at", "createdBy as by"])
    .where("invoice", "=", invoice)
    .$if(wanted.transaction !== undefined, (query) => query.where("p.transaction", "=", String(wanted.transaction)))
    .orderBy("p.transaction")
    .execute();
  return rows;
}

/** What the ledger has of an invoice, as exact decimal strings. */
export interface InvoiceBalance {
  /** Less what went back. */
  readonly paid: string;
  /** Below 0: owed to the customer. */
  readonly open: string;
}

export async function invoiceBalance(db: Kysely<Database>, invoice: InvoiceId): Promise<InvoiceBalance> {
  const { rows } = await sql<InvoiceBalance>`SELECT paid, open FROM ${balanceOf(sql`${invoice}`)}`.execute(db);
  return rows[0]!;
}

/** A row of `paid` and `open` beside each invoice. */
export function balanceOf(invoice: ReturnType<typeof sql>) {
  return sql`(
    SELECT trim_scale(coalesce(sum(p.amount) FILTER (WHERE p.account = 'cash'), 0))::text AS paid,
      trim_scale(coalesce(sum(p.amount) FILTER (WHERE p.account = 'receivables'), 0))::text AS open
    FROM ledger_transactions t JOIN ledger_postings p ON p.transaction = t.number WHERE t.reference = ${invoice}
  ) AS balance`;
}
