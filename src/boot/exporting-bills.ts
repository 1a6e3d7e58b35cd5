import type { OrganisationId, Refusal } from "../base/index.ts";
import { type BooksContext, partyOf } from "../books/index.ts";
import { type List, meteredRecords, type Store } from "../store/index.ts";
import { type Line, paged, pageRows, rows } from "./export-lines.ts";
import { documentPage, invoicePage } from "./invoices.ts";
import type { OperationParts } from "./parts.ts";

/** What an organisation was billed, to whom, and what other services told of it: all of it is the whole organisation's. */
export async function* billLines(parts: OperationParts, organisation: OrganisationId): AsyncGenerator<Line> {
  yield* party(parts.ledger, organisation);
  yield* records(parts.store, organisation);
  yield* paged("invoices", async (page) => taken(await invoicePage(parts, { organisation, period: undefined }, page)));
  const which = { invoice: undefined, number: undefined, period: undefined, billedIn: undefined, kind: undefined };
  yield* paged("invoice-documents", async (page) =>
    taken(await documentPage(parts.store, { ...which, organisation }, page)),
  );
}

async function* party(ledger: BooksContext, organisation: OrganisationId): AsyncGenerator<Line> {
  const buyer = await partyOf(ledger, organisation);
  if (buyer !== null) yield* rows("party", [buyer]);
}

async function* records({ db }: Pick<Store, "db">, organisation: OrganisationId): AsyncGenerator<Line> {
  let after: readonly string[] | undefined;
  do {
    const found = await meteredRecords(db, { organisation, limit: pageRows, ...(after && { after }) });
    yield* rows(
      "usage-records",
      found.map(({ source, id, at, sku, quantity, isBatch }) => ({ source, id, at, sku, quantity, isBatch })),
    );
    const last = found.length < pageRows ? undefined : found.at(-1)!;
    after = last && [last.organisation, last.source, last.id, last.sku!];
  } while (after !== undefined);
}

/** Of an organisation that was found nothing is refused but to a race with its erasure, of which nothing is left. */
function taken<Row>(list: List<Row> | Refusal): List<Row> {
  return "outcome" in list ? { items: [], next: null } : list;
}
