import { type Refusal, refuse } from "../../base/index.ts";
import { type Fraction, fraction, ledgerAmount, moneyText, multiply, subtract, type Tax } from "../../ledger/index.ts";
import { dayAfter, daysOf, isDay } from "./days.ts";
import type { Invoice, InvoiceLine, InvoicePeriod, TaxBreakdown, Totals } from "./invoice.ts";
import { billedLine, type DraftLine, type DrawnPart, type Purchase, purchasedLine } from "./line.ts";
import { unitsOf } from "./money.ts";
import type { Buyer, Issuer, Parties } from "./parties.ts";
import type { Party } from "./party.ts";
import type { BilledLine, InvoicedBill } from "./read-bill.ts";
import { type Taxation, taxationOf, taxOn, type TaxStanding } from "./taxation.ts";

const ledgerUnit = 10n ** 12n;

/** What a bill does not say. */
export interface Issuing {
  /** As `numberIn` makes it, in the transaction that issues the invoice. */
  readonly number: string;
  readonly issueDate: string;
  /** By whose clock that is a day. */
  readonly timeZone?: string | undefined;
  readonly parties: Parties;
  /** Received before, in minor units, with its tax: it lowers what is to be paid. */
  readonly prepaid?: bigint | undefined;
}

/** What of a bill is not in it. */
export interface BillDrawing {
  /** Paid by credits that were bought, and taxed, before: in minor units, off the lines in their order, before tax. */
  readonly drawn?: bigint | undefined;
  /** What those credits had cost, where that is known. */
  readonly drawnCost?: Fraction | undefined;
  /** What is due on the rest, as the ledger has posted it; left out: computed. Minor units. */
  readonly taxOfRest?: bigint | undefined;
  /** Where the receipts of the line of this number are told. */
  readonly receiptsOf?: ((line: string) => string) | undefined;
}

export type BillIssuing = Issuing & BillDrawing;

export type Issued = { readonly outcome: "issued"; readonly invoice: Invoice } | Refusal;

/** The invoice of a bill. The same bill and the same `issuing` make the same invoice, to the byte. */
export function invoiceOf(bill: InvoicedBill, issuing: BillIssuing): Issued {
  const { drawn = 0n } = issuing;
  if (drawn < 0n || drawn > bill.net) {
    return refuse(
      "invalid_request",
      `What is drawn must be from 0 to the bill's net, ${moneyText(bill.net, bill.currency)}.`,
    );
  }
  return issued(draftOfBill(bill, issuing), issuing);
}

/** What a bill says, whoever it is made out to. */
export function draftOfBill(bill: InvoicedBill, { drawn = 0n, drawnCost, taxOfRest, receiptsOf }: BillDrawing): Draft {
  const parts = drawnOf(bill.lines, drawn, drawnCost);
  const lines = bill.lines.map((line, index) =>
    billedLine(line, parts[index]!, receiptsOf?.(String(index + 1)) ?? null),
  );
  // The ledger's own tax, which its postings have too, unless there is less to be taxed.
  const tax = drawn === 0n ? bill.tax.amount : taxOfRest;
  const { customer, currency } = bill;
  return { customer, currency, period: periodOf(bill), lines, standing: bill.tax, tax };
}

/** What credits paid of each line, in their order, and what those credits had cost: its part of all of it. Lines below 0 take none. */
function drawnOf(lines: readonly BilledLine[], drawn: bigint, cost: Fraction | undefined): readonly DrawnPart[] {
  let before = 0n;
  const costUntil = (taken: bigint): Fraction =>
    fraction(ledgerAmount(multiply(cost!, fraction(taken, drawn === 0n ? 1n : drawn))), ledgerUnit);
  return lines.map(({ rounded }) => {
    const payable = rounded < 0n ? 0n : rounded;
    const taken = drawn - before < payable ? drawn - before : payable;
    const part = cost === undefined ? undefined : subtract(costUntil(before + taken), costUntil(before));
    before += taken;
    return { drawn: taken, cost: part };
  });
}

/** The invoice of credits that are bought before they are used, with the tax that the ledger has posted. */
export function purchaseInvoiceOf(purchase: Purchase, tax: Tax, issuing: Issuing): Issued {
  return issued(draftOfPurchase(purchase, tax), issuing);
}

export function draftOfPurchase(purchase: Purchase, tax: Tax): Draft {
  const { customer, currency } = purchase;
  return { customer, currency, period: null, lines: [purchasedLine(purchase)], standing: tax, tax: tax.amount };
}

function periodOf({ period: { name, startMs, endMs } }: InvoicedBill): InvoicePeriod {
  return { ...daysOf(name), startsAt: new Date(startMs).toISOString(), endsAt: new Date(endMs).toISOString() };
}

/** What an invoice says before it has a number, and somebody whom it is made out to. */
export interface Draft {
  readonly customer: string;
  readonly currency: string;
  readonly period: InvoicePeriod | null;
  readonly lines: readonly DraftLine[];
  readonly standing: TaxStanding;
  /** In minor units; undefined: computed from what is taxable. */
  readonly tax: bigint | undefined;
}

function issued(draft: Draft, issuing: Issuing): Issued {
  const { customer, currency, period, standing } = draft;
  const { number, issueDate, timeZone, parties, prepaid = 0n } = issuing;
  const wrong = wrongIn(issuing);
  if (wrong !== undefined) return wrong;
  const buyer = parties.buyers.find((each) => each.customer === customer);
  if (buyer === undefined)
    return refuse("invoice_incomplete", `The parties name no buyer for the customer ${customer}.`);
  const { seller, exemption } = parties;
  const taxation = taxationOf(standing, { seller, buyer, exemption });
  if ("outcome" in taxation) return taxation;
  const lines = numbered(draft.lines);
  const { tax, totals } = amountsOf(lines, taxation, { currency, prepaid, tax: draft.tax });
  if (prepaid < 0n || unitsOf(totals.payable, currency) < 0n) {
    return refuse("invalid_request", `What is prepaid must be from 0 to the gross amount, ${totals.gross}.`);
  }
  const invoice: Invoice = {
    kind: "invoice",
    number,
    currency,
    issueDate,
    dueDate: dayAfter(issueDate, parties.dueDays),
    ...(timeZone !== undefined && { timeZone }),
    period,
    customer,
    seller,
    buyer: partyOf(buyer),
    ...wordsOf(parties, buyer),
    preceding: null,
    lines,
    tax,
    totals,
  };
  return { outcome: "issued", invoice };
}

/** What the seller says on every invoice, and what the buyer wants to find. */
export function wordsOf({ payment, terms, note }: Omit<Issuer, "seller">, buyer: Buyer | undefined) {
  return {
    buyerReference: buyer?.reference ?? null,
    purchaseOrder: buyer?.purchaseOrder ?? null,
    payment: payment ?? null,
    terms: terms ?? null,
    note: note ?? null,
  } satisfies Partial<Invoice>;
}

/** BT-1 names a file too, so that it has no slashes and no dots before it. */
export function wrongIn({ number, issueDate }: Pick<Issuing, "number" | "issueDate">): Refusal | undefined {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,49}$/.test(number)) {
    return refuse(
      "invalid_request",
      `"${number}" is no number of an invoice: letters, digits, dots, hyphens, 50 at most.`,
    );
  }
  return isDay(issueDate) ? undefined : refuse("invalid_request", `"${issueDate}" is no day such as 2026-04-01.`);
}

export function numbered(lines: readonly DraftLine[]): readonly InvoiceLine[] {
  return lines.map((line, index) => ({ id: String(index + 1), ...line }));
}

interface Sums {
  readonly currency: string;
  readonly prepaid: bigint;
  readonly tax: bigint | undefined;
}

/** BR-CO-10, -13 to -17: all sums from the lines, so that they cannot differ. */
export function amountsOf(
  lines: readonly InvoiceLine[],
  taxation: Taxation,
  { currency, prepaid, tax }: Sums,
): { readonly tax: TaxBreakdown; readonly totals: Totals } {
  const net = netOf(lines, currency);
  const due = tax ?? taxOn(net, taxation);
  const text = (units: bigint): string => moneyText(units, currency);
  return {
    tax: { ...taxation, taxable: text(net), amount: text(due) },
    totals: {
      net: text(net),
      tax: text(due),
      gross: text(net + due),
      prepaid: text(prepaid),
      payable: text(net + due - prepaid),
    },
  };
}

/** In minor units. */
export function netOf(lines: readonly InvoiceLine[], currency: string): bigint {
  return lines.reduce((sum, line) => sum + unitsOf(line.net, currency), 0n);
}

/** A buyer as an invoice names it; what else is said of it stands elsewhere there. */
export function partyOf(buyer: Buyer): Party {
  const { customer: _customer, reference: _reference, purchaseOrder: _order, ...party } = buyer;
  return party;
}
