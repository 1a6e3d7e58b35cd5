import { isDeepStrictEqual } from "node:util";
import type { Transaction } from "kysely";
import { AllTerms, ledgerAmount, lineOf, type Period, type RatedBook } from "../ledger/index.ts";
import {
  addEntries,
  clearSums,
  type Database,
  findSums,
  isUsageAlone,
  openPeriods,
  type SumRow,
  usedSpan,
  writeSums,
} from "../store/index.ts";
import { type Grown, postingsOf } from "./accruing.ts";
import type { BooksContext } from "./context.ts";
import { internalOrganisations } from "./organisations.ts";
import { keyOf, sumFrom, termsFromOf } from "./sum-rows.ts";

/**
 * Moves usage into the periods of another price book, which is how a cloud that has only just begun gets its time zone: the start's own
 * question is used already by then. Returns whether it could: while nothing but usage is in the books, all of it in one of the new
 * periods, at the same prices. What was accrued is reversed, and accrued anew there. In a transaction that has the ledger alone.
 */
export async function rebook(
  context: BooksContext,
  transaction: Transaction<Database>,
  { before, after }: { readonly before: RatedBook; readonly after: RatedBook },
): Promise<boolean> {
  if (!(await isUsageAlone(transaction))) return false;
  const span = await usedSpan(transaction);
  const rows = await findSums(transaction);
  if (span === undefined || rows.length === 0) return rows.length === 0;
  const period = after.calendar.periodAt(span.firstMs);
  if (span.lastMs >= period.endMs) return false;
  const moved = movedTo(rows, period, span, { before, after });
  if (moved === undefined) return false;
  const nowMs = context.clock.nowMs();
  const internal = await internalOrganisations(transaction, context.internal);
  const entry = (of: Period, sums: readonly Grown[]) => ({
    kind: "accrual",
    period: of.name,
    // By when it was used, not by when it is moved: that may be another quarter.
    atMs: Math.max(of.startMs, Math.min(span.lastMs, of.endMs - 1)),
    reference: "price book",
    postings: postingsOf(sums, internal),
  });
  const back = [...Map.groupBy(rows, ({ billedIn }) => billedIn)].map(([name, some]) =>
    entry(
      before.calendar.periodOf(name)!,
      some.map((row) => ({ ...row, growth: -row.accrued })),
    ),
  );
  const anew = entry(
    period,
    moved.map((row) => ({ ...row, growth: row.accrued })),
  );
  await clearSums(transaction);
  await openPeriods(transaction, [period]);
  await writeSums(transaction, moved);
  const entries = [...back, anew].filter(({ postings }) => postings.length > 0);
  await addEntries(transaction, entries, nowMs);
  return true;
}

/** The same usage as sums of a period; undefined where it may be of several terms there, or would cost something else. */
function movedTo(
  rows: readonly SumRow[],
  period: Period,
  { firstMs, lastMs }: { readonly firstMs: number; readonly lastMs: number },
  { before, after }: { readonly before: RatedBook; readonly after: RatedBook },
): readonly SumRow[] | undefined {
  const [old, now] = [new AllTerms(before), new AllTerms(after)];
  // Which hours are off-peak is the calendar's to say, and of a sum nobody knows its hours.
  if ([before, after].some(({ offPeak }) => offPeak !== undefined)) return undefined;
  const named = rows.map((row) => {
    const terms = now.at(row.organisation, firstMs);
    return { ...row, billedIn: period.name, period: period.name, termsFrom: termsFromOf(terms) };
  });
  const moved: SumRow[] = [];
  for (const group of Map.groupBy(named.entries(), ([, row]) => keyOf(row)).values()) {
    const [at, { organisation, sku }] = group[0]!;
    const terms = now.at(organisation, firstMs);
    const found = now.price(terms, sku);
    const was = group.map(([index]) => old.price(old.at(organisation, rows[index]!.termsFrom), sku));
    if (typeof found === "string" || terms.toMs <= lastMs) return undefined;
    const isSame = was.every((each) => typeof each !== "string" && isDeepStrictEqual(each.price, found.price));
    const some = group.map(([, row]) => row);
    const sum = sumFrom(some, { customer: organisation, sku, period, terms, found });
    const { amount, currency } = lineOf(sum, after);
    const accrued = some.reduce((total, row) => total + row.accrued, 0n);
    if (!isSame || currency !== named[at]!.currency || ledgerAmount(amount) !== accrued) return undefined;
    const { quantity, batch, offPeak, events } = sum;
    const lastUsedMs = Math.max(...some.map((row) => row.lastAtMs));
    moved.push({ ...named[at]!, quantity, batch, offPeak, events, accrued, lastAtMs: lastUsedMs });
  }
  return moved;
}
