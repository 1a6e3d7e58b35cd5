import type { Invoice, InvoiceLine, TaxBreakdown } from "../document/invoice.ts";
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
  /** Below the name, smaller: what was taken off and put on, the line's note. */
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
    ["Period", period === null ? null : `${period.startDate} to ${period.endDate}`],
    ["Invoice credited", preceding === null ? null : `${preceding.number} of ${preceding.issueDate}`],
    ["Your reference", buyerReference],
    ["Purchase order", purchaseOrder],
    ["Currency", currency],
  ];
  const { seller, buyer, lines } = invoice;
  return {
    title: `${kind === "invoice" ? "Invoice" : "Credit note"} ${number}`,
    facts: facts.flatMap(([name, value]) => (value == null ? [] : [[name, showable(value)] as const])),
    seller: partyTexts(seller),
    buyer: partyTexts(buyer),
    rows: lines.map((line) => rowOf(line, currency)),
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
  return [name, tradingName, street, additionalStreet, place, subdivision, country, ...numbers].filter(
    (text): text is string => text !== undefined && text !== "",
  );
}

function rowOf(
  { id, name, note, quantity, unit, price, net, allowances, charges }: InvoiceLine,
  currency: string,
): Row {
  const each = price.baseQuantity === "1" ? `per ${unit}` : `per ${grouped(price.baseQuantity)} ${unit}s`;
  return {
    id,
    name,
    details: [
      ...allowances.map(({ reason, amount }) => `${reason}: -${grouped(amount)} ${currency}`),
      ...charges.map(({ reason, amount }) => `${reason}: ${grouped(amount)} ${currency}`),
      ...(note === null ? [] : [showable(note)]),
    ],
    quantity: grouped(quantity),
    price: `${grouped(price.amount)} ${each}`,
    net: grouped(net),
  };
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

function taxName({ name, percent, category }: TaxBreakdown): string {
  return showable(category === "S" || category === "Z" ? `${name} ${percent} %` : name);
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
