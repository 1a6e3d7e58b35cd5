import { isOffPeak, type RatedBook, type SkuPrice } from "../book/book.ts";
import type { Period } from "../book/calendar.ts";
import { compare, none } from "../book/fraction.ts";
import type { Quantity } from "../book/quantity.ts";
import { AllTerms, type FoundPrice, type PriceMissing, type Terms } from "../book/terms.ts";

/** One customer used so much of one SKU at a moment. */
export interface UsageEvent {
  readonly customer: string;
  readonly sku: string;
  readonly atMs: number;
  /** Undefined: nobody knows how much; it is unrated, and never nothing. */
  readonly quantity: Quantity | undefined;
  /** It was asked for as a batch, which may wait. */
  readonly isBatch: boolean;
  /** How many events it stands for, that have all but their quantity in common; left out: one. */
  readonly events?: number;
}

export type UnratedReason = PriceMissing | "no_quantity";

/** What one customer used of one SKU in one period, under terms that did not change. */
export interface UsageSum {
  readonly customer: string;
  readonly sku: string;
  readonly period: Period;
  readonly terms: Terms;
  readonly found: FoundPrice;
  quantity: bigint;
  /** Of it with the batch discount, and with the off-peak one: an event has one of them at most. */
  batch: bigint;
  offPeak: bigint;
  events: number;
}

export interface UnratedSum {
  readonly customer: string;
  readonly sku: string;
  readonly period: Period;
  readonly reason: UnratedReason;
  quantity: bigint;
  events: number;
}

/** A bill of more lines is no bill: the names in the usage are probably ids. */
const sumsMost = 2_000_000;

/**
 * Adds usage up by what is priced at once: (customer, SKU, terms, period). Nothing is priced here, so that the order of
 * events, and how they are cut, can change nothing; memory grows with the sums, not with the events.
 */
export class UsageSums {
  readonly book: RatedBook;
  readonly terms: AllTerms;
  readonly rated = new Map<string, UsageSum>();
  readonly unrated = new Map<string, UnratedSum>();
  /** Everything, by SKU: what the rest must come to. */
  readonly metered = new Map<string, bigint>();
  readonly periods = new Map<string, Period>();
  events = 0;

  constructor(book: RatedBook) {
    this.book = book;
    this.terms = new AllTerms(book);
  }

  /** Returns the sum that it is in now. Throws a `RangeError` where there are too many sums to hold. */
  add(event: UsageEvent): UsageSum | UnratedSum {
    const { customer, sku, atMs, quantity } = event;
    const period = this.book.calendar.periodAt(atMs);
    this.events += event.events ?? 1;
    this.metered.set(sku, (this.metered.get(sku) ?? 0n) + (quantity ?? 0n));
    this.periods.set(period.name, period);
    const terms = this.terms.at(customer, atMs);
    const sum =
      quantity === undefined ? this.#unratedSum(event, period, "no_quantity") : this.#sum(event, period, terms);
    sum.events += event.events ?? 1;
    sum.quantity += quantity ?? 0n;
    if (!("found" in sum)) return sum;
    const kind = this.#kindOf(event, sum.found.price);
    if (kind !== undefined) sum[kind] += quantity!;
    return sum;
  }

  /** Which discount an event has: the better one of those that it could have. */
  #kindOf({ isBatch, atMs }: UsageEvent, price: SkuPrice): "batch" | "offPeak" | undefined {
    const { offPeak, calendar } = this.book;
    const mayBeOffPeak = offPeak !== undefined && compare(price.offPeakDiscount, none) > 0;
    if (isBatch && (!mayBeOffPeak || compare(price.batchDiscount, price.offPeakDiscount) >= 0)) return "batch";
    if (mayBeOffPeak && isOffPeak(offPeak, calendar.localMs(atMs))) return "offPeak";
    return isBatch ? "batch" : undefined;
  }

  /** Looked for among the sums first: prices are the same for all events of one. */
  #sum(event: UsageEvent, period: Period, terms: Terms): UsageSum | UnratedSum {
    const { customer, sku } = event;
    // Terms of one customer begin at different moments.
    const key = `${customer}\n${sku}\n${period.name}\n${terms.fromMs}`;
    const held = this.rated.get(key);
    if (held !== undefined) return held;
    const found = this.terms.price(terms, sku);
    if (typeof found === "string") return this.#unratedSum(event, period, found);
    this.#makeRoom();
    const sum = { customer, sku, period, terms, found, quantity: 0n, batch: 0n, offPeak: 0n, events: 0 };
    this.rated.set(key, sum);
    return sum;
  }

  #unratedSum({ customer, sku }: UsageEvent, period: Period, reason: UnratedReason): UnratedSum {
    const key = `${customer}\n${sku}\n${period.name}\n${reason}`;
    let sum = this.unrated.get(key);
    if (sum === undefined) {
      this.#makeRoom();
      this.unrated.set(key, (sum = { customer, sku, period, reason, quantity: 0n, events: 0 }));
    }
    return sum;
  }

  #makeRoom(): void {
    if (this.rated.size + this.unrated.size < sumsMost) return;
    throw new RangeError(`there are more than ${sumsMost} sums of customer, SKU and period`);
  }
}
