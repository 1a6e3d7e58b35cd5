import type { Transaction } from "kysely";
import type { InvoiceId, OrganisationId } from "../base/index.ts";
import type { Movement, RatedBook } from "../ledger/index.ts";
import { addEntries, type Database, openPeriods } from "../store/index.ts";
import { postingsFor } from "./accruing.ts";

/** What happened to an invoice, posted into the period of that moment. Nothing moved is no transaction. */
export async function postOf(
  transaction: Transaction<Database>,
  { id, organisation }: { readonly id: InvoiceId; readonly organisation: OrganisationId },
  posted: {
    readonly kind: "credit" | "payment" | "purchase";
    readonly movements: readonly Movement[];
    readonly atMs: number;
    readonly nowMs: number;
    readonly book: RatedBook;
  },
): Promise<void> {
  const { kind, movements, atMs, nowMs, book } = posted;
  if (movements.length === 0) return;
  const period = book.calendar.periodAt(atMs);
  await openPeriods(transaction, [period]);
  const postings = postingsFor(organisation, movements);
  await addEntries(transaction, [{ kind, period: period.name, atMs, reference: id, postings }], nowMs);
}
