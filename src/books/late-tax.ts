import { type BillDocument, type Period, type RatedBook, type Tax, taxedDocument, taxOf } from "../ledger/index.ts";

/**
 * A bill that closed without a rate, as the price book taxes it now: at the rate of its own period's end, on what credits have not
 * paid. Both in minor units. Undefined: it has a rate, nobody taxes it, or there is still none.
 */
export function taxedLate(
  document: BillDocument,
  {
    period,
    net,
    drawn,
    book,
  }: { readonly period: Period; readonly net: bigint; readonly drawn: bigint; readonly book: RatedBook },
): { readonly document: BillDocument; readonly tax: Tax } | undefined {
  if (document.taxPercent !== null || document.reverseCharge) return undefined;
  const tax = taxOf({ customer: document.customer, period, net: net - drawn }, book);
  return tax.percent === undefined && !tax.reverseCharge
    ? undefined
    : { document: taxedDocument(document, net, tax), tax };
}
