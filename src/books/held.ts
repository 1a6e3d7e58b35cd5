import type { Transaction } from "kysely";
import { type InvoiceId, refuse, RefusalError } from "../base/index.ts";
import type { Invoice } from "../invoicing/index.ts";
import type { Period } from "../ledger/index.ts";
import { type Database, findInvoice, issuedDocuments, takeInvoice } from "../store/index.ts";

export type InvoiceRow = NonNullable<Awaited<ReturnType<typeof takeInvoice>>>;

/** An invoice that nobody else changes until the transaction ends; throws a refusal where there is none. */
export async function heldInvoice(transaction: Transaction<Database>, id: string): Promise<InvoiceRow> {
  return orNotFound(id, await takeInvoice(transaction, id as InvoiceId));
}

/** An invoice as it is now; throws a refusal where there is none. */
export async function foundInvoice(transaction: Transaction<Database>, id: string): Promise<InvoiceRow> {
  return orNotFound(id, await findInvoice(transaction, id as InvoiceId));
}

function orNotFound(id: string, row: InvoiceRow | undefined): InvoiceRow {
  if (row !== undefined) return row;
  throw new RefusalError(refuse("not_found", `There is no invoice ${id}.`, { param: "invoice" }));
}

export function refuseUnless({ id, state }: InvoiceRow, states: readonly InvoiceRow["state"][], done: string): void {
  if (states.includes(state)) return;
  throw new RefusalError(
    refuse("invoice_state", `Invoice ${id} is ${state} and cannot be ${done}.`, { param: "invoice" }),
  );
}

/** The document of an invoice that was issued. */
export async function documentOf(transaction: Transaction<Database>, invoice: InvoiceId): Promise<Invoice> {
  const documents = await issuedDocuments(transaction, { invoice, limit: 10_000 });
  const { document } = documents.find(({ kind }) => kind === "invoice")!;
  return JSON.parse(document) as Invoice;
}

/** As it was closed, whatever the price book says of its time zone by now. */
export async function periodOf(transaction: Transaction<Database>, name: string): Promise<Period> {
  const { startsAt, endsAt } = await transaction
    .selectFrom("ledgerPeriods")
    .select(["startsAt", "endsAt"])
    .where("period", "=", name)
    .executeTakeFirstOrThrow();
  return { name, startMs: startsAt.getTime(), endMs: endsAt.getTime() };
}
