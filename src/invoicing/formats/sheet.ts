import { countryName } from "../../base/index.ts";
import type { Days, Invoice, InvoiceLine, TaxBreakdown, Totals } from "../document/invoice.ts";
import { linePeriods } from "../document/line-period.ts";
import type { Party } from "../document/party.ts";
import type { Preview } from "../document/preview.ts";
import { showable } from "../document/text.ts";

/** What stands on an invoice that people read, in the order in which they read it. */
export interface Sheet {
  readonly title: string;
  /** Across each page, where it is no invoice; and below the title, why. */
  readonly mark: string | null;
  readonly warnings: readonly string[];
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
  const { kind, number, issueDate, preceding } = invoice;
  return {
    title: `${kind === "invoice" ? "Invoice" : "Credit note"} ${number}`,
    mark: null,
    warnings: [],
    facts: factsOf(invoice, [
      ["Date", issueDate],
      ["Due", isDue(invoice.totals) ? invoice.dueDate : null],
      ["Invoice credited", preceding === null ? null : `${preceding.number} of ${preceding.issueDate}`],
    ]),
    seller: partyTexts(invoice.seller),
    buyer: partyTexts(invoice.buyer),
    rows: rowsOf(invoice),
    totals: totalsOf(invoice, kind === "invoice" ? "To be paid" : "To be credited"),
    notes: notesOf(invoice, kind === "invoice" ? number : null),
  };
}

const unknown = "not known yet";

/** A draft as the invoice that it would become, so marked that nobody takes it for one. */
export function draftSheetOf(draft: Preview): Sheet {
  const { currency, issueDate, dueDate, seller, buyer, customerName, net, tax, totals, missing } = draft;
  return {
    title: "Draft of an invoice, without a number",
    mark: "DRAFT",
    warnings: [
      "This is no invoice, and nothing is to be paid on it. What it says can change until it becomes final, under a number.",
      ...missing.map((each) => showable(`It cannot become final yet: ${each}`)),
    ],
    facts: factsOf(draft, [
      ["Date, if final today", issueDate],
      ["Due, if final today", isDue(totals) ? dueDate : null],
    ]),
    seller: seller === null ? [unknown] : partyTexts(seller),
    buyer: buyer === null ? [showable(customerName), `Name and address: ${unknown}`] : partyTexts(buyer),
    rows: rowsOf(draft),
    totals:
      tax === null || totals === null
        ? [
            ["Net", `${grouped(net)} ${currency}`],
            ["Tax", unknown],
          ]
        : totalsOf({ tax, totals, currency }, "To be paid once it is final"),
    notes: notesOf({ ...draft, tax: tax ?? { reason: null } }, "its number, once it is final"),
  };
}

type Fact = readonly [name: string, value: string | null | undefined];

function factsOf(
  { period, buyerReference, purchaseOrder, currency }: Omit<Preview, "totals" | "tax"> | Invoice,
  [date, due, ...others]: readonly Fact[],
): Sheet["facts"] {
  const facts: readonly Fact[] = [
    date!,
    due!,
    ["Period", period === null ? null : daysText(period)],
    ...others,
    ["Your reference", buyerReference],
    ["Purchase order", purchaseOrder],
    ["Currency", currency],
  ];
  return facts.flatMap(([name, value]) => (value == null ? [] : [[name, showable(value)] as const]));
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

function rowsOf(document: Pick<Invoice, "period" | "timeZone" | "lines" | "currency">): Sheet["rows"] {
  const periodOf = linePeriods(document);
  const { lines, period, currency } = document;
  return lines.map((line) => rowOf(line, lateText(periodOf(line), period), currency));
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

function totalsOf(
  { totals, tax, currency }: Pick<Invoice, "totals" | "tax" | "currency">,
  last: string,
): Sheet["totals"] {
  const { net, gross, prepaid, payable } = totals;
  const rows: readonly (readonly [string, string])[] = [
    ["Net", net],
    [taxName(tax), totals.tax],
    ["Gross", gross],
    ...(/[1-9]/.test(prepaid) ? [["Received already", `-${prepaid}`] as const] : []),
    [last, payable],
  ];
  return rows.map(([name, amount]) => [name, `${grouped(amount)} ${currency}`]);
}

const untaxed = { AE: "reverse charge", E: "exempt", O: "outside its scope" } as const;

function taxName({ name, percent, category }: TaxBreakdown): string {
  return showable(category === "S" || category === "Z" ? `${name} ${percent} %` : `${name}, ${untaxed[category]}`);
}

/** Whether anything is to be paid, as far as anybody knows. */
function isDue(totals: Pick<Totals, "payable"> | null): boolean {
  return totals === null || /^[^-]*[1-9]/.test(totals.payable);
}

interface Noted extends Pick<Invoice, "payment" | "terms" | "note"> {
  readonly totals: Pick<Totals, "payable"> | null;
  readonly tax: Pick<TaxBreakdown, "reason">;
}

/** `reference`: what a payment is made with; null: a credit note asks for none. */
function notesOf(noted: Noted, reference: string | null): readonly string[] {
  const { tax, terms, note } = noted;
  const account = reference === null ? [] : paymentTexts(noted, reference);
  return [...(tax.reason === null ? [] : [tax.reason]), ...account, terms, note]
    .filter((text) => text !== null)
    .map(showable);
}

function paymentTexts({ payment, totals }: Noted, reference: string): readonly string[] {
  if (!isDue(totals)) return ["Nothing is to be paid."];
  if (payment === null) return [];
  const account = [payment.account, payment.accountName, payment.bic].filter(Boolean).join(", ");
  return [`Pay to ${account}, with ${reference}.`];
}

/** Digits in threes, with a narrow space, which no country reads as a decimal point (ISO 80000-1, 7.3). */
function grouped(text: string): string {
  const [whole = "", decimals] = text.split(".");
  const groups = whole.replaceAll(/\B(?=(\d{3})+$)/g, "\u202F");
  return decimals === undefined ? groups : `${groups}.${decimals}`;
}
