import { isDeepStrictEqual } from "node:util";
import type { Transaction } from "kysely";
import {
  AllTerms,
  compare,
  isOffPeak,
  ledgerAmount,
  lineOf,
  none,
  type Period,
  type RatedBook,
  type SkuPrice,
} from "../ledger/index.ts";
import {
  addEntries,
  addMonths,
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

interface Change {
  readonly before: RatedBook;
  readonly after: RatedBook;
}

interface Span {
  readonly firstMs: number;
  readonly lastMs: number;
}

/**
 * Moves usage into the periods of another price book, which is how a cloud that has only just begun gets its time zone: the start's own
 * question is used already by then. That can be while nothing but usage is in the books, all of it in one of the new periods, at the
 * same prices, or at others where it is the operator's own (`mayCostElse`). What was accrued is reversed, and accrued anew there. Returns
 * how that went, where it could not be with the reasons that there are beside the calendar. In a transaction that has the ledger alone.
 */
export async function rebook(
  context: BooksContext,
  transaction: Transaction<Database>,
  { before, after }: Change,
  mayCostElse: boolean,
): Promise<"moved" | readonly string[]> {
  if (!(await isUsageAlone(transaction))) return [];
  const span = await usedSpan(transaction);
  const rows = await findSums(transaction);
  if (rows.length === 0) return "moved";
  if (span === undefined) return [];
  const period = after.calendar.periodAt(span.firstMs);
  if (span.lastMs >= period.endMs) return [];
  const moved = movedTo(rows, { period, span, mayCostElse }, { before, after });
  if ("reason" in moved) return [moved.reason];
  const nowMs = context.clock.nowMs();
  const internal = await internalOrganisations(transaction, context.internal);
  const entry = (of: Period, sums: readonly Grown[]) => ({
    kind: "accrual",
    period: of.name,
    // By when it was used, not by when it is moved: that may be another quarter.
    atMs: Math.max(of.startMs, Math.min(span.lastMs, of.endMs - 1)),
    reference: "price book",
    postings: postingsOf(sums),
  });
  const back = [...Map.groupBy(rows, ({ billedIn }) => billedIn)].map(([name, some]) =>
    entry(
      before.calendar.periodOf(name)!,
      some.map((row) => ({ ...row, accrued: 0n, before: row })),
    ),
  );
  const sums = moved.map((row): Grown => {
    const isInternal = internal.has(row.organisation);
    return { ...row, isInternal, before: { accrued: 0n, isInternal } };
  });
  const anew = entry(period, sums);
  await clearSums(transaction);
  await openPeriods(transaction, [period]);
  await writeSums(transaction, sums);
  if (after.calendar.length !== "month") {
    // Where it is posted: of a sum nobody knows which part of it was used when.
    const month = after.calendar.monthAt(anew.atMs).name;
    await addMonths(
      transaction,
      moved.map((row) => ({ ...row, month })),
    );
  }
  const entries = [...back, anew].filter(({ postings }) => postings.length > 0);
  await addEntries(transaction, entries, nowMs);
  return "moved";
}

/** The same usage as sums of a period; a reason where it may be of several terms there, or would cost something else. */
function movedTo(
  rows: readonly SumRow[],
  { period, span, mayCostElse }: { readonly period: Period; readonly span: Span; readonly mayCostElse: boolean },
  { before, after }: Change,
): readonly SumRow[] | { readonly reason: string } {
  const { firstMs, lastMs } = span;
  const [old, now] = [new AllTerms(before), new AllTerms(after)];
  const offPeak = offPeakOf({ before, after }, span);
  const named = rows.map((row) => {
    const terms = now.at(row.organisation, firstMs);
    return { ...row, billedIn: period.name, period: period.name, termsFrom: termsFromOf(terms) };
  });
  const moved: SumRow[] = [];
  for (const group of Map.groupBy(named.entries(), ([, row]) => keyOf(row)).values()) {
    const [at, { organisation, sku }] = group[0]!;
    const terms = now.at(organisation, firstMs);
    const found = now.price(terms, sku);
    const held = group.map(([index]) => old.price(old.at(organisation, rows[index]!.termsFrom), sku));
    const dearer = { reason: `${sku} was used, and would or could cost something else` };
    if (typeof found === "string" || terms.toMs <= lastMs)
      return mayCostElse ? { reason: priceless(sku, span) } : dearer;
    const some = group.map(([, row]) => (mayCostElse && offPeak !== "same" ? { ...row, offPeak: 0n } : row));
    const prices = held.map((each) => (typeof each === "string" ? undefined : each.price));
    const isSame = prices.every((price) => isDeepStrictEqual(withoutOffPeak(price), withoutOffPeak(found.price)));
    if (isSame && !mayCostElse && !keepsOffPeak(found.price, prices, some, offPeak))
      return { reason: offPeakReason(sku) };
    const sum = sumFrom(some, { customer: organisation, sku, period, terms, found });
    const { amount, currency } = lineOf(sum, after);
    const accrued = ledgerAmount(amount);
    const was = some.reduce((total, row) => total + row.accrued, 0n);
    if (!mayCostElse && (!isSame || currency !== named[at]!.currency || accrued !== was)) return dearer;
    const { quantity, batch, events } = sum;
    const lastUsedMs = Math.max(...some.map((row) => row.lastAtMs));
    moved.push({
      ...named[at]!,
      currency,
      quantity,
      batch,
      offPeak: sum.offPeak,
      events,
      accrued,
      lastAtMs: lastUsedMs,
    });
  }
  return moved;
}

function priceless(sku: string, { firstMs, lastMs }: Span): string {
  const [first, last] = [firstMs, lastMs].map((ms) => new Date(ms).toISOString());
  const when = first === last ? `at ${first}` : `from ${first} to ${last}`;
  return `${sku} was used ${when}, by the question that a cloud asks itself at its start, and has no price that holds then`;
}

/** Of a sum nobody knows its hours: `same` where those of both books are, `none` where nothing was used in the new ones'. */
function offPeakOf({ before, after }: Change, span: Span): "same" | "none" | "unknown" {
  const isSame = before.calendar.timeZone === after.calendar.timeZone;
  if (isSame && isDeepStrictEqual(before.offPeak, after.offPeak)) return "same";
  return isPeak(after, span) ? "none" : "unknown";
}

const minuteMs = 60_000;
/** Of more than a week nobody looks through each minute. */
const spanMostMs = 7 * 86_400_000;

/** Whether no moment is off-peak, which begins and ends at whole minutes; false also of what is too long to say. */
function isPeak({ offPeak, calendar }: RatedBook, { firstMs, lastMs }: Span): boolean {
  if (offPeak === undefined) return true;
  if (lastMs - firstMs > spanMostMs) return false;
  for (let atMs = firstMs; atMs < lastMs; atMs += minuteMs) {
    if (isOffPeak(offPeak, calendar.localMs(atMs))) return false;
  }
  return !isOffPeak(offPeak, calendar.localMs(lastMs));
}

function withoutOffPeak(price: SkuPrice | undefined) {
  return { ...price, offPeakDiscount: none };
}

/** Whether the part with the off-peak discount stays what it was, and what it costs. */
function keepsOffPeak(
  found: SkuPrice,
  before: readonly (SkuPrice | undefined)[],
  rows: readonly SumRow[],
  offPeak: "same" | "none" | "unknown",
): boolean {
  const isDiscounted = compare(found.offPeakDiscount, none) > 0;
  const isSame = before.every((price) => price !== undefined && isDeepStrictEqual(price, found));
  if (isSame && (!isDiscounted || offPeak === "same")) return true;
  return (!isDiscounted || offPeak === "none") && rows.every((row) => row.offPeak === 0n);
}

function offPeakReason(sku: string): string {
  return (
    `offPeak: ${sku} was used, and nobody knows which part of it would have the off-peak discount by the new hours; ` +
    `apply the price book without that discount first, and add it in a version that begins later`
  );
}
