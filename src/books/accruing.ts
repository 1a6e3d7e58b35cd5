import type { Transaction } from "kysely";
import { formatAmount, type OrganisationId, refuse, RefusalError } from "../base/index.ts";
import {
  accrual,
  ledgerAmount,
  lineOf,
  type Movement,
  type Period,
  type RatedBook,
  type UsageEvent,
  type UsageSum,
  UsageSums,
} from "../ledger/index.ts";
import {
  addEntries,
  addMonths,
  addUnrated,
  type Database,
  findSums,
  holdLedger,
  holdSums,
  type LedgerStanding,
  openPeriods,
  type Posting,
  type SumRow,
  type UnratedEvent,
  writeSums,
} from "../store/index.ts";
import type { BooksContext } from "./context.ts";
import { internalOrganisations } from "./organisations.ts";
import { billedInOf, isSameUse, keyOf, sumFrom, termsFromOf } from "./sum-rows.ts";

/** Usage on its way into the books. `reference`: where it alone comes from. */
export type Arriving = UsageEvent & { readonly reference?: string };

/** How the books stand, and by which price book they are kept, until the transaction ends. */
export interface Held extends LedgerStanding {
  readonly book: RatedBook;
}

export async function hold(context: BooksContext, transaction: Transaction<Database>): Promise<Held> {
  const standing = await holdLedger(transaction);
  return { ...standing, book: await context.prices.bookOf(standing.prices, transaction) };
}

/** What one sum of usage may come to, in units of 10^-12 of whatever currency: more is a slip in a quantity or in a price. */
const sumMost = 10n ** 15n * 10n ** 12n;

/**
 * Adds usage to its sums and posts what they have come to since: what a sum costs now less what is posted of it, so that
 * whatever the price, postings never drift from the sum. In the transaction that writes the usage itself. `isRefusable`: throws a refusal
 * where a sum would come to more than any does; what was served already is posted all the same. Resolves to what has no price or no
 * quantity.
 */
export async function accrue(
  context: BooksContext,
  transaction: Transaction<Database>,
  arrived: Arrived,
): Promise<readonly UnratedEvent[]> {
  const unrated: (readonly UnratedEvent[])[] = [];
  for (const some of byMonth(arrived)) unrated.push(await accrueSome(context, transaction, some));
  return unrated.flat();
}

interface Arrived {
  readonly events: readonly Arriving[];
  readonly reference: string;
  readonly held: Held;
  readonly isRefusable?: boolean;
}

/**
 * A period of several months takes its usage month by month, so that what each has added to the sums, and to what they come to, can be
 * told. Of books by month that is what their periods tell.
 */
function byMonth({ events, ...more }: Arrived): readonly (Arrived & { readonly month?: Period })[] {
  const { calendar } = more.held.book;
  if (calendar.length === "month") return [{ events, ...more }];
  return [...Map.groupBy(events, ({ atMs }) => calendar.monthAt(atMs).startMs)]
    .toSorted(([a], [b]) => a - b)
    .map(([startMs, some]) => ({ events: some, ...more, month: calendar.monthAt(startMs) }));
}

async function accrueSome(
  context: BooksContext,
  transaction: Transaction<Database>,
  { events, reference, held, isRefusable = false, month }: Arrived & { readonly month?: Period },
): Promise<readonly UnratedEvent[]> {
  const { uses, unrated } = sumUp(events, held);
  await addUnrated(transaction, unrated, reference);
  if (uses.size === 0) return unrated;
  const periods = [...new Map([...uses.values()].map(({ billedIn }) => [billedIn.name, billedIn])).values()];
  await openPeriods(transaction, periods);
  const internal = await internalOrganisations(transaction, context.internal);
  const grown = await grow(transaction, [...uses.values()], { book: held.book, internal });
  if (isRefusable) refuseAbsurd(grown);
  await writeSums(transaction, grown);
  const nowMs = context.clock.nowMs();
  // Usage of a period, or of a month of it, belongs there, also where it arrives after its end, or before its beginning: it may be dated a
  // day ahead, or the clock was put back. What is late belongs where it arrives.
  const atMsIn = (billedIn: Period): number => {
    const { startMs, endMs } = month !== undefined && isWithin(month, billedIn) ? month : billedIn;
    return Math.max(startMs, Math.min(nowMs, endMs - 1));
  };
  if (month !== undefined) {
    const { calendar } = held.book;
    const monthOf = new Map(periods.map((period) => [period.name, calendar.monthAt(atMsIn(period)).name]));
    const parts = [...uses.values()].map(({ sum: { quantity } }, at) => {
      const row = grown[at]!;
      return { ...row, month: monthOf.get(row.billedIn)!, quantity, accrued: row.accrued - row.before.accrued };
    });
    await addMonths(transaction, parts);
  }
  const entries = periods.map((period) => ({
    kind: "accrual",
    period: period.name,
    atMs: atMsIn(period),
    reference,
    postings: postingsOf(grown.filter(({ billedIn }) => billedIn === period.name)),
  }));
  await addEntries(
    transaction,
    entries.filter(({ postings }) => postings.length > 0),
    nowMs,
  );
  return unrated;
}

function isWithin(month: Period, period: Period): boolean {
  return month.startMs >= period.startMs && month.endMs <= period.endMs;
}

interface Use {
  readonly sum: UsageSum;
  readonly billedIn: Period;
  lastAtMs: number;
}

function sumUp(events: readonly Arriving[], { book, closedUntilMs }: Held) {
  const sums = new UsageSums(book);
  const uses = new Map<string, Use>();
  const unrated: UnratedEvent[] = [];
  for (const event of events) {
    const sum = sums.add(event);
    if ("reason" in sum) {
      unrated.push({ ...event, organisation: event.customer as OrganisationId, reason: sum.reason });
      continue;
    }
    const billedIn = billedInOf(sum.period, book, closedUntilMs);
    const key = keyOf({
      ...sum,
      organisation: sum.customer,
      billedIn: billedIn.name,
      period: sum.period.name,
      termsFrom: termsFromOf(sum.terms),
    });
    const use = uses.get(key);
    if (use === undefined) uses.set(key, { sum, billedIn, lastAtMs: event.atMs });
    else use.lastAtMs = Math.max(use.lastAtMs, event.atMs);
  }
  return { uses, unrated };
}

/** A sum as it is to be from now on. */
export interface Grown extends SumRow {
  /** What of it is in the ledger, and whose revenue it is there. */
  readonly before: Pick<SumRow, "accrued" | "isInternal">;
}

/** Sums with what is added to them, and what they come to now. Nobody else adds to any until the transaction ends. */
async function grow(
  transaction: Transaction<Database>,
  uses: readonly Use[],
  { book, internal }: { readonly book: RatedBook; readonly internal: ReadonlySet<string> },
): Promise<readonly Grown[]> {
  const keys = uses.map(({ sum, billedIn }) => ({
    billedIn: billedIn.name,
    organisation: sum.customer as OrganisationId,
    sku: sum.sku,
    period: sum.period.name,
    termsFrom: termsFromOf(sum.terms),
  }));
  const before = await holdSums(transaction, keys);
  const rows = uses.map(({ sum, lastAtMs }, at): SumRow => {
    const held = before.get(at);
    return {
      ...keys[at]!,
      currency: held?.currency ?? (sum.found.isContract ? sum.terms.contract!.currency : book.currency),
      quantity: (held?.quantity ?? 0n) + sum.quantity,
      batch: (held?.batch ?? 0n) + sum.batch,
      offPeak: (held?.offPeak ?? 0n) + sum.offPeak,
      events: (held?.events ?? 0) + sum.events,
      accrued: held?.accrued ?? 0n,
      isInternal: held?.isInternal ?? false,
      lastAtMs: Math.max(held?.lastAtMs ?? -Infinity, lastAtMs),
    };
  });
  return priced(transaction, rows, uses, { book, internal });
}

/** What each sum comes to now. Of late usage it is what the sum costs with it, less what it cost without. */
async function priced(
  transaction: Transaction<Database>,
  rows: readonly SumRow[],
  uses: readonly Use[],
  { book, internal }: { readonly book: RatedBook; readonly internal: ReadonlySet<string> },
): Promise<readonly Grown[]> {
  const late = rows.filter(({ billedIn, period }) => billedIn !== period);
  const earlier =
    late.length === 0
      ? []
      : await findSums(transaction, {
          periods: [...new Set(late.map(({ period }) => period))],
          organisations: [...new Set(late.map(({ organisation }) => organisation))],
        });
  return rows.map((row, at) => {
    const { sum } = uses[at]!;
    const before = earlier.filter((other) => isSameUse(other, row) && other.billedIn < row.billedIn);
    const amountOf = (some: readonly SumRow[]): bigint =>
      some.length === 0 ? 0n : ledgerAmount(lineOf(sumFrom(some, sum), book).amount);
    const accrued = amountOf([...before, row]) - amountOf(before);
    return { ...row, accrued, isInternal: internal.has(row.organisation), before: row };
  });
}

function refuseAbsurd(grown: readonly Grown[]): void {
  const reasons = grown
    .filter(({ accrued }) => accrued > sumMost)
    .map(
      ({ sku, organisation, period, currency }) =>
        `${sku} of ${organisation} in ${period} would come to more than ${formatAmount(sumMost)} ${currency}`,
    );
  if (reasons.length === 0) return;
  const message = `The usage is not valid: ${reasons[0]}: look at its quantity and its price.`;
  throw new RefusalError(refuse("usage_invalid", message, { reasons: reasons.slice(0, 50) }));
}

/**
 * Each customer's own, so that what is unbilled of one can be told. What was accrued comes out of the accounts that it went into, and goes
 * into those of today: they are others once its customer has become a part of one's own group, or is none any more.
 */
export function postingsOf(grown: readonly Grown[]): readonly Posting[] {
  return [...Map.groupBy(grown, ({ organisation }) => organisation)].flatMap(([organisation, rows]) =>
    postingsFor(
      organisation,
      accrual(
        rows.flatMap(({ sku, currency, accrued, isInternal, before }) => [
          { sku, currency, amount: -before.accrued, isInternal: before.isInternal },
          { sku, currency, amount: accrued, isInternal },
        ]),
      ),
    ),
  );
}

export function postingsFor(organisation: OrganisationId, movements: readonly Movement[]): readonly Posting[] {
  return movements.map((movement) => ({ ...movement, organisation }));
}
