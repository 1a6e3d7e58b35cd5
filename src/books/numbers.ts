import type { Transaction } from "kysely";
import { type InvoiceId, type Refusal, RefusalError } from "../base/index.ts";
import { type Invoice, mayIssue, numberIn, type Series, seriesKey } from "../invoicing/index.ts";
import type { RatedBook } from "../ledger/index.ts";
import { addDocument, type Database, takeSeries } from "../store/index.ts";
import type { BooksContext } from "./context.ts";

/** What is made under a number, or why nothing is. */
type Made = { readonly outcome: "issued"; readonly invoice: Invoice } | Refusal;

interface Told {
  readonly kind: Invoice["kind"];
  readonly seller: string;
  readonly invoice: InvoiceId;
  readonly by: string;
  /** What makes a credit the same one when it is asked for again. */
  readonly asked?: { readonly creditId: string; readonly creditDigest: Buffer } | undefined;
}

/**
 * Makes a document under the next number of its series and keeps it, in the caller's transaction: others who issue wait at the
 * series' row until it ends, and where it fails the number was never drawn.
 */
export async function issueNext(
  { clock, prices, issuer }: BooksContext,
  transaction: Transaction<Database>,
  { kind, seller, invoice, by, asked }: Told,
  make: (numbered: { readonly number: string; readonly issueDate: string }) => Made,
): Promise<Invoice> {
  const nowMs = clock.nowMs();
  const today = dayAt(nowMs, prices.book);
  const prefix = kind === "invoice" ? issuer.numbers.invoice : issuer.numbers.creditNote;
  const series: Series = { seller, kind, year: Number(today.slice(0, 4)), prefix };
  const key = seriesKey(series);
  const { last, newest } = await takeSeries(transaction, key);
  // A clock that goes back, or a price book of another time zone: numbers go on in the order of their days.
  const issueDate = newest !== undefined && newest > today ? newest : today;
  const wrong = mayIssue(series, issueDate, newest);
  if (wrong !== undefined) throw new RefusalError(wrong);
  const made = make({ number: numberIn(series, last), issueDate });
  if (made.outcome === "refused") throw new RefusalError(made);
  const { number, dueDate } = made.invoice;
  const document = JSON.stringify(made.invoice);
  const row = { seller, number, kind, invoice, document, issueDate, dueDate, issuedBy: by, ...asked };
  await addDocument(transaction, key, row, nowMs);
  return made.invoice;
}

/** By the price book's clock. */
export function dayAt(atMs: number, { calendar }: RatedBook): string {
  return new Date(calendar.localMs(atMs)).toISOString().slice(0, 10);
}
