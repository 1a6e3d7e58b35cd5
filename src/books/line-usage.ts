import type { Kysely } from "kysely";
import { type InvoiceId, type OrganisationId, refuse, type Refusal } from "../base/index.ts";
import { AllTerms, type BillDocument, type RatedBook } from "../ledger/index.ts";
import type { Database, MeteredQuestion } from "../store/index.ts";
import type { BooksContext } from "./context.ts";

/** Which usage a line is the price of: of its SKU, while its prices held, and known when its bill was made. */
export async function usageOfLine(
  { db, prices }: BooksContext,
  { invoice, line }: { readonly invoice: InvoiceId; readonly line: string },
): Promise<(MeteredQuestion & { readonly organisation: OrganisationId }) | Refusal> {
  const row = await db
    .selectFrom("invoices")
    .select(["organisation", "period", "bill"])
    .where("id", "=", invoice)
    .executeTakeFirst();
  const { lines } = row === undefined ? { lines: [] } : (JSON.parse(row.bill) as BillDocument);
  const found = lines[Number(line) - 1];
  if (row === undefined || found === undefined) {
    return refuse("not_found", `There is no line ${line} of an invoice ${invoice}.`, { param: "line" });
  }
  const { organisation, period } = row;
  const known = await knownBetween(db, period);
  return {
    organisation,
    skus: [found.sku],
    ...spanOf(found, prices.book),
    // Usage that was there before would have been billed in time.
    ...(found.period !== period && { knownFromMs: known.fromMs }),
    knownUntilMs: known.untilMs,
    limit: 1,
  };
}

/** From the first to the last moment of its period at which the line's prices held. */
function spanOf({ customer, sku, period, priceVersion, contract }: BillDocument["lines"][number], book: RatedBook) {
  const used = book.calendar.periodOf(period);
  if (used === undefined) return {};
  const all = new AllTerms(book);
  const mine = all.of(customer).filter((terms) => {
    const found = all.price(terms, sku);
    if (typeof found === "string") return false;
    const { version, isContract } = found;
    const agreed = terms.contract === undefined ? null : `${terms.contract.contract}/${terms.contract.version}`;
    return agreed === contract && (isContract ? agreed : version.version) === priceVersion;
  });
  return {
    fromMs: Math.max(used.startMs, Math.min(...mine.map(({ fromMs }) => fromMs), used.endMs)),
    untilMs: Math.min(used.endMs, Math.max(...mine.map(({ toMs }) => toMs), used.startMs)),
  };
}

/** When the period before was closed, and when this one was. */
async function knownBetween(
  db: Kysely<Database>,
  period: string,
): Promise<{ readonly fromMs: number; readonly untilMs: number }> {
  const { startsAt, closedAt } = await db
    .selectFrom("ledgerPeriods")
    .select(["startsAt", "closedAt"])
    .where("period", "=", period)
    .executeTakeFirstOrThrow();
  const before = await db
    .selectFrom("ledgerPeriods")
    .select("closedAt")
    .where("endsAt", "<=", startsAt)
    .orderBy("endsAt", "desc")
    .executeTakeFirst();
  return { fromMs: before?.closedAt?.getTime() ?? -Infinity, untilMs: closedAt?.getTime() ?? Infinity };
}
