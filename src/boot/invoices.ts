import { type InvoiceId, isId, type OrganisationId, refuse, type Refusal } from "../base/index.ts";
import {
  applyParty,
  type BooksContext,
  credit,
  finalize,
  finalizePeriod,
  makeVoid,
  noPeriod,
  partyOf,
  pay,
  preview,
  refund,
} from "../books/index.ts";
import type { Operations } from "../gateway/index.ts";
import type { BillDocument } from "../ledger/index.ts";
import { type Buyer, daysOf, type Invoice as Document } from "../invoicing/index.ts";
import {
  behind,
  findPayments,
  invoicesPage,
  issuedDocuments,
  type InvoiceRow,
  type List,
  pageOf,
  type PaymentRow,
} from "../store/index.ts";
import { wholeAmount } from "./whole-amount.ts";
import type { OperationParts } from "./parts.ts";

type Books = Operations["books"];
type IssuedDocument = Exclude<Awaited<ReturnType<Books["finalize"]>>, Refusal>;
type Payment = Exclude<Awaited<ReturnType<Books["showInvoice"]>>, Refusal>["payments"][number];
type Invoice = Exclude<Awaited<ReturnType<Books["invoices"]>>, Refusal>["items"][number];

interface InvoiceParts extends Pick<OperationParts, "ledger"> {
  readonly store: Pick<OperationParts["store"], "db">;
  readonly tenancy: Pick<OperationParts["tenancy"], "showOrganisation">;
}

/** Invoices from drafts to what was paid, and who they are made out to. */
export function invoiceOperations(parts: InvoiceParts) {
  const { ledger, store } = parts;
  return {
    invoices: async (filter, page) => noPeriod(ledger, { period: filter.period }) ?? invoicePage(parts, filter, page),
    showInvoice: (invoice) => withInvoice(store.db, invoice, (id) => wholeInvoice(parts, id)),
    preview: (invoice) =>
      withInvoice(store.db, invoice, async (id) => {
        const made = await preview(ledger, id);
        return "outcome" in made ? made : { invoice: id, document: { ...made } };
      }),
    finalize: (invoice, by) => withInvoice(store.db, invoice, async (id) => told(id, await finalize(ledger, id, by))),
    finalizePeriod: async (period, by) => {
      const wrong = noPeriod(ledger, { period });
      if (wrong !== undefined) return wrong;
      const { issued, refused, ...counts } = await finalizePeriod(ledger, period, by);
      return { issued: [...issued], refused: [...refused], ...counts };
    },
    documents: async (filter, page) =>
      noPeriod(ledger, { period: filter.period, billedIn: filter.billedIn }) ?? documentPage(store, filter, page),
    credit: async ({ id, invoice, reason, account, net, lines }, by) => {
      if ((account === undefined) !== (net === undefined) || (account !== undefined && lines !== undefined)) {
        return refuse("invalid_request", "Name `account` and `net`, or `lines`, or neither.", { param: "account" });
      }
      const what = lines ?? (account === undefined ? "all" : { account, net: net! });
      return withInvoice(store.db, invoice, async (named) =>
        told(named, await credit(ledger, { id, invoice: named, reason, what }, by)),
      );
    },
    makeVoid: ({ invoice, reason }, by) =>
      withInvoice(store.db, invoice, async (id) => told(id, await makeVoid(ledger, { invoice: id, reason }, by))),
    pay: (asked, by) => withInvoice(store.db, asked.invoice, (invoice) => pay(ledger, { ...asked, invoice }, by)),
    refund: (asked, by) => withInvoice(store.db, asked.invoice, (invoice) => refund(ledger, { ...asked, invoice }, by)),
    showParty: async (organisation) => {
      const found = await parts.tenancy.showOrganisation(organisation);
      if ("outcome" in found) return found;
      return { party: partyTold(await partyOf(ledger, found.id as OrganisationId)) };
    },
    setParty: async (organisation, party, by) => {
      const found = await parts.tenancy.showOrganisation(organisation);
      if ("outcome" in found) return found;
      const applied = await applyParty(ledger, found.id as OrganisationId, party, by);
      return "outcome" in applied ? applied : { party: partyTold(applied) };
    },
  } satisfies Partial<Books>;
}

/** Does something with an invoice that is named by its id, or by the number under which it was issued. */
export async function withInvoice<Done>(
  db: OperationParts["store"]["db"],
  named: string,
  act: (id: InvoiceId) => Promise<Done | Refusal>,
): Promise<Done | Refusal> {
  if (isId("inv", named)) return act(named);
  // More than one: another seller has numbers of its own.
  const [found, another] = await issuedDocuments(db, { number: named, limit: 2 });
  const refused = (message: string): Refusal => refuse("not_found", message, { param: "invoice" });
  if (found === undefined) return refused(`There is no invoice ${named}.`);
  if (another !== undefined) return refused(`Several sellers have issued a ${named}: name the invoice's id.`);
  if (found.kind === "credit-note") return refused(`${named} is a credit note, of the invoice ${found.invoice}.`);
  return act(found.invoice);
}

/** Which customer it is of stands in the path. */
function partyTold(buyer: Buyer | null): Record<string, unknown> | null {
  if (buyer === null) return null;
  const { customer: _customer, ...party } = buyer;
  return party;
}

function told(invoice: string, made: Document | Refusal): IssuedDocument | Refusal {
  if ("outcome" in made) return made;
  return { invoice, kind: made.kind, number: made.number, document: { ...made } };
}

/** Documents of an organisation, or of what is asked for. */
export async function documentPage(
  { db }: Pick<OperationParts["store"], "db">,
  filter: Parameters<Books["documents"]>[0] & { readonly organisation?: OrganisationId },
  { limit, after }: Parameters<Books["documents"]>[1],
): ReturnType<Books["documents"]> {
  // No number has a slash.
  const [, last, seller] = after === undefined ? [] : (/^([^/]+)\/(.+)$/s.exec(after) ?? [after]);
  if (after !== undefined && (last === undefined || seller === undefined)) {
    return refuse("invalid_request", "This is not the `next` of a list.", { param: "after" });
  }
  const { invoice, number, period, billedIn, organisation, kind } = filter;
  const rows = await issuedDocuments(db, {
    ...(invoice !== undefined && { invoice: invoice as InvoiceId }),
    ...(number !== undefined && { number }),
    ...(organisation !== undefined && { organisation }),
    ...(period !== undefined && { period }),
    ...(billedIn !== undefined && { billedIn: daysOf(billedIn) }),
    ...(kind !== undefined && { kind }),
    ...(seller !== undefined && { after: [seller, last!] as const }),
    limit: limit + 1,
  });
  const items = rows.slice(0, limit);
  const end = items.at(-1);
  return {
    items: items.map((row) => ({
      invoice: row.invoice,
      kind: row.kind,
      number: row.number,
      document: JSON.parse(row.document) as Record<string, unknown>,
    })),
    next: rows.length > limit && end !== undefined ? `${end.number}/${end.seller}` : null,
  };
}

/** Invoices of an organisation, or of a period, or all. */
export async function invoicePage(
  { store, tenancy }: InvoiceParts,
  { organisation, period }: Parameters<Books["invoices"]>[0],
  page: Parameters<Books["invoices"]>[1],
): Promise<List<Invoice> | Refusal> {
  const found = organisation === undefined ? undefined : await tenancy.showOrganisation(organisation);
  if (found !== undefined && "outcome" in found) return found;
  const rows = await invoicesPage(store.db, {
    ...(found && { organisation: found.id as OrganisationId }),
    ...(period !== undefined && { period }),
    after: behind("inv", page),
    limit: page.limit + 1,
  });
  return pageOf(rows, page, invoiceOf);
}

async function wholeInvoice({ store, ledger }: InvoiceParts, invoice: InvoiceId): ReturnType<Books["showInvoice"]> {
  const [row] = await invoicesPage(store.db, { id: invoice, limit: 1 });
  if (row === undefined) return refuse("not_found", `There is no invoice ${invoice}.`, { param: "invoice" });
  const bill = JSON.parse(row.bill) as BillDocument;
  // As its document numbers them, and credits name them.
  const lines = bill.lines.map((line, index) => ({ line: String(index + 1), ...line }));
  const payments = (await findPayments(store.db, invoice)).map((each) => paymentTold(ledger, each, row.currency));
  return { ...invoiceOf(row), payments, bill: { ...bill, lines } };
}

/** The day is the one that somebody named, or that of its posting. */
export function paymentTold(
  { prices }: BooksContext,
  { id, kind, amount, date, payment, at, by }: PaymentRow,
  currency: string,
): Payment {
  const day = date ?? dayOf(prices, at);
  return { id, kind, amount: wholeAmount(amount, currency), date: day, payment, at: at.toISOString(), by };
}

/** The day of a moment, by the price book's clock. */
export function dayOf({ book }: BooksContext["prices"], at: Date): string {
  return new Date(book.calendar.localMs(at.getTime())).toISOString().slice(0, 10);
}

function invoiceOf({ organisation, organisationName, createdAt, ...row }: InvoiceRow): Invoice {
  const { net, tax, gross, drawn, paid, open, currency } = row;
  return {
    ...row,
    kind: row.grant === null ? "usage" : "purchase",
    net: wholeAmount(net, currency),
    tax: wholeAmount(tax, currency),
    gross: wholeAmount(gross, currency),
    drawn: wholeAmount(drawn, currency),
    paid: wholeAmount(paid, currency),
    open: wholeAmount(open, currency),
    organisation: { id: organisation, name: organisationName ?? organisation },
    createdAt: createdAt.toISOString(),
  };
}
