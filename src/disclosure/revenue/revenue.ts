import { readAmount } from "../../base/index.ts";
import {
  add,
  compare,
  decimalText,
  type Definition,
  divide,
  type Fraction,
  fraction,
  multiply,
  none,
  type QuarterRevenue,
  revenueFigures,
  total,
} from "../../ledger/index.ts";
import type { Period } from "../live-state.ts";
import { furtherDefinitions as further } from "./definitions.ts";
import { growthText, moneyText, percentText } from "./words.ts";
import type { Balances, MonthStanding, RevenueLine, RevenueState } from "./state.ts";

/** A figure with what it means, and what it was made of. */
export interface RevenueFigure {
  readonly id: string;
  readonly version: number;
  readonly definition: string;
  /** Of a share: the id of the figure that it is a share of. */
  readonly denominator: string | null;
  readonly unit: "money" | "share" | "money/hour" | "hours" | "tokens";
  /** A decimal string, of 18 decimals at most; null: there is none, and `why` says so. */
  readonly value: string | null;
  readonly why: string | null;
  /** What whoever reads the value has to know besides; null: nothing. */
  readonly caveat: string | null;
  /** The postings that it is the sum of: those of these accounts in these months. */
  readonly postings: { readonly accounts: readonly string[]; readonly months: readonly string[] } | null;
}

export interface ProductRevenue {
  readonly product: string;
  readonly tag: "ai" | "other";
  readonly external: string;
  readonly intersegment: string;
  /** Of external and intersegment together, on the year; null: nothing is recorded of the year before, or the quarter has not ended. */
  readonly growth: string | null;
}

export interface MonthRevenue extends MonthStanding {
  readonly ai: string;
  readonly other: string;
  readonly intersegment: string;
}

export interface CustomerRevenue {
  readonly customer: { readonly id: string; readonly name: string };
  readonly amount: string;
  /** Of external revenue. */
  readonly share: string;
}

export interface RevenueReport {
  readonly report: "revenue";
  readonly format: "bailiwick-revenue/1";
  readonly at: string;
  readonly release: string;
  readonly installation: string;
  readonly quarter: string;
  readonly period: Period;
  readonly timeZone: string;
  /** How long the books' periods are: those of a quarter or of a year have no months of their own. */
  readonly bookPeriod: RevenueState["bookPeriod"];
  /** `provisional`: a month of it is open, and its figures can change. */
  readonly status: "final" | "provisional";
  readonly currency: string;
  readonly summary: string;
  readonly figures: readonly RevenueFigure[];
  readonly products: readonly ProductRevenue[];
  readonly months: readonly MonthRevenue[];
  /** The ten with the most external revenue. */
  readonly topCustomers: readonly CustomerRevenue[];
  readonly balances: Balances;
  readonly accelerators: RevenueState["accelerators"];
  readonly tokens: RevenueState["tokens"];
  /** What was posted, by account, customer and month: what the figures above are sums of. */
  readonly lines: readonly RevenueLine[];
  readonly yearBefore: readonly RevenueLine[];
}

const topMost = 10;

/** A quarter as a listed cloud tells it: each figure with its definition and the postings that it comes from. */
export function revenueReport(state: RevenueState): RevenueReport {
  const { quarter, currency, lines, yearBefore } = state;
  const status = state.months.every((month) => month.status === "closed") ? "final" : "provisional";
  const figures = [...figuresOfRevenue(state), ...figuresOfOperation(state)];
  return {
    report: "revenue",
    format: "bailiwick-revenue/1",
    at: new Date(state.atMs).toISOString(),
    release: state.release,
    installation: state.installation,
    quarter,
    period: state.period,
    timeZone: state.timeZone,
    bookPeriod: state.bookPeriod,
    status,
    currency,
    summary: summaryOf(state, status, figures),
    figures,
    products: productsOf(state),
    months: state.months.map((month) => monthOf(month, lines)),
    topCustomers: topCustomers(lines),
    balances: state.balances,
    accelerators: state.accelerators,
    tokens: state.tokens,
    lines,
    yearBefore,
  };
}

const isExternal = ({ segment }: RevenueLine): boolean => segment === "external";
const isAi = ({ tag }: RevenueLine): boolean => tag === "ai";

function sumOf(lines: readonly RevenueLine[], ...which: readonly ((line: RevenueLine) => boolean)[]): Fraction {
  return total(lines.filter((line) => which.every((holds) => holds(line))).map(({ amount }) => exact(amount)));
}

/** What PostgreSQL and settings hold is a decimal of at most 12 decimals. */
function exact(text: string): Fraction {
  return fraction(readAmount(text), 10n ** 12n);
}

function quarterOf({ lines, yearBefore, months, days }: RevenueState): QuarterRevenue {
  const aiOf = ({ month }: MonthStanding): Fraction => sumOf(lines, isExternal, isAi, (line) => line.month === month);
  return {
    aiByMonth: [aiOf(months[0]), aiOf(months[1]), aiOf(months[2])],
    otherExternal: sumOf(lines, isExternal, (line) => !isAi(line)),
    intersegment: sumOf(lines, (line) => !isExternal(line)),
    days,
    yearBefore:
      yearBefore.length === 0 ? undefined : { external: sumOf(yearBefore, isExternal), segment: sumOf(yearBefore) },
  };
}

function figuresOfRevenue(state: RevenueState): readonly RevenueFigure[] {
  const figures = revenueFigures(quarterOf(state));
  const all = [...state.lines, ...state.yearBefore];
  const unfinished = unfinishedOf(state);
  const of = (name: keyof typeof figures, ...which: readonly ((line: RevenueLine) => boolean)[]): RevenueFigure => {
    const { definition, value } = figures[name];
    const isGrowth = name.endsWith("Growth");
    const made = (isGrowth ? all : state.lines).filter((line) => which.every((holds) => holds(line)));
    const why = isGrowth ? "nothing is recorded of the same quarter a year before" : "it would be a share of nothing";
    const unit = isGrowth || name.includes("Share") ? "share" : "money";
    return figureOf(definition, unit, value, why, made);
  };
  const lastMonth = state.months[2].month;
  // What a part of a quarter comes to would be read as what the whole does.
  const whole = (figure: RevenueFigure, why = unfinished): RevenueFigure =>
    why === undefined ? figure : { ...figure, value: null, why };
  const monthless =
    state.bookPeriod === "month" ? undefined : `the books are closed by ${state.bookPeriod}: no month of its own`;
  return [
    of("aiRevenue", isExternal, isAi),
    of("externalRevenue", isExternal),
    of("segmentRevenue"),
    of("aiShareOfExternal", isExternal),
    of("aiShareOfSegment"),
    whole(of("externalGrowth", isExternal)),
    whole(of("segmentGrowth")),
    whole(of("runRateByQuarter", isExternal, isAi)),
    whole(
      of("runRateByLastMonth", isExternal, isAi, ({ month }) => month === lastMonth),
      unfinished ?? monthless,
    ),
    whole(of("runRateByDays", isExternal, isAi)),
  ];
}

/** Why a quarter cannot be held against a whole one; undefined: it is over. */
function unfinishedOf({ atMs, period }: RevenueState): string | undefined {
  if (atMs >= Date.parse(period.to)) return undefined;
  return `the quarter has not ${atMs < Date.parse(period.from) ? "begun" : "ended"}`;
}

function figuresOfOperation(state: RevenueState): readonly RevenueFigure[] {
  const { balances, accelerators, tokens, costPerHour } = state;
  const deferred = exact(balances.contractLiabilities);
  const up = hours(accelerators.map(({ upSeconds }) => upSeconds));
  const busy = hours(accelerators.map(({ busySeconds }) => busySeconds));
  const isUp = up.numerator !== 0n;
  const cost = costOf(state);
  const caveat = caveatOf(state);
  const ofAccelerators = (definition: Definition, unit: RevenueFigure["unit"], value: Fraction): RevenueFigure =>
    isUp
      ? { ...figureOf(definition, unit, value), caveat }
      : figureOf(definition, unit, undefined, "nothing is recorded of accelerators in the quarter");
  return [
    figureOf(further.deferredRevenue, "money", deferred),
    figureOf(further.unbilledRevenue, "money", exact(balances.unbilledReceivables)),
    figureOf(further.remainingObligations, "money", add(deferred, state.remainingObligations)),
    figureOf(further.tokensServed, "tokens", total([tokens.input, tokens.cachedInput, tokens.output].map(exact))),
    ofAccelerators(further.acceleratorHours, "hours", up),
    ofAccelerators(further.utilisation, "share", per(busy, up)),
    ofAccelerators(further.revenuePerHour, "money/hour", per(exact(state.servedRevenue), up)),
    figureOf(
      further.grossCost,
      "money",
      cost,
      Object.keys(costPerHour).length === 0 ? "no cost rate is set" : "a kind of accelerator has no cost rate",
    ),
  ];
}

function hours(seconds: readonly number[]): Fraction {
  return fraction(BigInt(Math.round(seconds.reduce((sum, each) => sum + each, 0))), 3_600n);
}

/** What is told of no hour at all is none. */
function per(value: Fraction, whole: Fraction): Fraction {
  return whole.numerator === 0n ? none : divide(value, whole);
}

/** As hosts call the device where there is no accelerator. */
const processor = "cpu";

/** What keeps hours from being what they are taken for: those of processors, and so few that whatever is divided by them is chance. */
function caveatOf({ accelerators }: RevenueState): string | null {
  const up = (some: RevenueState["accelerators"]): Fraction => hours(some.map(({ upSeconds }) => upSeconds));
  const [all, onProcessors] = [up(accelerators), up(accelerators.filter(({ device }) => device === processor))];
  const kinds =
    onProcessors.numerator === 0n
      ? []
      : compare(onProcessors, all) === 0
        ? ["all of these hours are of hosts that compute on their processors (cpu), without an accelerator"]
        : [
            `${moneyText(decimalText(onProcessors))} of these hours are of hosts that compute on their processors (cpu)`,
          ];
  const few = compare(all, fraction(fewHours)) < 0 ? [`fewer than ${fewHours} hours were recorded in the quarter`] : [];
  return [...kinds, ...few].join("; ") || null;
}

/** Of one accelerator: a day. */
const fewHours = 24n;

/** Undefined where a kind that was up has no rate: a part of the cost is none. */
function costOf({ accelerators, costPerHour }: RevenueState): Fraction | undefined {
  if (Object.keys(costPerHour).length === 0) return undefined;
  let cost = none;
  for (const { device, upSeconds } of accelerators) {
    const rate = costPerHour[device];
    if (rate === undefined) return undefined;
    cost = add(cost, multiply(hours([upSeconds]), exact(rate)));
  }
  return cost;
}

function figureOf(
  definition: Definition,
  unit: RevenueFigure["unit"],
  value: Fraction | undefined,
  why = "",
  lines?: readonly RevenueLine[],
): RevenueFigure {
  const { id, version, text, denominator } = definition;
  return {
    id,
    version,
    definition: text,
    denominator: denominator ?? null,
    unit,
    value: value === undefined ? null : decimalText(value),
    why: value === undefined ? why : null,
    caveat: null,
    postings:
      lines === undefined
        ? null
        : {
            accounts: distinct(lines.map(({ account }) => account)),
            months: distinct(lines.map(({ month }) => month)),
          },
  };
}

function distinct(texts: readonly string[]): readonly string[] {
  return [...new Set(texts)].toSorted();
}

function productsOf(state: RevenueState): readonly ProductRevenue[] {
  const { lines, yearBefore } = state;
  const isOver = unfinishedOf(state) === undefined;
  return distinct(lines.map(({ product }) => product)).map((product) => {
    const isIt = (line: RevenueLine): boolean => line.product === product;
    const [now, before] = [sumOf(lines, isIt), sumOf(yearBefore, isIt)];
    return {
      product,
      tag: lines.find(isIt)!.tag,
      external: decimalText(sumOf(lines, isIt, isExternal)),
      intersegment: decimalText(sumOf(lines, isIt, (line) => !isExternal(line))),
      growth: !isOver || before.numerator === 0n ? null : decimalText(add(divide(now, before), fraction(-1n))),
    };
  });
}

function monthOf(standing: MonthStanding, lines: readonly RevenueLine[]): MonthRevenue {
  const isIn = ({ month }: RevenueLine): boolean => month === standing.month;
  return {
    ...standing,
    ai: decimalText(sumOf(lines, isIn, isExternal, isAi)),
    other: decimalText(sumOf(lines, isIn, isExternal, (line) => !isAi(line))),
    intersegment: decimalText(sumOf(lines, isIn, (line) => !isExternal(line))),
  };
}

function topCustomers(lines: readonly RevenueLine[]): readonly CustomerRevenue[] {
  const external = lines.filter(isExternal);
  const whole = sumOf(external);
  if (whole.numerator === 0n) return [];
  const sums = new Map<string, { customer: RevenueLine["customer"]; amount: Fraction }>();
  for (const { customer, amount } of external) {
    const held = sums.get(customer.id)?.amount ?? none;
    sums.set(customer.id, { customer, amount: add(held, exact(amount)) });
  }
  return [...sums.values()]
    .toSorted((a, b) => compare(b.amount, a.amount) || (a.customer.id < b.customer.id ? -1 : 1))
    .slice(0, topMost)
    .map(({ customer, amount }) => ({
      customer,
      amount: decimalText(amount),
      share: decimalText(divide(amount, whole)),
    }));
}

/** "2026-01-01 to 2026-03-31 (Europe/Berlin)": by the clock by which its months begin. */
export function quarterText({
  months,
  timeZone,
}: Pick<RevenueReport, "timeZone"> & { readonly months: readonly MonthStanding[] }): string {
  const [first, last] = [months[0]!.month, months.at(-1)!.month];
  const days = new Date(Date.UTC(Number(last.slice(0, 4)), Number(last.slice(5)), 0)).getUTCDate();
  return `${first}-01 to ${last}-${days} (${timeZone})`;
}

function summaryOf({ quarter, currency }: RevenueState, status: string, figures: readonly RevenueFigure[]): string {
  const of = (id: string): string | null => figures.find((figure) => figure.id === id)!.value;
  const share = of("ai-share-of-external");
  const growth = of("external-growth-on-year");
  const parts = [
    `External revenue ${moneyText(of("external-revenue")!)} ${currency}`,
    ...(growth === null ? [] : [`${growthText(growth)} on the year`]),
    ...(share === null ? [] : [`${percentText(share)} % of external revenue from AI products`]),
  ];
  const provisional = status === "final" ? "" : " Provisional: a month of the quarter is open.";
  return `${quarter}: ${parts.join(", ")}.${provisional}`;
}
