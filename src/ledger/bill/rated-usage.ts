import { minorUnitDecimals } from "../book/currency.ts";
import { decimalText, fixedText, fractionText, isDecimal, total } from "../book/fraction.ts";
import { quantityFraction, unitOf } from "../book/quantity.ts";
import type { Bill, Billing } from "./bill.ts";
import type { DiscountReason, Line } from "./line.ts";
import type { Tax } from "./tax.ts";
import type { UnratedReason, UnratedSum, UsageSum, UsageSums } from "./sums.ts";

/** A line as it is told: numbers are decimal strings. */
export interface LineText {
  readonly customer: string;
  readonly period: string;
  readonly sku: string;
  /** null where the SKU's name ends in no dimension that is known. */
  readonly unit: string | null;
  readonly contract: string | null;
  readonly priceVersion: string;
  readonly currency: string;
  readonly quantity: string;
  readonly freeQuantity: string;
  readonly batchQuantity: string;
  readonly offPeakQuantity: string;
  /** Not rounded, these three. Where one has no finite decimal, of 18 decimals, and `exact…` is what it is: "1/144". */
  readonly discount: string;
  readonly exactDiscount?: string;
  /** What it was discounted for; left out: for nothing, or an earlier release has rated it. */
  readonly discountFor?: readonly DiscountReason[];
  readonly raised: string;
  readonly exactRaised?: string;
  readonly amount: string;
  readonly exactAmount?: string;
  /** Where a contract has a price of its own and the list one too: what the list asks for the same. Likewise. */
  readonly listed?: string;
  readonly exactListed?: string;
  readonly rounded: string;
  readonly residual: string;
}

export interface BillText {
  readonly customer: string;
  readonly period: string;
  readonly currency: string;
  readonly net: string;
  readonly tax: string;
  readonly gross: string;
  readonly taxName: string;
  readonly taxJurisdiction: string | null;
  readonly taxPercent: string | null;
  readonly reverseCharge: boolean;
}

export interface UnpricedText {
  readonly customer: string;
  readonly period: string;
  readonly sku: string;
  readonly quantity: string;
  readonly events: number;
}

export interface TotalText {
  readonly currency: string;
  readonly net: string;
  readonly tax: string;
  readonly gross: string;
  /** The lines' residuals together. */
  readonly residual: string;
}

/** What rating comes to. `net`, `tax` and `gross` are null where bills are in several currencies: see `totals`. */
export interface RatedUsage {
  readonly priceBook: string | null;
  readonly timeZone: string;
  readonly rounding: string;
  readonly lines: readonly LineText[];
  readonly bills: readonly BillText[];
  readonly unrated: readonly (UnpricedText & { readonly reason: UnratedReason })[];
  readonly unbilled: readonly UnpricedText[];
  /** Everything that was used, by SKU: of each the lines, `unrated` and `unbilled` together. */
  readonly metered: readonly { readonly sku: string; readonly quantity: string }[];
  readonly totals: readonly TotalText[];
  readonly currency: string | null;
  readonly net: string | null;
  readonly tax: string | null;
  readonly gross: string | null;
  readonly residual: string | null;
}

export function ratedUsage(sums: UsageSums, { bills, unrated, unbilled }: Billing): RatedUsage {
  const { name, timeZone, rounding, currency } = { ...sums.book, timeZone: sums.book.calendar.timeZone };
  const totals = totalsOf(bills, currency);
  const only = totals.length === 1 ? totals[0]! : { currency: null, net: null, tax: null, gross: null, residual: null };
  return {
    priceBook: name ?? null,
    timeZone,
    rounding,
    lines: bills.flatMap(({ lines }) => lines.map(lineText)),
    bills: bills.map(billText),
    unrated: unrated.map((sum) => ({ ...unpricedText(sum), reason: sum.reason })),
    unbilled: unbilled.map(unpricedText),
    metered: [...sums.metered]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([sku, quantity]) => ({ sku, quantity: decimalText(quantityFraction(quantity)) })),
    totals,
    ...only,
  };
}

/** A bill with its lines: what an invoice is made of. */
export type BillDocument = BillText & { readonly lines: readonly LineText[]; readonly residual: string };

export function billDocument(bill: Bill): BillDocument {
  const residual = total(bill.lines.map((line) => line.residual));
  return { ...billText(bill), residual: decimalText(residual), lines: bill.lines.map(lineText) };
}

/** Of nothing there is a total too, in the list's currency. */
function totalsOf(bills: readonly Bill[], listed: string): readonly TotalText[] {
  const currencies = [...new Set(bills.map(({ currency }) => currency))].toSorted();
  return (currencies.length === 0 ? [listed] : currencies).map((currency) => {
    const mine = bills.filter((bill) => bill.currency === currency);
    const money = (of: (bill: Bill) => bigint): string =>
      moneyText(
        mine.reduce((sum, bill) => sum + of(bill), 0n),
        currency,
      );
    const residual = total(mine.flatMap(({ lines }) => lines.map((line) => line.residual)));
    return {
      currency,
      net: money(({ net }) => net),
      tax: money(({ tax }) => tax.amount),
      gross: money(({ gross }) => gross),
      residual: decimalText(residual),
    };
  });
}

function lineText(line: Line): LineText {
  const { customer, period, sku, contract, priceVersion, currency, discount, raised, amount, listed } = line;
  return {
    customer,
    period: period.name,
    sku,
    unit: unitOf(sku) ?? null,
    contract: contract === undefined ? null : `${contract.contract}/${contract.version}`,
    priceVersion,
    currency,
    quantity: decimalText(line.quantity),
    freeQuantity: decimalText(line.free),
    batchQuantity: decimalText(line.batch),
    offPeakQuantity: decimalText(line.offPeak),
    discount: decimalText(discount),
    ...(isDecimal(discount) ? {} : { exactDiscount: fractionText(discount) }),
    ...(line.discountFor.length === 0 ? {} : { discountFor: line.discountFor }),
    raised: decimalText(raised),
    ...(isDecimal(raised) ? {} : { exactRaised: fractionText(raised) }),
    amount: decimalText(amount),
    ...(isDecimal(amount) ? {} : { exactAmount: fractionText(amount) }),
    ...(listed === undefined ? {} : { listed: decimalText(listed) }),
    ...(listed === undefined || isDecimal(listed) ? {} : { exactListed: fractionText(listed) }),
    rounded: moneyText(line.rounded, currency),
    residual: decimalText(line.residual),
  };
}

function billText({ customer, period, currency, net, tax, gross }: Bill): BillText {
  return {
    customer,
    period: period.name,
    currency,
    net: moneyText(net, currency),
    tax: moneyText(tax.amount, currency),
    gross: moneyText(gross, currency),
    ...taxText(tax),
  };
}

function taxText({ name, jurisdiction, percent, reverseCharge }: Tax) {
  return {
    taxName: name,
    taxJurisdiction: jurisdiction ?? null,
    taxPercent: percent === undefined ? null : decimalText(percent),
    reverseCharge,
  };
}

/** A bill that had no tax, with one. `net` is the bill's, in minor units. */
export function taxedDocument(document: BillDocument, net: bigint, tax: Tax): BillDocument {
  const { currency } = document;
  return {
    ...document,
    tax: moneyText(tax.amount, currency),
    gross: moneyText(net + tax.amount, currency),
    ...taxText(tax),
  };
}

function unpricedText({ customer, period, sku, quantity, events }: UsageSum | UnratedSum): UnpricedText {
  return { customer, period: period.name, sku, quantity: decimalText(quantityFraction(quantity)), events };
}

/** With all the decimals that its currency has. */
export function moneyText(units: bigint, currency: string): string {
  return fixedText(units, minorUnitDecimals(currency)!);
}
