import type { Transaction } from "kysely";
import type { InvoiceId, OrganisationId } from "../base/index.ts";
import type { Movement, RatedBook } from "../ledger/index.ts";
import { addEntries, type Database, openPeriods } from "../store/index.ts";
import { type Held, postingsFor } from "./accruing.ts";
import type { BooksContext } from "./context.ts";

interface Posted {
  readonly kind: "credit" | "payment" | "purchase" | "refund" | "tax";
  readonly movements: readonly Movement[];
  readonly atMs: number;
  readonly nowMs: number;
  readonly book: RatedBook;
}

interface OfInvoice {
  readonly id: InvoiceId;
  readonly organisation: OrganisationId;
}

/** What happened to an invoice, posted into the period of that moment. Nothing moved is no transaction; otherwise its number. */
export async function postOf(
  transaction: Transaction<Database>,
  { id, organisation }: OfInvoice,
  { kind, movements, atMs, nowMs, book }: Posted,
): Promise<bigint | undefined> {
  if (movements.length === 0) return undefined;
  const period = book.calendar.periodAt(atMs);
  await openPeriods(transaction, [period]);
  const postings = postingsFor(organisation, movements);
  const [number] = await addEntries(transaction, [{ kind, period: period.name, atMs, reference: id, postings }], nowMs);
  return number;
}

/** The same of now; a clock that was set back posts nothing into what is closed. When it is posted. */
export async function postNow(
  { clock }: BooksContext,
  transaction: Transaction<Database>,
  { row, held, kind, movements }: Pick<Posted, "kind" | "movements"> & { readonly row: OfInvoice; readonly held: Held },
): Promise<number> {
  const nowMs = clock.nowMs();
  const atMs = Math.max(nowMs, held.closedUntilMs ?? 0);
  await postOf(transaction, row, { kind, movements, atMs, nowMs, book: held.book });
  return atMs;
}
