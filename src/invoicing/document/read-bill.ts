import {
  type BillDocument,
  type Fraction,
  fraction,
  type Line,
  type Period,
  type Tax,
  total,
} from "../../ledger/index.ts";
import { decimalOf, unitsOf } from "./money.ts";
import { priceDecimalsMost } from "./price.ts";

type LineDocument = BillDocument["lines"][number];

const none = fraction(0n);
const halfOfLastDecimal = fraction(1n, 2n * 10n ** 18n);

/** What an invoice needs of a line: of its contract, only what it is called. */
export type BilledLine = Omit<Line, "contract" | "period"> & {
  readonly period: { readonly name: string };
  readonly contract: { readonly contract: string; readonly version: string } | undefined;
  /** By how much discount, raised and amount together may differ from what they were; left out: by nothing. */
  readonly cut?: Fraction;
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

function lineOf(line: LineDocument): BilledLine {
  const { customer, sku, currency, priceVersion } = line;
  const discount = kept(line.discount, line.exactDiscount);
  const raised = kept(line.raised, line.exactRaised);
  const amount = kept(line.amount, line.exactAmount);
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
    discount: discount.value,
    discountFor: line.discountFor ?? [],
    raised: raised.value,
    amount: amount.value,
    listed: line.listed === undefined ? undefined : kept(line.listed, line.exactListed).value,
    cut: total([discount.cut, raised.cut, amount.cut]),
    rounded: unitsOf(line.rounded, currency),
    residual: decimalOf(line.residual),
  };
}

/**
 * A bill of an earlier release has no `exact…` of some numbers that have no finite decimal: of those it has 18, the nearest. What has no
 * more decimals than prices have was not cut.
 */
function kept(text: string, exact: string | undefined): { readonly value: Fraction; readonly cut: Fraction } {
  if (exact !== undefined) return { value: ratioOf(exact), cut: none };
  const decimals = text.split(".")[1] ?? "";
  return { value: decimalOf(text), cut: decimals.length > priceDecimalsMost ? halfOfLastDecimal : none };
}

/** "acme/1": a contract's name may have slashes of its own. */
function contractOf(name: string | null): BilledLine["contract"] {
  if (name === null) return undefined;
  const at = name.lastIndexOf("/");
  return { contract: name.slice(0, at), version: name.slice(at + 1) };
}

/** "1/3" */
function ratioOf(text: string): Fraction {
  const [numerator = "", denominator = "1"] = text.split("/");
  return fraction(BigInt(numerator), BigInt(denominator));
}
