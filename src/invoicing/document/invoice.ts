import type { Party, Payment } from "./party.ts";

/**
 * An invoice or a credit note as it was issued: plain data that nothing changes any more, as JSON the same everywhere.
 * Money has all decimals of its currency ("1912.73"), other numbers are the shortest decimal strings. The names in
 * brackets are the business terms of EN 16931-1.
 */
export interface Invoice {
  readonly kind: "invoice" | "credit-note";
  /** BT-1. */
  readonly number: string;
  /** ISO 4217 (BT-5). */
  readonly currency: string;
  /** Days such as "2026-04-01" (BT-2, BT-9). */
  readonly issueDate: string;
  readonly dueDate: string | null;
  /** By whose clock these are days (IANA); documents that do not say so: UTC. */
  readonly timeZone?: string | undefined;
  /** What was used when (BG-14); null where nothing was used yet, as of credits that are bought. */
  readonly period: InvoicePeriod | null;
  readonly customer: string;
  readonly seller: Party;
  readonly buyer: Party;
  /** What the buyer wants to find: BT-10 and BT-13. */
  readonly buyerReference: string | null;
  readonly purchaseOrder: string | null;
  /** Where to pay to (BG-17); null on a credit note. */
  readonly payment: Payment | null;
  /** BT-20. */
  readonly terms: string | null;
  /** BT-22. */
  readonly note: string | null;
  /** What a credit note takes back (BG-3). */
  readonly preceding: { readonly number: string; readonly issueDate: string } | null;
  readonly lines: readonly InvoiceLine[];
  readonly tax: TaxBreakdown;
  readonly totals: Totals;
}

/** Both days are in it, as the price book's time zone has them. */
export interface Days {
  readonly name: string;
  readonly startDate: string;
  readonly endDate: string;
}

/** The same as instants (UTC), the end behind it. */
export interface InvoicePeriod extends Days {
  readonly startsAt: string;
  readonly endsAt: string;
}

/** BG-25. */
export interface InvoiceLine {
  readonly id: string;
  readonly sku: string;
  readonly name: string;
  /** BT-127. */
  readonly note: string | null;
  /** What is charged for (BT-129): of a part of a line that is credited, 1. */
  readonly quantity: string;
  /** UN/ECE Recommendation 20 (BT-130), and the word for people. */
  readonly unitCode: string;
  readonly unit: string;
  readonly price: LinePrice;
  /** Taken off (BG-27) and put on (BG-28), so that quantity x price / base quantity - allowances + charges = net. */
  readonly allowances: readonly Adjustment[];
  readonly charges: readonly Adjustment[];
  /** BT-131. */
  readonly net: string;
  readonly usage: LineUsage | null;
  /** The line of the preceding invoice that this one takes back. */
  readonly credits: string | null;
}

export interface LinePrice {
  /** BT-146, for so many units (BT-149). */
  readonly amount: string;
  readonly baseQuantity: string;
  /** False where units had several prices (tiers, packages): then it is what they cost on average. */
  readonly isExact: boolean;
}

export interface Adjustment {
  /** late: what late usage makes of what was invoiced before it. */
  readonly kind: "discount" | "drawn" | "late" | "minimum" | "rounding";
  readonly reason: string;
  readonly amount: string;
  /** Of what was drawn: what those credits had cost, 0 of credits that were given; left out where nobody knows. */
  readonly cost?: string | undefined;
}

/** Which usage a line is the price of: with it the records and receipts of it are found. */
export interface LineUsage {
  readonly customer: string;
  readonly period: string;
  readonly sku: string;
  readonly priceVersion: string;
  readonly contract: string | null;
  /** Everything, and of it what the free grant took. */
  readonly quantity: string;
  readonly freeQuantity: string;
  /** What it costs, not rounded; `net` and what was drawn are it, less `residual`. */
  readonly amount: string;
  readonly residual: string;
  /**
   * What the price list asks for the line's quantity before discounts, of 18 decimals at most, rounded up; left out: it is the line's price
   * times its quantity, or nobody knows.
   */
  readonly listAmount?: string | undefined;
  /** Where its receipts are told, where somebody has said. */
  readonly receipts: string | null;
}

/** UNTDID 5305: standard rate, zero rate, exempt, reverse charge, outside the scope of the tax. */
export type TaxCategory = "S" | "Z" | "E" | "AE" | "O";

/** BG-23. All lines of an invoice are taxed alike. */
export interface TaxBreakdown {
  readonly category: TaxCategory;
  readonly name: string;
  readonly jurisdiction: string | null;
  /** null outside the scope of the tax. */
  readonly percent: string | null;
  /** Why there is none (BT-120), and as a code of the VATEX list (BT-121). */
  readonly reason: string | null;
  readonly reasonCode: string | null;
  readonly taxable: string;
  readonly amount: string;
}

/** BG-22. */
export interface Totals {
  readonly net: string;
  readonly tax: string;
  readonly gross: string;
  /** Received already (BT-113). */
  readonly prepaid: string;
  readonly payable: string;
}
