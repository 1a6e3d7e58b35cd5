import { countryName } from "../../base/index.ts";
import type { Days, Invoice, InvoiceLine, TaxBreakdown } from "../document/invoice.ts";
import { linePeriods } from "../document/line-period.ts";
import type { Party } from "../document/party.ts";
import { showable } from "../document/text.ts";

/** What stands on an invoice that people read, in the order in which they read it. */
export interface Sheet {
  readonly title: string;
  readonly facts: readonly (readonly [string, string])[];
  readonly seller: readonly string[];
  readonly buyer: readonly string[];
  readonly rows: readonly Row[];
  readonly totals: readonly (readonly [string, string])[];
  readonly notes: readonly string[];
}

interface Row {
  readonly id: string;
  readonly name: string;
  /** Below the name, smaller: when it was used, where that is another period than the invoice's, what was taken off and put on, the line's note. */
  readonly details: readonly string[];
  readonly quantity: string;
  readonly price: string;
  readonly net: string;
}

export function sheetOf(invoice: Invoice): Sheet {
  const { kind, number, currency, issueDate, dueDate, period, preceding, buyerReference, purchaseOrder } = invoice;
  const facts: readonly (readonly [string, string | null | undefined])[] = [
    ["Date", issueDate],
    ["Due", dueDate],
    ["Period", period === null ? null : daysText(period)],
    ["Invoice credited", preceding === null ? null : `${preceding.number} of ${preceding.issueDate}`],
    ["Your reference", buyerReference],
    ["Purchase order", purchaseOrder],
    ["Currency", currency],
  ];
  const { seller, buyer, lines } = invoice;
  const periodOf = linePeriods(invoice);
  return {
    title: `${kind === "invoice" ? "Invoice" : "Credit note"} ${number}`,
    facts: facts.flatMap(([name, value]) => (value == null ? [] : [[name, showable(value)] as const])),
    seller: partyTexts(seller),
    buyer: partyTexts(buyer),
    rows: lines.map((line) => rowOf(line, lateText(periodOf(line), period), currency)),
    totals: totalsOf(invoice),
    notes: notesOf(invoice),
  };
}

function partyTexts(party: Party): readonly string[] {
  const { name, tradingName, street, additionalStreet, postCode, city, subdivision, country } = party;
  const place = [postCode, city].filter((part) => part !== undefined).join(" ");
  const numbers = [
    party.vatId === undefined ? undefined : `VAT ${party.vatId}`,
    party.taxRegistration === undefined ? undefined : `Tax registration ${party.taxRegistration}`,
    party.legalRegistration === undefined ? undefined : `Registration ${party.legalRegistration}`,
  ];
  const named = countryName(country);
  return [name, tradingName, street, additionalStreet, place, subdivision, named, ...numbers].filter(
    (text): text is string => text !== undefined && text !== "",
  );
}

function daysText({ startDate, endDate }: Days): string {
  return `${startDate} to ${endDate}`;
}

/** Of what is not of the invoice's own period, when it was used. */
function lateText(used: Days | null, period: Days | null): readonly string[] {
  return used === null || used.name === period?.name ? [] : [`Period: ${daysText(used)}`];
}

function rowOf(line: InvoiceLine, late: readonly string[], currency: string): Row {
  const { id, name, quantity, unit, price, net, allowances, charges } = line;
  const each = price.baseQuantity === "1" ? `per ${unit}` : `per ${grouped(price.baseQuantity)} ${unit}s`;
  const note = noteOf(line);
  return {
    id,
    name,
    details: [
      ...late,
      ...allowances.map(({ reason, amount }) => `${reason}: -${grouped(amount)} ${currency}`),
      ...charges.map(({ reason, amount }) => `${reason}: ${grouped(amount)} ${currency}`),
      ...(note === null ? [] : [showable(note)]),
    ],
    ...(isPart(line)
      ? { quantity: "part", price: "" }
      : { quantity: grouped(quantity), price: `${grouped(paid(price.amount, net))} ${currency} ${each}` }),
    net: grouped(net),
  };
}

/** An amount of a line that is credited: nothing was sold by the piece. */
function isPart({ credits, quantity, unit, price, net }: InvoiceLine): boolean {
  return credits !== null && quantity === "1" && unit === "unit" && price.amount === net;
}

/** A line's note with its quantities in groups, as they stand beside it. */
function noteOf({ note, usage }: InvoiceLine): string | null {
  if (note === null || usage === null) return note;
  const { quantity, freeQuantity } = usage;
  return note.replace(
    `used ${quantity}, of them ${freeQuantity} free`,
    `used ${grouped(quantity)}, of them ${grouped(freeQuantity)} free`,
  );
}

/** A price with no fewer decimals than what is paid: "2.1" beside "10.00" is "2.10". */
function paid(price: string, net: string): string {
  const [, least = ""] = net.split(".");
  const [whole, decimals = ""] = price.split(".");
  return least === "" && decimals === "" ? price : `${whole}.${decimals.padEnd(least.length, "0")}`;
}

function totalsOf({ kind, totals, tax, currency }: Invoice): Sheet["totals"] {
  const { net, gross, prepaid, payable } = totals;
  const rows: readonly (readonly [string, string])[] = [
    ["Net", net],
    [taxName(tax), totals.tax],
    ["Gross", gross],
    ...(/[1-9]/.test(prepaid) ? [["Received already", `-${prepaid}`] as const] : []),
    [kind === "invoice" ? "To be paid" : "To be credited", payable],
  ];
  return rows.map(([name, amount]) => [name, `${grouped(amount)} ${currency}`]);
}

const untaxed = { AE: "reverse charge", E: "exempt", O: "outside its scope" } as const;

function taxName({ name, percent, category }: TaxBreakdown): string {
  return showable(category === "S" || category === "Z" ? `${name} ${percent} %` : `${name}, ${untaxed[category]}`);
}

function notesOf({ tax, payment, terms, note, number, kind }: Invoice): readonly string[] {
  const account =
    payment === null || kind === "credit-note"
      ? []
      : [`Pay to ${[payment.account, payment.accountName, payment.bic].filter(Boolean).join(", ")}, with ${number}.`];
  return [...(tax.reason === null ? [] : [tax.reason]), ...account, terms, note]
    .filter((text) => text !== null)
    .map(showable);
}

/** Digits in threes, with a narrow space, which no country reads as a decimal point (ISO 80000-1, 7.3). */
function grouped(text: string): string {
  const [whole = "", decimals] = text.split(".");
  const groups = whole.replaceAll(/\B(?=(\d{3})+$)/g, "\u202F");
  return decimals === undefined ? groups : `${groups}.${decimals}`;
}
