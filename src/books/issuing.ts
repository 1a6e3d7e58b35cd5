import type { Transaction } from "kysely";
import { type InvoiceId, type Refusal, refusing } from "../base/index.ts";
import { type BillDrawing, type Invoice, invoiceOf, readBill } from "../invoicing/index.ts";
import { type BillDocument, ledgerUnits, minorAmount, parseFraction, type RatedBook, taxing } from "../ledger/index.ts";
import { countIssued, type Database, draftsOf, setFinal } from "../store/index.ts";
import { hold, type Held } from "./accruing.ts";
import type { BooksContext } from "./context.ts";
import { documentOf, heldInvoice, type InvoiceRow, periodOf } from "./held.ts";
import { taxedLate } from "./late-tax.ts";
import { issueNext } from "./numbers.ts";
import { partiesFor } from "./parties.ts";
import { postNow } from "./posting.ts";
import { issuePurchase } from "./purchases.ts";

/** Which drafts became final, and of which it is not known what they would have to say. */
export interface Finalized {
  readonly issued: readonly { readonly invoice: string; readonly number: string }[];
  /** The first ones. */
  readonly refused: readonly { readonly invoice: string; readonly code: string; readonly message: string }[];
  readonly refusals: number;
  /** Invoices of the period that were final before. */
  readonly before: number;
}

const refusedMost = 100;

/** Makes a draft final, under the next number; one that is final answers as it did. What the law asks for and nobody has said takes no number. */
export async function finalize(context: BooksContext, id: string, by: string): Promise<Invoice | Refusal> {
  return refusing(() =>
    context.db.transaction().execute(async (transaction) => {
      const held = await hold(context, transaction);
      const row = await heldInvoice(transaction, id);
      if (row.state !== "draft") return documentOf(transaction, row.id);
      if (row.grantId === null) return issueUsage(context, transaction, { row, held }, by);
      const invoice = await issuePurchase(context, transaction, row, { by, prepaid: 0n });
      await setFinal(transaction, row.id, undefined);
      return invoice;
    }),
  );
}

interface HeldInvoice {
  readonly row: InvoiceRow;
  readonly held: Held;
}

async function issueUsage(
  context: BooksContext,
  transaction: Transaction<Database>,
  { row, held }: HeldInvoice,
  by: string,
): Promise<Invoice> {
  const parties = await partiesFor(context, transaction, row.organisation);
  const { bill, drawing, late } = await usedBy(context, transaction, { row, book: held.book });
  const told = { kind: "invoice", seller: parties.seller.name, invoice: row.id, by } as const;
  const { timeZone } = held.book.calendar;
  const invoice = await issueNext(context, transaction, told, (numbered) =>
    invoiceOf(bill, { ...numbered, parties, timeZone, ...drawing }),
  );
  await makeFinal(context, transaction, { row, held }, late);
  return invoice;
}

/** What an invoice is the price of, with the tax that the price book has by now. */
export async function usedBy(
  { issuer }: BooksContext,
  transaction: Transaction<Database>,
  { row, book }: { readonly row: InvoiceRow; readonly book: RatedBook },
) {
  const drawn = minorAmount(row.drawn, row.currency)!;
  const closed = JSON.parse(row.bill) as BillDocument;
  const period = await periodOf(transaction, row.period);
  const net = minorAmount(closed.net, row.currency)!;
  const late = issuer.exemption === undefined ? taxedLate(closed, { period, net, drawn, book }) : undefined;
  const bill = readBill(late?.document ?? closed, period);
  const drawing = {
    drawn,
    drawnCost: row.drawnCost === null ? undefined : parseFraction(row.drawnCost),
    taxOfRest: bill.tax.amount,
    receiptsOf: (line: string) => receiptsOf(row.id, line),
  } satisfies BillDrawing;
  return { bill, drawing, late };
}

/** What the bill did not have when its period closed is owed from today on. */
async function makeFinal(
  context: BooksContext,
  transaction: Transaction<Database>,
  { row, held }: HeldInvoice,
  late: ReturnType<typeof taxedLate>,
): Promise<void> {
  const { currency } = row;
  const taxed = late && { bill: JSON.stringify(late.document), tax: ledgerUnits(late.tax.amount, currency) };
  await setFinal(transaction, row.id, taxed);
  if (late === undefined) return;
  const { amount, jurisdiction } = late.tax;
  const movements = taxing({ currency, tax: amount, jurisdiction });
  await postNow(context, transaction, { row, held, kind: "tax", movements });
}

/** Makes a period's drafts final, one after the other: each that can be is, whatever the others lack. */
export async function finalizePeriod(context: BooksContext, period: string, by: string): Promise<Finalized> {
  const issued: { invoice: string; number: string }[] = [];
  const before = await countIssued(context.db, period);
  const refused: { invoice: string; code: string; message: string }[] = [];
  for (const invoice of await draftsOf(context.db, period)) {
    const made = await finalize(context, invoice, by);
    if (!("outcome" in made)) issued.push({ invoice, number: made.number });
    else refused.push({ invoice, code: made.code, message: made.message });
  }
  return { issued, refused: refused.slice(0, refusedMost), refusals: refused.length, before };
}

/** Where the control API tells a line's usage, with the receipts of what was served. */
function receiptsOf(invoice: InvoiceId, line: string): string {
  return `/control/v1/usage/metered?${new URLSearchParams({ invoice, line }).toString()}`;
}
