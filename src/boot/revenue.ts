import { refuse, type Refusal } from "../base/index.ts";
import { type MonthStanding, revenueReport, type RevenueLine, type RevenueReport } from "../disclosure/index.ts";
import {
  add,
  decimalText,
  type Fraction,
  fraction,
  multiply,
  none,
  type Period,
  type RatedBook,
  revenueOf,
} from "../ledger/index.ts";
import {
  acceleratorTime,
  balancesUntil,
  closedUntil,
  findPeriod,
  quantitiesByDimension,
  revenueCurrencies,
  revenueSums,
  type RevenueSum,
  servedRevenue,
} from "../store/index.ts";
import type { OperationParts } from "./parts.ts";

/** What a quarter is gathered from. */
interface RevenueParts extends Pick<OperationParts, "version" | "ledger"> {
  readonly store: Pick<OperationParts["store"], "db">;
  readonly shipper: Pick<OperationParts["shipper"], "caughtUp">;
  readonly settings: { readonly disclosure: Pick<OperationParts["settings"]["disclosure"], "revenue"> };
  readonly cloud: Pick<OperationParts["cloud"], "clock">;
  readonly folder: Pick<OperationParts["folder"], "installation">;
}

const shippingWaitMs = 10_000;

/** "2026Q1" */
const quarterPattern = /^(\d{4})Q([1-4])$/;

/** Gathers a quarter from the ledger and from what was metered, and tells it. */
export async function reportRevenue(
  { quarter, currency: asked }: { readonly quarter: string; readonly currency: string | undefined },
  parts: RevenueParts,
): Promise<RevenueReport | Refusal> {
  const { store, shipper, settings, cloud, ledger } = parts;
  const { db } = store;
  const { book } = ledger.prices;
  const currency = asked ?? book.currency;
  await shipper.caughtUp(shippingWaitMs);
  const currencies = await revenueCurrencies(db);
  if (asked !== undefined && asked !== book.currency && !currencies.includes(asked)) {
    const others = currencies.length === 0 ? "none is" : `${currencies.join(", ")} are`;
    return refuse("invalid_request", `Nothing is posted in ${asked}; of currencies, ${others}.`, { param: "currency" });
  }
  const [, year = "", number = ""] = quarterPattern.exec(quarter) ?? [];
  const months = monthsOf(Number(year), Number(number), book);
  const [first, , last] = months;
  const period = { from: new Date(first.startMs), to: new Date(last.endMs) };
  const before = monthsOf(Number(year) - 1, Number(number), book);
  // Nothing is posted any more into what lies before the first period that was closed, either.
  const closedUntilMs = (await closedUntil(db)) ?? -Infinity;
  const standing = months.map(({ name, startMs }): MonthStanding => {
    const { endMs } = book.calendar.periodAt(startMs);
    return { month: name, status: endMs <= closedUntilMs ? "closed" : "open" };
  });
  const balances = await balancesUntil(
    db,
    ["contract-liabilities", "unbilled-receivables", "receivables"],
    last,
    currency,
  );
  const { aiProducts, acceleratorCostPerHour } = settings.disclosure.revenue;
  const told = (sums: readonly RevenueSum[]): readonly RevenueLine[] => sums.map((sum) => lineOf(sum, aiProducts));
  return revenueReport({
    atMs: cloud.clock.nowMs(),
    release: parts.version,
    installation: parts.folder.installation,
    quarter,
    period: { from: period.from.toISOString(), to: period.to.toISOString() },
    timeZone: book.calendar.timeZone,
    bookPeriod: book.calendar.length,
    days: daysOf(Number(year), Number(number)),
    months: [standing[0]!, standing[1]!, standing[2]!],
    currency,
    lines: told(await revenueSums(db, months, currency)),
    yearBefore: told(await revenueSums(db, before, currency)),
    balances: {
      contractLiabilities: negated(balances.get("contract-liabilities") ?? "0"),
      unbilledReceivables: balances.get("unbilled-receivables") ?? "0",
      receivables: balances.get("receivables") ?? "0",
    },
    remainingObligations: committed(await bookAtEndOf(last, parts), currency, last.endMs),
    accelerators: await acceleratorTime(db, period),
    servedRevenue: await servedRevenue(db, months, currency),
    tokens: tokensOf(await quantitiesByDimension(db, months)),
    costPerHour: acceleratorCostPerHour,
  });
}

/**
 * Contracts as they were at the end of a quarter (IFRS 15.120), whatever became of them since. Where no price book was applied by then, as
 * they were when its last period was closed: neither changes any more.
 */
async function bookAtEndOf(
  { startMs, endMs }: Period,
  { store, ledger, cloud }: RevenueParts,
): Promise<RatedBook | undefined> {
  const { prices } = ledger;
  const atEnd = await prices.bookUntil(endMs);
  if (atEnd !== undefined) return atEnd;
  const closed = await findPeriod(store.db, prices.book.calendar.periodAt(startMs).name);
  // Of one that is open: as they are now.
  return prices.bookUntil(closed?.closedAt?.getTime() ?? cloud.clock.nowMs() + 1);
}

function lineOf(sum: RevenueSum, aiProducts: readonly string[]): RevenueLine {
  const { account, organisation, organisationName, month, amount, postings } = sum;
  const { product, segment } = revenueOf(account)!;
  return {
    account,
    product,
    tag: aiProducts.includes(product) ? "ai" : "other",
    segment,
    customer: { id: organisation ?? "", name: organisationName ?? organisation ?? "nobody" },
    month,
    amount,
    postings,
  };
}

/** A quarter's months, by the price book's clock. */
function monthsOf(year: number, quarter: number, { calendar }: RatedBook): readonly [Period, Period, Period] {
  const firstMs = (month: number): number => calendar.instantMs(Date.UTC(year, month));
  const of = (at: number): Period => {
    const month = (quarter - 1) * 3 + at;
    const name = `${year}-${String(month + 1).padStart(2, "0")}`;
    return { name, startMs: firstMs(month), endMs: firstMs(month + 1) };
  };
  return [of(0), of(1), of(2)];
}

function daysOf(year: number, quarter: number): number {
  return (Date.UTC(year, quarter * 3) - Date.UTC(year, quarter * 3 - 3)) / 86_400_000;
}

const tokenKinds = {
  input: ["input-tokens", "embedding-tokens", "cache-write-tokens"],
  cachedInput: ["cached-read-tokens"],
  output: ["output-tokens", "reasoning-tokens"],
} as const;

function tokensOf(quantities: ReadonlyMap<string, string>) {
  const of = (kinds: readonly string[]): string =>
    decimalText(kinds.map((kind) => quantity(quantities.get(kind))).reduce((sum, each) => add(sum, each), none));
  return { input: of(tokenKinds.input), cachedInput: of(tokenKinds.cachedInput), output: of(tokenKinds.output) };
}

/** Sums of usage have nine decimals, and more digits than a price. */
function quantity(text = "0"): Fraction {
  const [whole = "0", decimals = ""] = text.split(".");
  return fraction(BigInt(whole + decimals), 10n ** BigInt(decimals.length));
}

/** Many years of months: a contract that goes on for longer is counted for as long. */
const periodsMost = 600;

/** What contracts with an end commit customers to behind a moment. */
function committed(book: RatedBook | undefined, currency: string, fromMs: number): Fraction {
  let sum = none;
  if (book === undefined) return sum;
  const { contracts, calendar } = book;
  for (const version of [...contracts.values()].flat()) {
    if (version.commitment === undefined || version.currency !== currency || version.toMs === Infinity) continue;
    let atMs = Math.max(fromMs, version.fromMs);
    for (let count = 0; count < periodsMost && atMs < version.toMs; count++) {
      const period = calendar.periodAt(atMs);
      const [part, whole] = calendar.shareOf(period, atMs, Math.min(period.endMs, version.toMs));
      sum = add(sum, multiply(version.commitment, fraction(part, whole)));
      atMs = period.endMs;
    }
  }
  return sum;
}

function negated(text: string): string {
  return text === "0" ? text : text.startsWith("-") ? text.slice(1) : `-${text}`;
}
