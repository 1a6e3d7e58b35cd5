import type { ContractVersion, RatedBook } from "../book/book.ts";
import type { Period } from "../book/calendar.ts";
import { charge } from "../book/charge.ts";
import { minorUnitDecimals } from "../book/currency.ts";
import {
  add,
  ceiling,
  compare,
  divide,
  type Fraction,
  fraction,
  multiply,
  none,
  round,
  smaller,
  subtract,
  total,
} from "../book/fraction.ts";
import { trueUpSku } from "../book/own-skus.ts";
import { quantityFraction } from "../book/quantity.ts";
import { priceIn, type Terms } from "../book/terms.ts";
import type { UsageSum } from "./sums.ts";

/** What something is cheaper for: as a batch, off peak, by the discount that a contract gives off the list. */
export type DiscountReason = "batch" | "off-peak" | "contract";

/** What one thing costs one customer in one period: the only place where money is rounded. */
export interface Line {
  readonly customer: string;
  readonly period: Period;
  readonly sku: string;
  readonly currency: string;
  /** The contract in force, also where the list has priced it. */
  readonly contract: ContractVersion | undefined;
  /** The version whose price it is, as bills call it: "2026-1", or "acme/1" of a contract. */
  readonly priceVersion: string;
  readonly quantity: Fraction;
  /** Of it for nothing, by the free grant. */
  readonly free: Fraction;
  readonly batch: Fraction;
  readonly offPeak: Fraction;
  /** Taken off by discounts, and put on to reach the minimum. */
  readonly discount: Fraction;
  readonly raised: Fraction;
  /** What it was discounted for, in this order. */
  readonly discountFor: readonly DiscountReason[];
  readonly amount: Fraction;
  /**
   * Where a contract has a price of its own: what the list asks for what is charged for, before discounts; undefined: the list has no
   * price of it, or in another currency.
   */
  readonly listed: Fraction | undefined;
  /** In minor units of the currency. */
  readonly rounded: bigint;
  /** What rounding has taken away, below 0 where it added: amount = rounded + residual. */
  readonly residual: Fraction;
}

/** Prices a sum once: free grant, price, discounts, minimum, in this order, which is OpenMeter's. */
export function lineOf(sum: UsageSum, book: RatedBook): Line {
  const { customer, period, sku, terms, found } = sum;
  const { contract } = terms;
  const { price, version, isContract } = found;
  const [quantity, batch, offPeak] = [sum.quantity, sum.batch, sum.offPeak].map(quantityFraction) as [
    Fraction,
    Fraction,
    Fraction,
  ];
  const part = partOf(terms, period, book);
  // In a part of a period a part of the grant, and never less than that: whole units, rounded up.
  const grant = compare(part, fraction(1n)) < 0 ? fraction(ceiling(multiply(price.freeGrant, part))) : price.freeGrant;
  const free = smaller(quantity, grant);
  const charged = subtract(quantity, free);
  const full = charge(price.model, charged);
  const batchOff = multiply(shareOf(batch, quantity), price.batchDiscount);
  const offPeakOff = multiply(shareOf(offPeak, quantity), price.offPeakDiscount);
  const byKind = multiply(full, subtract(fraction(1n), add(batchOff, offPeakOff)));
  const isListed = contract !== undefined && !isContract;
  const off = isListed ? contract.discount : none;
  const discounted = multiply(byKind, subtract(fraction(1n), off));
  const raised = atLeast(subtract(multiply(price.minimum, part), discounted));
  return roundedLine(
    {
      customer,
      period,
      sku,
      currency: isContract ? contract!.currency : book.currency,
      contract,
      priceVersion: isContract ? `${contract!.contract}/${version.version}` : version.version,
      quantity,
      free,
      batch,
      offPeak,
      discount: subtract(full, discounted),
      discountFor: reasonsOf(full, { batch: batchOff, "off-peak": offPeakOff, contract: off }),
      raised,
      amount: add(discounted, raised),
      listed: isContract ? listedAt(sum, charged, book) : undefined,
    },
    book,
  );
}

function reasonsOf(full: Fraction, shares: Readonly<Record<DiscountReason, Fraction>>): readonly DiscountReason[] {
  if (compare(full, none) === 0) return [];
  return discountReasons.filter((reason) => compare(shares[reason], none) > 0);
}

export const discountReasons = ["batch", "off-peak", "contract"] as const satisfies readonly DiscountReason[];

function listedAt({ sku, terms }: UsageSum, quantity: Fraction, { currency }: RatedBook): Fraction | undefined {
  const price = terms.list === undefined ? undefined : priceIn(terms.list, sku);
  return price === undefined || terms.contract?.currency !== currency ? undefined : charge(price.model, quantity);
}

/** The line that lifts what a customer pays for a period to its commitment; undefined where enough was used. */
export function trueUpOf(
  customer: string,
  contract: ContractVersion,
  period: Period,
  lines: readonly Line[],
  book: RatedBook,
): Line | undefined {
  if (contract.commitment === undefined) return undefined;
  const committed = multiply(contract.commitment, partOf(contract, period, book));
  const unit = 10n ** BigInt(minorUnitDecimals(contract.currency)!);
  const used = lines.filter((line) => line.contract === contract && line.currency === contract.currency);
  const missing = subtract(committed, total(used.map((line) => fraction(line.rounded, unit))));
  if (compare(missing, none) <= 0) return undefined;
  const priceVersion = `${contract.contract}/${contract.version}`;
  const nothing = {
    free: none,
    batch: none,
    offPeak: none,
    discount: none,
    raised: none,
    discountFor: [],
    listed: undefined,
  };
  const quantity = fraction(1n);
  const { currency } = contract;
  const line = {
    customer,
    period,
    sku: trueUpSku,
    currency,
    contract,
    priceVersion,
    quantity,
    ...nothing,
    amount: missing,
  };
  return roundedLine(line, book);
}

/** Rounds what a line comes to. */
export function roundedLine(line: Omit<Line, "rounded" | "residual">, { rounding }: RatedBook): Line {
  const decimals = minorUnitDecimals(line.currency)!;
  const units = round(line.amount, decimals, rounding);
  return { ...line, rounded: units, residual: subtract(line.amount, fraction(units, 10n ** BigInt(decimals))) };
}

/** Which part of a period something holds in. */
function partOf({ fromMs, toMs }: Pick<Terms, "fromMs" | "toMs">, period: Period, { calendar }: RatedBook): Fraction {
  const [part, whole] = calendar.shareOf(period, fromMs, toMs);
  return fraction(part, whole);
}

/** A discount is spread over the line as its events are: a tier or a package knows no single event's price. */
function shareOf(part: Fraction, whole: Fraction): Fraction {
  return compare(whole, none) === 0 ? none : divide(part, whole);
}

function atLeast(value: Fraction): Fraction {
  return compare(value, none) < 0 ? none : value;
}
