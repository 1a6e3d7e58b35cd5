import type { Fraction } from "../../ledger/index.ts";
import type { Period } from "../live-state.ts";

/** What was posted to one revenue account for one customer in one month. */
export interface RevenueLine {
  /** As the chart of accounts has it. */
  readonly account: string;
  readonly product: string;
  readonly tag: "ai" | "other";
  readonly segment: "external" | "intersegment";
  readonly customer: { readonly id: string; readonly name: string };
  /** "2026-03" */
  readonly month: string;
  /** A decimal string: what was credited, less what was debited. */
  readonly amount: string;
  readonly postings: number;
}

export interface MonthStanding {
  readonly month: string;
  /** A closed month never changes. */
  readonly status: "closed" | "open";
}

/** Balances of the ledger at the end of the quarter, or now where it has not ended; decimal strings. */
export interface Balances {
  /** Paid for and not served yet. */
  readonly contractLiabilities: string;
  /** Served and not invoiced yet. */
  readonly unbilledReceivables: string;
  readonly receivables: string;
}

/** One kind of accelerator, over the quarter; seconds. */
export interface AcceleratorTime {
  readonly device: string;
  /** With work. */
  readonly busySeconds: number;
  /** Known to this cloud and up. */
  readonly upSeconds: number;
}

/** Decimal strings: quarters of a large cloud are beyond what a float holds. */
export interface TokenSums {
  readonly input: string;
  readonly cachedInput: string;
  readonly output: string;
}

/** All that a quarter's report is computed from, in one currency. */
export interface RevenueState {
  readonly atMs: number;
  readonly release: string;
  readonly installation: string;
  /** "2026Q1" */
  readonly quarter: string;
  readonly period: Period;
  /** Of the price book, by whose clock months begin (IANA). */
  readonly timeZone: string;
  /** How long the books' periods are. */
  readonly bookPeriod: "month" | "quarter" | "year";
  readonly days: number;
  /** The quarter's three, in their order. */
  readonly months: readonly [MonthStanding, MonthStanding, MonthStanding];
  readonly currency: string;
  readonly lines: readonly RevenueLine[];
  /** Of the same quarter a year before; empty: nothing is recorded of it. */
  readonly yearBefore: readonly RevenueLine[];
  readonly balances: Balances;
  /** What customers have committed to beyond what was served, by contracts: a part of a month has no finite decimal. */
  readonly remainingObligations: Fraction;
  readonly accelerators: readonly AcceleratorTime[];
  /** What tokens come to that the hosts of these accelerators have served, by prices of lists and contracts; a decimal string. */
  readonly servedRevenue: string;
  readonly tokens: TokenSums;
  /** What an hour of each kind costs the operator, by settings; empty: not set. */
  readonly costPerHour: Readonly<Record<string, string>>;
}
