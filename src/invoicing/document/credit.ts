import { type Refusal, refuse } from "../../base/index.ts";
import { moneyText } from "../../ledger/index.ts";
import type { Invoice, InvoiceLine } from "./invoice.ts";
import { amountsOf, numbered, wrongIn } from "./issue.ts";
import type { DraftLine } from "./line.ts";
import { minorUnits, unitsOf } from "./money.ts";
import { taxOn } from "./taxation.ts";
import { unshowable } from "./text.ts";

export interface Crediting {
  /** In the series of credit notes. */
  readonly number: string;
  readonly issueDate: string;
  /** For whoever reads it. */
  readonly reason: string;
  /** What is given back of which line, before tax; "all": whatever is left of every line. */
  readonly credits: "all" | readonly { readonly line: string; readonly amount: string }[];
  /** The credit notes of this invoice that were issued already: all of them, or more could go back than was invoiced. */
  readonly before: readonly Invoice[];
}

export type Credited = { readonly outcome: "issued"; readonly invoice: Invoice } | Refusal;

/** A credit note; refused where it would give back more than is left of a line, or nothing. */
export function creditOf(invoice: Invoice, crediting: Crediting): Credited {
  const { currency, tax } = invoice;
  const { number, issueDate, reason, credits, before } = crediting;
  const wrong = wrongIn(crediting) ?? wrongReason(reason) ?? wrongKind(invoice, before);
  if (wrong !== undefined) return wrong;
  const left = leftOf(invoice, before);
  const taken = credits === "all" ? new Map([...left].filter(([, units]) => units !== 0n)) : takenOf(credits, currency);
  if ("outcome" in taken) return taken;
  const exceeding = exceedingOf(taken, left, invoice);
  if (exceeding !== undefined) return exceeding;
  const lines = numbered(
    invoice.lines.flatMap((line) => {
      const units = taken.get(line.id);
      return units === undefined ? [] : [creditedLine(line, units, crediting, invoice)];
    }),
  );
  const net = [...taken.values()].reduce((sum, units) => sum + units, 0n);
  const amounts = amountsOf(lines, tax, { currency, prepaid: 0n, tax: taxBack(net, invoice, before) });
  return {
    outcome: "issued",
    invoice: {
      ...invoice,
      kind: "credit-note",
      number,
      issueDate,
      dueDate: null,
      payment: null,
      terms: `Set off against invoice ${invoice.number}.`,
      note: reason,
      preceding: { number: invoice.number, issueDate: invoice.issueDate },
      lines,
      ...amounts,
    },
  };
}

function wrongReason(reason: string): Refusal | undefined {
  const found = unshowable(reason);
  return found === undefined
    ? undefined
    : refuse("invalid_request", `The reason holds ${found}, which no invoice can show.`);
}

function wrongKind(invoice: Invoice, before: readonly Invoice[]): Refusal | undefined {
  if (invoice.kind !== "invoice") {
    return refuse("invalid_request", `${invoice.number} is a credit note: it is corrected by an invoice.`);
  }
  const other = before.find(({ kind, preceding }) => kind !== "credit-note" || preceding?.number !== invoice.number);
  if (other === undefined) return undefined;
  return refuse("invalid_request", `${other.number} is no credit note of ${invoice.number}.`);
}

/** In minor units, by line. */
function leftOf({ lines, currency }: Invoice, before: readonly Invoice[]): Map<string, bigint> {
  const left = new Map(lines.map(({ id, net }) => [id, unitsOf(net, currency)]));
  for (const { credits, net } of before.flatMap((note) => note.lines)) {
    if (credits !== null) left.set(credits, (left.get(credits) ?? 0n) - unitsOf(net, currency));
  }
  return left;
}

function takenOf(
  credits: readonly { readonly line: string; readonly amount: string }[],
  currency: string,
): Map<string, bigint> | Refusal {
  const taken = new Map<string, bigint>();
  for (const { line, amount } of credits) {
    const units = minorUnits(amount, currency);
    if (units === undefined || units <= 0n) {
      return refuse("invalid_request", `"${amount}" is no amount above 0 in ${currency}.`, { param: "credits" });
    }
    taken.set(line, (taken.get(line) ?? 0n) + units);
  }
  return taken;
}

function exceedingOf(
  taken: ReadonlyMap<string, bigint>,
  left: ReadonlyMap<string, bigint>,
  { number, currency }: Invoice,
): Refusal | undefined {
  if (taken.size === 0) return refuse("credit_exceeds_invoice", `Nothing is left of invoice ${number}.`);
  for (const [line, units] of taken) {
    const rest = left.get(line);
    if (rest === undefined) return refuse("invalid_request", `Invoice ${number} has no line ${line}.`);
    if (units <= rest) continue;
    const message = `Of line ${line} of invoice ${number} are ${moneyText(rest, currency)} ${currency} left, and not ${moneyText(units, currency)}.`;
    return refuse("credit_exceeds_invoice", message, { param: "credits" });
  }
  return undefined;
}

/** Whole lines as they were; a part of one is an amount, because no quantity was not delivered. */
function creditedLine(
  line: InvoiceLine,
  units: bigint,
  { reason }: Crediting,
  { number, currency }: Invoice,
): DraftLine {
  const { id, ...rest } = line;
  const credits = { credits: id, note: `Line ${id} of invoice ${number}: ${reason}` };
  if (units === unitsOf(line.net, currency)) return { ...rest, ...credits };
  const amount = moneyText(units, currency);
  return {
    ...rest,
    ...credits,
    quantity: "1",
    unitCode: "C62",
    unit: "unit",
    price: { amount, baseQuantity: "1", isExact: true },
    allowances: [],
    charges: [],
    net: amount,
  };
}

/**
 * What goes back of the tax: of everything that was credited so far, less what went back before. Rounded on its own each
 * time, many small credits would come to more tax, or less, than the invoice had.
 */
function taxBack(net: bigint, { tax, currency, totals }: Invoice, before: readonly Invoice[]): bigint {
  const netBefore = before.reduce((sum, note) => sum + unitsOf(note.totals.net, currency), 0n);
  const taxBefore = before.reduce((sum, note) => sum + unitsOf(note.totals.tax, currency), 0n);
  const isWhole = netBefore + net === unitsOf(totals.net, currency);
  return (isWhole ? unitsOf(totals.tax, currency) : taxOn(netBefore + net, tax)) - taxBefore;
}
