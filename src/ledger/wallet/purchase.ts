import { type BillDocument, billDocument } from "../bill/rated-usage.ts";
import type { Tax } from "../bill/tax.ts";
import type { Period } from "../book/calendar.ts";

/** What the invoice of a grant is made of: a bill without usage, and what was bought. */
export type PurchaseDocument = BillDocument & {
  readonly purchase: {
    readonly grant: string;
    /** A decimal string. */
    readonly credits: string;
  };
};

/** `net`: what is paid for the credits, in minor units. */
export function purchaseDocument(bought: {
  readonly customer: string;
  readonly period: Period;
  readonly currency: string;
  readonly grant: string;
  readonly credits: string;
  readonly net: bigint;
  readonly tax: Tax;
}): PurchaseDocument {
  const { grant, credits, net, tax, ...rest } = bought;
  const bill = billDocument({ ...rest, lines: [], net, tax, gross: net + tax.amount });
  return { ...bill, purchase: { grant, credits } };
}
