import type { RatedBook } from "../book/book.ts";
import type { Period } from "../book/calendar.ts";
import { type Line, lineOf, trueUpOf } from "./line.ts";
import type { UnratedSum, UsageSum, UsageSums } from "./sums.ts";
import { type Tax, taxOf, type TaxOptions } from "./tax.ts";

/** What one customer owes for one period in one currency: what becomes an invoice. */
export interface Bill {
  readonly customer: string;
  readonly period: Period;
  readonly currency: string;
  readonly lines: readonly Line[];
  /** In minor units: the lines' sum, tax, and both. */
  readonly net: bigint;
  readonly tax: Tax;
  readonly gross: bigint;
}

export interface Billing {
  readonly bills: readonly Bill[];
  readonly unrated: readonly UnratedSum[];
  /** Usage of periods that were not asked for. */
  readonly unbilled: readonly (UsageSum | UnratedSum)[];
}

export interface BillingOptions extends TaxOptions {
  /** Only these, and these also where nobody has used anything; undefined: every period that was used in. */
  readonly periods?: readonly Period[] | undefined;
}

/** Bills in the order of customer, period and currency, each with its lines in the order of SKU and price version. */
export function billsOf(sums: UsageSums, options: BillingOptions = {}): Billing {
  const periods = options.periods ?? [...sums.periods.values()];
  const names = new Set(periods.map(({ name }) => name));
  const isAsked = ({ period }: UsageSum | UnratedSum): boolean => names.has(period.name);
  const rated = [...sums.rated.values()];
  const lines = rated.filter(isAsked).map((sum) => lineOf(sum, sums.book));
  const unrated = [...sums.unrated.values()];
  return {
    bills: groupsOf([...lines, ...trueUps(lines, periods, sums.book)]).map((group) =>
      billOf(group, sums.book, options),
    ),
    unrated: unrated.filter(isAsked).toSorted(byKeys(unratedKeys)),
    unbilled: [...rated, ...unrated].filter((sum) => !isAsked(sum)).toSorted(byKeys(sumKeys)),
  };
}

/** Also of customers that have used nothing. */
function trueUps(lines: readonly Line[], periods: readonly Period[], book: RatedBook): readonly Line[] {
  const byOwner = Map.groupBy(lines, ({ customer, period }) => `${customer}\n${period.name}`);
  return [...book.contracts].flatMap(([customer, versions]) =>
    periods.flatMap((period) => {
      const owned = byOwner.get(`${customer}\n${period.name}`) ?? [];
      const holding = versions.filter(({ fromMs, toMs }) => fromMs < period.endMs && toMs > period.startMs);
      return holding.flatMap((version) => trueUpOf(customer, version, period, owned, book) ?? []);
    }),
  );
}

function billOf(lines: readonly Line[], book: RatedBook, options: TaxOptions): Bill {
  const { customer, period, currency } = lines[0]!;
  const net = lines.reduce((sum, line) => sum + line.rounded, 0n);
  const tax = taxOf({ customer, period, net }, book, options);
  return { customer, period, currency, lines, net, tax, gross: net + tax.amount };
}

function groupsOf(lines: readonly Line[]): readonly (readonly Line[])[] {
  const groups = Map.groupBy(
    lines.toSorted(byKeys(lineKeys)),
    ({ customer, period, currency }) => `${customer}\n${period.name}\n${currency}`,
  );
  return [...groups.values()];
}

type Keys<Value> = (value: Value) => readonly (string | number)[];

const lineKeys: Keys<Line> = ({ customer, period, currency, sku, priceVersion, contract }) => [
  customer,
  period.startMs,
  currency,
  sku,
  priceVersion,
  contract?.fromMs ?? 0,
];
const sumKeys: Keys<UsageSum | UnratedSum> = ({ customer, period, sku }) => [customer, period.startMs, sku];
const unratedKeys: Keys<UnratedSum> = (sum) => [...sumKeys(sum), sum.reason];

/** By code units, so that the order is the same wherever it is computed. */
function byKeys<Value>(keys: Keys<Value>): (a: Value, b: Value) => number {
  return (a, b) => {
    const [left, right] = [keys(a), keys(b)];
    const at = left.findIndex((key, index) => key !== right[index]);
    return at === -1 ? 0 : left[at]! < right[at]! ? -1 : 1;
  };
}
