import type { Transaction } from "kysely";
import { refuse, type Refusal, RefusalError, refusing } from "../base/index.ts";
import { draftOfBill, draftOfPurchase, type Preview, previewOf } from "../invoicing/index.ts";
import type { RatedBook } from "../ledger/index.ts";
import type { Database } from "../store/index.ts";
import type { BooksContext } from "./context.ts";
import { foundInvoice, type InvoiceRow } from "./held.ts";
import { usedBy } from "./issuing.ts";
import { dayAt } from "./numbers.ts";
import { nameOf } from "./organisations.ts";
import { missingText, sidesOf } from "./parties.ts";
import { boughtBy } from "./purchases.ts";

/** What a draft would say if it became final now; PostgreSQL itself lets nothing be written here. */
export async function preview(context: BooksContext, id: string): Promise<Preview | Refusal> {
  const asOfOneMoment = context.db.transaction().setIsolationLevel("repeatable read").setAccessMode("read only");
  return refusing(() =>
    asOfOneMoment.execute(async (transaction) => {
      const row = await foundInvoice(transaction, id);
      if (row.state !== "draft") {
        const message = `Invoice ${id} is ${row.state}: there is its document, and no preview.`;
        throw new RefusalError(refuse("invoice_state", message, { param: "invoice" }));
      }
      // Looked up beside what is held: a reader must not set that back to its own moment.
      return previewed(context, transaction, { row, book: await context.prices.bookBefore(transaction) });
    }),
  );
}

async function previewed(
  context: BooksContext,
  transaction: Transaction<Database>,
  drafted: { readonly row: InvoiceRow; readonly book: RatedBook },
): Promise<Preview> {
  const { clock, issuer } = context;
  const { row, book } = drafted;
  const { buyer, missing } = await sidesOf(context, transaction, row.organisation);
  return previewOf(await draftOf(context, transaction, drafted), {
    issueDate: dayAt(clock.nowMs(), book),
    timeZone: book.calendar.timeZone,
    issuer,
    buyer,
    customerName: await nameOf(transaction, row.organisation),
    missing: missing.length === 0 ? [] : [missingText(missing)],
  });
}

async function draftOf(
  context: BooksContext,
  transaction: Transaction<Database>,
  drafted: { readonly row: InvoiceRow; readonly book: RatedBook },
): Promise<ReturnType<typeof draftOfBill>> {
  if (drafted.row.grantId === null) {
    const { bill, drawing } = await usedBy(context, transaction, drafted);
    return draftOfBill(bill, drawing);
  }
  const { bought, tax } = await boughtBy(transaction, drafted.row);
  return draftOfPurchase(bought, tax);
}
