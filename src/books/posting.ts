import type { Transaction } from "kysely";
import type { InvoiceId, OrganisationId } from "../base/index.ts";
import type { Movement } from "../ledger/index.ts";
import { addEntries, type Database, openPeriods } from "../store/index.ts";
import { postingsFor } from "./accruing.ts";
import type { BooksContext } from "./context.ts";

/** Posts what becomes of an invoice after its period is closed, into the one that is open. */
export async function postNow(
  { clock, prices }: BooksContext,
  transaction: Transaction<Database>,
  { id, organisation }: { readonly id: InvoiceId; readonly organisation: OrganisationId },
  kind: "credit" | "payment" | "tax",
  movements: readonly Movement[],
): Promise<void> {
  if (movements.length === 0) return;
  const nowMs = clock.nowMs();
  const period = prices.book.calendar.periodAt(nowMs);
  await openPeriods(transaction, [period]);
  const postings = postingsFor(organisation, movements);
  await addEntries(transaction, [{ kind, period: period.name, atMs: nowMs, reference: id, postings }], nowMs);
}
