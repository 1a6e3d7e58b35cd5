import type { RatedBook } from "../book/book.ts";
import type { Period } from "../book/calendar.ts";
import { add, compare, fraction, multiply, none } from "../book/fraction.ts";
import { discountReasons, type Line, lineOf, roundedLine, trueUpOf } from "./line.ts";
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
  const unrated = [...sums.unrated.values()];
  return {
    bills: groupsOf(linesOf(rated.filter(isAsked), periods, sums.book)).map((group) =>
      billOf(group, group[0]!.period, sums.book, options),
    ),
    unrated: unrated.filter(isAsked).toSorted(byKeys(unratedKeys)),
    unbilled: [...rated, ...unrated].filter((sum) => !isAsked(sum)).toSorted(byKeys(sumKeys)),
  };
}

/** What sums of these periods come to, and what makes up for what was committed to in them. */
export function linesOf(sums: readonly UsageSum[], periods: readonly Period[], book: RatedBook): readonly Line[] {
  const lines = onesOf(
    sums.map((sum) => lineOf(sum, book)),
    book,
  );
  return [...lines, ...trueUps(lines, periods, book)];
}

/** Lines that read alike as one: a new version of the list parts what a contract prices, and its price stays what it was. */
function onesOf(lines: readonly Line[], book: RatedBook): readonly Line[] {
  return [...Map.groupBy(lines, keyOf).values()].map((alike) => {
    const [first, ...rest] = alike as [Line, ...Line[]];
    return rest.length === 0
      ? first
      : roundedLine(
          rest.reduce((sum, line) => plus(sum, line, 1n), first),
          book,
        );
  });
}

/** One bill of a period for each customer and currency, whichever periods their lines are of: usage that came late is among them. */
export function billsWith(
  lines: readonly Line[],
  period: Period,
  book: RatedBook,
  options: TaxOptions = {},
): readonly Bill[] {
  const groups = Map.groupBy(lines.toSorted(byKeys(lineKeys)), ({ customer, currency }) => `${customer}\n${currency}`);
  return [...groups.values()].map((group) => billOf(group, period, book, options));
}

/**
 * What lines have grown by: what is billed of a period whose first bill is closed. Both together are what one bill would have been, to
 * the cent; a line may be below 0, where a tier or a commitment takes back what was billed.
 */
export function grownBy(after: readonly Line[], before: readonly Line[]): readonly Line[] {
  const sums = new Map<string, Line>();
  for (const line of after) sums.set(keyOf(line), plus(sums.get(keyOf(line)), line, 1n));
  for (const line of before) sums.set(keyOf(line), plus(sums.get(keyOf(line)), line, -1n));
  return [...sums.values()].filter(({ quantity, amount, rounded }) => {
    return compare(quantity, none) !== 0 || compare(amount, none) !== 0 || rounded !== 0n;
  });
}

const parts = ["quantity", "free", "batch", "offPeak", "discount", "raised", "amount", "residual"] as const;

function plus(sum: Line | undefined, line: Line, sign: 1n | -1n): Line {
  const added = parts.map((part) => [
    part,
    add(sum?.[part] ?? none, multiply(line[part], { numerator: sign, denominator: 1n })),
  ]);
  const rounded = (sum?.rounded ?? 0n) + sign * line.rounded;
  const both = new Set([...(sum?.discountFor ?? []), ...line.discountFor]);
  const discountFor = discountReasons.filter((reason) => both.has(reason));
  return { ...line, ...Object.fromEntries(added), discountFor, listed: listedOf(sum, line, sign), rounded };
}

/** Of what the list has priced a part of only, it has no price. */
function listedOf(sum: Line | undefined, { listed }: Line, sign: 1n | -1n): Line["listed"] {
  const before = sum === undefined ? none : sum.listed;
  return listed === undefined || before === undefined ? undefined : add(before, multiply(listed, fraction(sign)));
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

function billOf(lines: readonly Line[], period: Period, book: RatedBook, options: TaxOptions): Bill {
  const { customer, currency } = lines[0]!;
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
const keyOf = (line: Line): string => lineKeys(line).join("\n");
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
