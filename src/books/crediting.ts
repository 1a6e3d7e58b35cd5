import type { Transaction } from "kysely";
import { type InvoiceId, refuse, type Refusal, RefusalError, refusing } from "../base/index.ts";
import { creditOf, type Invoice, unitsOf } from "../invoicing/index.ts";
import { crediting, minorAmount, minorText, type Movement, paying, revenueAccount } from "../ledger/index.ts";
import {
  addEntries,
  closedUntil,
  type Database,
  issuedDocuments,
  openPeriods,
  setInvoiceState,
  transactions,
} from "../store/index.ts";
import { hold, postingsFor } from "./accruing.ts";
import type { BooksContext } from "./context.ts";
import { documentOf, heldInvoice } from "./issuing.ts";
import { issueNext } from "./numbers.ts";

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
      return tellingOfCredits(row, () => creditHeld(context, transaction, row, credited, by));
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
      if (drawnOf(row) !== undefined) throw paidByCredits(row, `It cannot be taken back as a whole.`);
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
        await post(context, transaction, row, "payment", paying(left, currency));
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

/** What credits have paid of an invoice; undefined: nothing. */
function drawnOf({ drawn, currency }: Held): string | undefined {
  const units = minorAmount(drawn, currency)!;
  return units === 0n ? undefined : minorText(units, currency);
}

/** Where more is asked for than an invoice has left, and credits have paid a part of it: that is why. */
async function tellingOfCredits<Result>(row: Held, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    const isMore = error instanceof RefusalError && error.refusal.code === "credit_exceeds_invoice";
    throw isMore && drawnOf(row) !== undefined ? paidByCredits(row, error.message) : error;
  }
}

function paidByCredits(row: Held, more: string): RefusalError {
  const message = `Of invoice ${row.id} ${drawnOf(row)!} ${row.currency} were paid by credits, which no credit note gives back. ${more}`;
  return new RefusalError(refuse("paid_by_credits", message, { param: "invoice" }));
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
  const isInternal = await wasInternal(transaction, row.id);
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
  await post(context, transaction, row, "credit", movements);
  return note;
}

/** As the invoice was billed, whoever is a part of the group by now: what comes out of an account was put into it. */
async function wasInternal(transaction: Transaction<Database>, invoice: InvoiceId): Promise<boolean> {
  const posted = await transactions(transaction, { reference: invoice, limit: 100 });
  const bill = posted.find(({ kind }) => kind === "bill");
  return bill?.postings.some(({ account }) => account.startsWith("intersegment/")) ?? false;
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

async function post(
  { clock, prices }: BooksContext,
  transaction: Transaction<Database>,
  { id, organisation }: Held,
  kind: "credit" | "payment",
  movements: readonly Movement[],
): Promise<void> {
  if (movements.length === 0) return;
  const nowMs = clock.nowMs();
  // A clock that was set back must not post into what is closed.
  const atMs = Math.max(nowMs, (await closedUntil(transaction)) ?? nowMs);
  const period = prices.book.calendar.periodAt(atMs);
  await openPeriods(transaction, [period]);
  const postings = postingsFor(organisation, movements);
  await addEntries(transaction, [{ kind, period: period.name, atMs, reference: id, postings }], nowMs);
}
