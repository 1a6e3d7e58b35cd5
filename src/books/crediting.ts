import { createHash } from "node:crypto";
import type { Transaction } from "kysely";
import {
  canonicalJson,
  formatAmount,
  type InvoiceId,
  parseAmount,
  refuse,
  type Refusal,
  RefusalError,
  refusing,
} from "../base/index.ts";
import { creditOf, type Invoice, unitsOf } from "../invoicing/index.ts";
import { crediting, minorAmount, minorText, revenueAccount } from "../ledger/index.ts";
import {
  type Database,
  findCredit,
  issuedDocuments,
  lastCreditNote,
  setInvoiceState,
  transactions,
} from "../store/index.ts";
import { hold, type Held } from "./accruing.ts";
import type { BooksContext } from "./context.ts";
import { documentOf, heldInvoice, type InvoiceRow, refuseUnless } from "./held.ts";
import { issueNext } from "./numbers.ts";
import { missingText, sidesOf } from "./parties.ts";
import { balanceOf, settleState } from "./payments.ts";
import { postNow } from "./posting.ts";
import { refuseUsed, returnGrant } from "./purchases.ts";

/** What of an invoice is taken back. */
export interface Credit {
  readonly invoice: string;
  /** What makes it the same one when it is asked for again. */
  readonly id?: string | undefined;
  /** For whoever reads the credit note. */
  readonly reason: string;
  /** "all": whatever is left. Amounts are without tax, as decimal strings. */
  readonly what:
    | "all"
    | { readonly account: string; readonly net: string }
    | readonly { readonly line: string; readonly amount: string }[];
}

/**
 * Takes a part of an invoice back, with its tax, by a credit note: it is posted into the open period, and the invoice stays as it is. One whose
 * id was there before answers as it did.
 */
export async function credit(context: BooksContext, credited: Credit, by: string): Promise<Invoice | Refusal> {
  return refusing(() =>
    context.db.transaction().execute(async (transaction) => {
      const held = await hold(context, transaction);
      const row = await heldInvoice(transaction, credited.invoice);
      const known = await sameCredit(transaction, row, credited);
      if (known !== undefined) return known;
      await refuseDraftPurchase(context, transaction, row);
      refuseUnless(row, ["final", "paid"], "credited");
      const note = await tellingOfCredits(row, () => creditHeld(context, transaction, { row, held }, credited, by));
      // Nobody pays what is left of a part payment once the rest is taken back.
      const { paid } = await balanceOf(transaction, row);
      if (paid > 0n) await settleState(transaction, row);
      return note;
    }),
  );
}

async function sameCredit(
  transaction: Transaction<Database>,
  { id: invoice }: InvoiceRow,
  { id, ...asked }: Credit,
): Promise<Invoice | undefined> {
  const found = id === undefined ? undefined : await findCredit(transaction, invoice, id);
  if (found === undefined) return undefined;
  if (found.digest.equals(digestOf(asked))) return JSON.parse(found.document) as Invoice;
  const message = `Credit ${JSON.stringify(id)} of invoice ${invoice} was given before, and is another one.`;
  throw new RefusalError(refuse("credit_conflict", message, { param: "id" }));
}

/** Of what is asked for, however its amounts are written. */
function digestOf({ reason, what }: Pick<Credit, "reason" | "what">): Buffer {
  const amount = (text: string): string => formatAmount(parseAmount(text) ?? -1n);
  const isOfLines = (each: Credit["what"]): each is Exclude<Credit["what"], string | { readonly net: string }> =>
    Array.isArray(each);
  const plain =
    what === "all"
      ? what
      : isOfLines(what)
        ? what.map(({ line, amount: net }) => [line, amount(net)])
        : { account: what.account, net: amount(what.net) };
  return createHash("sha256")
    .update(canonicalJson({ reason, what: plain }))
    .digest();
}

/** Takes an invoice back as a whole: all that is left of it is credited, and nobody pays it any more. One that is void answers as it did. */
export async function makeVoid(
  context: BooksContext,
  { invoice, reason }: Pick<Credit, "invoice" | "reason">,
  by: string,
): Promise<Invoice | Refusal> {
  return refusing(() =>
    context.db.transaction().execute(async (transaction) => {
      const held = await hold(context, transaction);
      const row = await heldInvoice(transaction, invoice);
      if (row.state === "void") return JSON.parse((await lastCreditNote(transaction, row.id))!) as Invoice;
      await refuseDraftPurchase(context, transaction, row);
      refuseUnless(row, ["final"], "made void");
      await refusePaid(transaction, row);
      if (drawnOf(row) !== undefined) throw paidByCredits(row, `It cannot be taken back as a whole.`);
      const note = await creditHeld(context, transaction, { row, held }, { invoice, reason, what: "all" }, by);
      await setInvoiceState(transaction, row.id, "void");
      return note;
    }),
  );
}

/** Its credits hold from the grant on: what takes them back has to be told as well as that they were sold, by documents in their turn. */
async function refuseDraftPurchase(
  context: BooksContext,
  transaction: Transaction<Database>,
  { id, organisation, state, grantId }: InvoiceRow,
): Promise<void> {
  if (state !== "draft" || grantId === null) return;
  const { missing } = await sidesOf(context, transaction, organisation);
  const first = missing.length === 0 ? "" : ` ${missingText(missing)} Say that first.`;
  const message =
    `Purchase ${id} is a draft, and its credits hold already. Make it final (\`invoice finalize ${id}\`), then take it back ` +
    `(\`invoice void ${id}\`): its credits go with it.${first}`;
  throw new RefusalError(refuse("invoice_state", message, { param: "invoice" }));
}

/** What is void owes nothing, to either side. */
async function refusePaid(transaction: Transaction<Database>, row: InvoiceRow): Promise<void> {
  const { paid } = await balanceOf(transaction, row);
  if (paid === 0n) return;
  const { id, currency } = row;
  const sum = `${minorText(paid, currency)} ${currency}`;
  const message = `Invoice ${id} cannot be made void: its payments, less what went back, come to ${sum}.`;
  throw new RefusalError(refuse("invoice_state", message, { param: "invoice" }));
}

/** What credits have paid of an invoice; undefined: nothing. */
function drawnOf({ drawn, currency }: InvoiceRow): string | undefined {
  const units = minorAmount(drawn, currency)!;
  return units === 0n ? undefined : minorText(units, currency);
}

/** Where more is asked for than an invoice has left, and credits have paid a part of it: that is why. */
async function tellingOfCredits<Result>(row: InvoiceRow, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    const isMore = error instanceof RefusalError && error.refusal.code === "credit_exceeds_invoice";
    throw isMore && drawnOf(row) !== undefined ? paidByCredits(row, error.message) : error;
  }
}

function paidByCredits(row: InvoiceRow, more: string): RefusalError {
  const message = `Of invoice ${row.id} ${drawnOf(row)!} ${row.currency} were paid by credits, which no credit note gives back. ${more}`;
  return new RefusalError(refuse("paid_by_credits", message, { param: "invoice" }));
}

async function creditHeld(
  context: BooksContext,
  transaction: Transaction<Database>,
  { row, held }: { readonly row: InvoiceRow; readonly held: Held },
  { id, reason, what }: Credit,
  by: string,
): Promise<Invoice> {
  const isPurchase = row.grantId !== null;
  if (isPurchase) await refusePart(transaction, row, what);
  const invoice = await documentOf(transaction, row.id);
  const before = await notesOf(transaction, row.id);
  const isInternal = await wasInternal(transaction, row.id);
  const accountOf = (sku: string): string => (isPurchase ? "contract-liabilities" : revenueAccount(sku, isInternal));
  const credits = typeof what === "object" && "account" in what ? spread(what, invoice, before, accountOf) : what;
  const told = { kind: "credit-note", seller: invoice.seller.name, invoice: row.id, by } as const;
  const asked = id === undefined ? undefined : { creditId: id, creditDigest: digestOf({ reason, what }) };
  const note = await issueNext(context, transaction, { ...told, asked }, (numbered) =>
    creditOf(invoice, { ...numbered, reason, credits, before }),
  );
  const { currency, tax, totals, lines } = note;
  const taken = lines.map(({ sku, net }) => ({ account: accountOf(sku), net: unitsOf(net, currency) }));
  const jurisdiction = tax.jurisdiction ?? undefined;
  const movements = crediting({ currency, taken, tax: unitsOf(totals.tax, currency), jurisdiction });
  const atMs = await postNow(context, transaction, { row, held, kind: "credit", movements });
  if (isPurchase) await returnGrant(transaction, row, atMs);
  return note;
}

/** A purchase is taken back with its credits: as a whole, and while all of them are there. */
async function refusePart(transaction: Transaction<Database>, row: InvoiceRow, what: Credit["what"]): Promise<void> {
  await refuseUsed(transaction, row);
  if (what === "all") return;
  const message = "A purchase is credited as a whole, with its credits: leave out what of it.";
  throw new RefusalError(refuse("invalid_request", message, { param: "lines" }));
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
