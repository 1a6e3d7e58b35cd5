import { type BillDocument, fraction, type Line, type Period, type Tax } from "../../ledger/index.ts";
import { decimalOf, unitsOf } from "./money.ts";

/** What an invoice needs of a line: of its contract, only what it is called. */
export type BilledLine = Omit<Line, "contract" | "period"> & {
  readonly period: { readonly name: string };
  readonly contract: { readonly contract: string; readonly version: string } | undefined;
};

/** What an invoice needs of a bill, fresh from the ledger or kept as a document. */
export interface InvoicedBill {
  readonly customer: string;
  readonly period: Period;
  readonly currency: string;
  readonly lines: readonly BilledLine[];
  readonly net: bigint;
  readonly tax: Tax;
  readonly gross: bigint;
}

/** A bill as it was kept when its period closed. */
export function readBill(document: BillDocument, period: Period): InvoicedBill {
  const { customer, currency } = document;
  const minor = (text: string): bigint => unitsOf(text, currency);
  const { taxJurisdiction, taxName, taxPercent, reverseCharge } = document;
  return {
    customer,
    period,
    currency,
    lines: document.lines.map(lineOf),
    net: minor(document.net),
    gross: minor(document.gross),
    tax: {
      jurisdiction: taxJurisdiction ?? undefined,
      name: taxName,
      percent: taxPercent === null ? undefined : decimalOf(taxPercent),
      reverseCharge,
      amount: minor(document.tax),
    },
  };
}

function lineOf(line: BillDocument["lines"][number]): BilledLine {
  const { customer, sku, currency, priceVersion } = line;
  return {
    customer,
    sku,
    currency,
    priceVersion,
    period: { name: line.period },
    contract: contractOf(line.contract),
    quantity: decimalOf(line.quantity),
    free: decimalOf(line.freeQuantity),
    batch: decimalOf(line.batchQuantity),
    offPeak: decimalOf(line.offPeakQuantity),
    discount: decimalOf(line.discount),
    raised: decimalOf(line.raised),
    amount: line.exactAmount === undefined ? decimalOf(line.amount) : ratioOf(line.exactAmount),
    rounded: unitsOf(line.rounded, currency),
    residual: decimalOf(line.residual),
  };
}

/** "acme/1": a contract's name may have slashes of its own. */
function contractOf(name: string | null): BilledLine["contract"] {
  if (name === null) return undefined;
  const at = name.lastIndexOf("/");
  return { contract: name.slice(0, at), version: name.slice(at + 1) };
}

/** "1/3" */
function ratioOf(text: string) {
  const [numerator = "", denominator = "1"] = text.split("/");
  return fraction(BigInt(numerator), BigInt(denominator));
}
