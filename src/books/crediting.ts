import type { Transaction } from "kysely";
import { type InvoiceId, refuse, type Refusal, RefusalError, refusing } from "../base/index.ts";
import { creditOf, type Invoice, unitsOf } from "../invoicing/index.ts";
import { crediting, minorAmount, minorText, paying, revenueAccount } from "../ledger/index.ts";
import { type Database, issuedDocuments, setInvoiceState } from "../store/index.ts";
import { hold } from "./accruing.ts";
import type { BooksContext } from "./context.ts";
import { documentOf, heldInvoice } from "./issuing.ts";
import { internalOrganisations } from "./organisations.ts";
import { issueNext } from "./numbers.ts";
import { postNow } from "./posting.ts";

/** What of an invoice is taken back. */
export interface Credit {
  readonly invoice: string;
  /** For whoever reads the credit note. */
  readonly reason: string;
  /** "all": whatever is left. Amounts are without tax, as decimal strings. */
  readonly what:
    | "all"
    | { readonly account: string; readonly net: string }
    | readonly { readonly line: string; readonly amount: string }[];
}

type Held = Awaited<ReturnType<typeof heldInvoice>>;

/** Takes a part of an invoice back, with its tax, by a credit note: it is posted into the open period, and the invoice stays as it is. */
export async function credit(context: BooksContext, credited: Credit, by: string): Promise<Invoice | Refusal> {
  return refusing(() =>
    context.db.transaction().execute(async (transaction) => {
      await hold(context, transaction);
      const row = await heldInvoice(transaction, credited.invoice);
      refuseUnless(row, ["final", "paid"], "credited");
      return creditHeld(context, transaction, row, credited, by);
    }),
  );
}

/** Takes an invoice back as a whole: all that is left of it is credited, and nobody pays it any more. */
export async function makeVoid(
  context: BooksContext,
  { invoice, reason }: Pick<Credit, "invoice" | "reason">,
  by: string,
): Promise<Invoice | Refusal> {
  return refusing(() =>
    context.db.transaction().execute(async (transaction) => {
      await hold(context, transaction);
      const row = await heldInvoice(transaction, invoice);
      refuseUnless(row, ["final"], "made void");
      const note = await creditHeld(context, transaction, row, { invoice, reason, what: "all" }, by);
      await setInvoiceState(transaction, row.id, "void");
      return note;
    }),
  );
}

export interface Paid {
  readonly invoice: string;
  readonly amount: string;
  readonly currency: string;
}

/** What is left of a final invoice has arrived at the bank; one that is paid answers as it did. */
export async function pay(context: BooksContext, invoice: string): Promise<Paid | Refusal> {
  return refusing(() =>
    context.db.transaction().execute(async (transaction) => {
      await hold(context, transaction);
      const row = await heldInvoice(transaction, invoice);
      const { currency, id } = row;
      refuseUnless(row, ["final", "paid"], "paid");
      const { totals } = await documentOf(transaction, id);
      const back = (await notesOf(transaction, id)).map((note) => unitsOf(note.totals.payable, currency));
      const left = back.reduce((sum, units) => sum - units, unitsOf(totals.payable, currency));
      if (row.state === "final") {
        await postNow(context, transaction, row, "payment", paying(left, currency));
        await setInvoiceState(transaction, id, "paid");
      }
      return { invoice, amount: minorText(left, currency), currency };
    }),
  );
}

function refuseUnless({ id, state }: Held, states: readonly string[], done: string): void {
  if (states.includes(state)) return;
  throw new RefusalError(
    refuse("invoice_state", `Invoice ${id} is ${state} and cannot be ${done}.`, { param: "invoice" }),
  );
}

async function creditHeld(
  context: BooksContext,
  transaction: Transaction<Database>,
  row: Held,
  { reason, what }: Credit,
  by: string,
): Promise<Invoice> {
  const invoice = await documentOf(transaction, row.id);
  const before = await notesOf(transaction, row.id);
  const isInternal = (await internalOrganisations(transaction, context.internal)).has(row.organisation);
  const accountOf = (sku: string): string => revenueAccount(sku, isInternal);
  const credits = typeof what === "object" && "account" in what ? spread(what, invoice, before, accountOf) : what;
  const told = { kind: "credit-note", seller: invoice.seller.name, invoice: row.id, by } as const;
  const note = await issueNext(context, transaction, told, (numbered) =>
    creditOf(invoice, { ...numbered, reason, credits, before }),
  );
  const { currency, tax, totals, lines } = note;
  const taken = lines.map(({ sku, net }) => ({ account: accountOf(sku), net: unitsOf(net, currency) }));
  const jurisdiction = tax.jurisdiction ?? undefined;
  const movements = crediting({ currency, taken, tax: unitsOf(totals.tax, currency), jurisdiction });
  await postNow(context, transaction, row, "credit", movements);
  return note;
}

async function notesOf(transaction: Transaction<Database>, invoice: InvoiceId): Promise<readonly Invoice[]> {
  const documents = await issuedDocuments(transaction, { invoice, limit: 10_000 });
  return documents.filter(({ kind }) => kind === "credit-note").map(({ document }) => JSON.parse(document) as Invoice);
}

/** An amount of an account, off the invoice's lines of that account in their order. */
function spread(
  { account, net }: { readonly account: string; readonly net: string },
  { number, currency, lines }: Invoice,
  before: readonly Invoice[],
  accountOf: (sku: string) => string,
): readonly { readonly line: string; readonly amount: string }[] {
  const units = minorAmount(net, currency);
  if (units === undefined || units <= 0n) {
    throw new RefusalError(
      refuse("invalid_request", `"${net}" is no amount of ${currency} above 0.`, { param: "net" }),
    );
  }
  const back = before.flatMap((note) => note.lines);
  let open = units;
  const taken = lines
    .filter(({ sku }) => accountOf(sku) === account)
    .flatMap((line) => {
      const mine = back.filter(({ credits }) => credits === line.id);
      const left = mine.reduce((sum, each) => sum - unitsOf(each.net, currency), unitsOf(line.net, currency));
      const off = left < open ? left : open;
      if (off <= 0n) return [];
      open -= off;
      return [{ line: line.id, amount: minorText(off, currency) }];
    });
  if (open === 0n) return taken;
  const message = `Of ${account} of invoice ${number} ${minorText(units - open, currency)} ${currency} are left, and not ${net}.`;
  throw new RefusalError(refuse("credit_exceeds_invoice", message, { param: "net" }));
}
