import type { Transaction } from "kysely";
import { type InvoiceId, refuse, type Refusal, RefusalError, refusing } from "../base/index.ts";
import { type Invoice, invoiceOf, readBill } from "../invoicing/index.ts";
import { type BillDocument, minorAmount, type Period } from "../ledger/index.ts";
import { type Database, draftsOf, issuedDocuments, setInvoiceState, takeInvoice } from "../store/index.ts";
import type { BooksContext } from "./context.ts";
import { issueNext } from "./numbers.ts";
import { partiesFor } from "./parties.ts";

type InvoiceRow = NonNullable<Awaited<ReturnType<typeof takeInvoice>>>;

/** Which drafts became final, and of which it is not known what they would have to say. */
export interface Finalized {
  readonly issued: readonly { readonly invoice: string; readonly number: string }[];
  /** The first ones. */
  readonly refused: readonly { readonly invoice: string; readonly code: string; readonly message: string }[];
  readonly refusals: number;
}

const refusedMost = 100;

/** Makes a draft final, under the next number; one that is final answers as it did. What the law asks for and nobody has said takes no number. */
export async function finalize(context: BooksContext, id: string, by: string): Promise<Invoice | Refusal> {
  return refusing(() =>
    context.db.transaction().execute(async (transaction) => {
      const row = await heldInvoice(transaction, id);
      if (row.state !== "draft") return documentOf(transaction, row.id);
      const parties = await partiesFor(context, transaction, row.organisation);
      const bill = readBill(JSON.parse(row.bill) as BillDocument, await periodOf(transaction, row.period));
      const told = { kind: "invoice", seller: parties.seller.name, invoice: row.id, by } as const;
      const drawn = minorAmount(row.drawn, row.currency)!;
      const invoice = await issueNext(context, transaction, told, (numbered) =>
        invoiceOf(bill, {
          ...numbered,
          parties,
          timeZone: context.prices.book.calendar.timeZone,
          drawn,
          taxOfRest: bill.tax.amount,
          receiptsOf: (line) => receiptsOf(row.id, line),
        }),
      );
      await setInvoiceState(transaction, row.id, "final");
      return invoice;
    }),
  );
}

/** Makes a period's drafts final, one after the other: each that can be is, whatever the others lack. */
export async function finalizePeriod(context: BooksContext, period: string, by: string): Promise<Finalized> {
  const issued: { invoice: string; number: string }[] = [];
  const refused: { invoice: string; code: string; message: string }[] = [];
  for (const invoice of await draftsOf(context.db, period)) {
    const made = await finalize(context, invoice, by);
    if (!("outcome" in made)) issued.push({ invoice, number: made.number });
    else refused.push({ invoice, code: made.code, message: made.message });
  }
  return { issued, refused: refused.slice(0, refusedMost), refusals: refused.length };
}

/** An invoice that nobody else changes until the transaction ends; throws a refusal where there is none. */
export async function heldInvoice(transaction: Transaction<Database>, id: string): Promise<InvoiceRow> {
  const row = await takeInvoice(transaction, id as InvoiceId);
  if (row !== undefined) return row;
  throw new RefusalError(refuse("not_found", `There is no invoice ${id}.`, { param: "invoice" }));
}

/** The document of an invoice that was issued. */
export async function documentOf(transaction: Transaction<Database>, invoice: InvoiceId): Promise<Invoice> {
  const documents = await issuedDocuments(transaction, { invoice, limit: 10_000 });
  const { document } = documents.find(({ kind }) => kind === "invoice")!;
  return JSON.parse(document) as Invoice;
}

/** As it was closed, whatever the price book says of its time zone by now. */
async function periodOf(transaction: Transaction<Database>, name: string): Promise<Period> {
  const { startsAt, endsAt } = await transaction
    .selectFrom("ledgerPeriods")
    .select(["startsAt", "endsAt"])
    .where("period", "=", name)
    .executeTakeFirstOrThrow();
  return { name, startMs: startsAt.getTime(), endMs: endsAt.getTime() };
}

/** Where the control API tells a line's usage, with the receipts of what was served. */
function receiptsOf(invoice: InvoiceId, line: string): string {
  return `/control/v1/usage/metered?${new URLSearchParams({ invoice, line }).toString()}`;
}
