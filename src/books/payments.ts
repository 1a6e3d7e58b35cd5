import { createHash } from "node:crypto";
import type { Transaction } from "kysely";
import {
  canonicalJson,
  formatAmount,
  parseAmount,
  readAmount,
  refuse,
  type Refusal,
  RefusalError,
  refusing,
} from "../base/index.ts";
import { ledgerUnits, minorAmount, minorText, paying, type RatedBook } from "../ledger/index.ts";
import {
  addPayment,
  type Database,
  findPayments,
  invoiceBalance,
  type PaymentRow,
  setInvoiceState,
} from "../store/index.ts";
import { hold, type Held } from "./accruing.ts";
import type { BooksContext } from "./context.ts";
import { heldInvoice, type InvoiceRow, refuseUnless } from "./held.ts";
import { dayAt } from "./numbers.ts";
import { postOf } from "./posting.ts";

/** What has arrived of an invoice. */
export interface AskedPayment {
  readonly invoice: string;
  /** What makes it the same one when it is asked for again. */
  readonly id?: string | undefined;
  /** A decimal string; left out: all that is open. */
  readonly amount?: string | undefined;
  /** The day on which the money moved, by the price book's clock; left out: today. */
  readonly date?: string | undefined;
}

/** What went back to a customer: a payment that did not last, as a whole, or what credit notes left owed to the customer. */
export interface AskedRefund extends AskedPayment {
  readonly payment?: string | undefined;
}

/** A payment or a refund, and how its invoice stands by now. */
export interface Settled {
  readonly invoice: string;
  /** null: nothing was open, and nothing was posted. */
  readonly id: string | null;
  readonly amount: string;
  readonly currency: string;
  readonly state: InvoiceRow["state"];
  readonly paid: string;
  readonly open: string;
}

/**
 * Notes what has arrived of a final invoice: all that is open, or a part. One whose id was there before answers as it did, and so does one of all
 * that is open where the invoice is paid.
 */
export async function pay(context: BooksContext, asked: AskedPayment, by: string): Promise<Settled | Refusal> {
  return settling(context, { kind: "payment", asked, by }, async (transaction, row, before) => {
    refuseUnless(row, ["final", "paid"], "paid");
    const last = before.findLast(({ kind }) => kind === "payment");
    if (row.state === "paid" && asked.amount === undefined) return last ?? 0n;
    const { open } = await balanceOf(transaction, row);
    if (asked.amount === undefined) return open < 0n ? 0n : open;
    const amount = amountOf(asked.amount, row.currency);
    if (amount > open) throw exceeding("payment_exceeds_invoice", row, `${said(open, row)} are open`, asked.amount);
    return amount;
  });
}

/** Notes what went back to the customer. What a payment that did not last had paid is open again. */
export async function refund(context: BooksContext, asked: AskedRefund, by: string): Promise<Settled | Refusal> {
  return settling(context, { kind: "refund", asked, by }, async (transaction, row, before) => {
    refuseUnless(row, ["final", "paid"], "refunded");
    const { payment } = asked;
    return payment === undefined
      ? owedBack(transaction, row, asked.amount)
      : comingBack({ ...asked, payment }, row, before);
  });
}

interface Asked {
  readonly kind: PaymentRow["kind"];
  readonly asked: AskedRefund;
}

/** `due`: how much is to be posted, in minor units, or what was posted of it before. */
async function settling(
  context: BooksContext,
  { by, ...what }: Asked & { readonly by: string },
  due: (
    transaction: Transaction<Database>,
    row: InvoiceRow,
    before: readonly PaymentRow[],
  ) => Promise<bigint | PaymentRow>,
): Promise<Settled | Refusal> {
  return refusing(() =>
    context.db.transaction().execute(async (transaction) => {
      const held = await hold(context, transaction);
      const row = await heldInvoice(transaction, what.asked.invoice);
      const before = await findPayments(transaction, row.id);
      const found = sameBefore(before, what) ?? (await due(transaction, row, before));
      if (typeof found !== "bigint") return settled(transaction, row, found);
      const { id, date, payment } = what.asked;
      const nowMs = context.clock.nowMs();
      const atMs = momentOf(nowMs, { row, held, date });
      const told = { id, kind: what.kind, date, payment, digest: digestOf(what), by };
      const kept = await keepPayment(context, transaction, row, {
        ...told,
        amount: found,
        atMs,
        nowMs,
        book: held.book,
      });
      await settleState(transaction, row);
      return settled(transaction, row, kept);
    }),
  );
}

/** Posts what arrived or went back, and keeps it; 0 is nothing. Minor units. */
export async function keepPayment(
  { ids }: BooksContext,
  transaction: Transaction<Database>,
  row: Pick<InvoiceRow, "id" | "organisation" | "currency">,
  moved: {
    readonly id?: string | undefined;
    readonly kind: PaymentRow["kind"];
    readonly amount: bigint;
    readonly date?: string | undefined;
    readonly payment?: string | undefined;
    readonly digest?: Buffer;
    readonly by: string;
    readonly atMs: number;
    readonly nowMs: number;
    readonly book: RatedBook;
  },
): Promise<Pick<PaymentRow, "id" | "amount"> | undefined> {
  const { kind, amount, date = null, payment = null, digest = null, by, ...posted } = moved;
  const movements = paying(kind === "payment" ? amount : -amount, row.currency);
  const number = await postOf(transaction, row, { ...posted, kind, movements });
  if (number === undefined) return undefined;
  const id = moved.id ?? ids.mint(kind === "payment" ? "pay" : "rfd");
  const units = ledgerUnits(amount, row.currency);
  const told = { invoice: row.id, id, kind, amount: units, date, payment, digest, transaction: number };
  await addPayment(transaction, { ...told, createdBy: by }, moved.nowMs);
  return { id, amount: formatAmount(units) };
}

/** The day on which money moved, where that is not closed by now; a clock that was set back posts nothing into what is closed. */
function momentOf(
  nowMs: number,
  { row, held, date }: { readonly row: InvoiceRow; readonly held: Held; readonly date: string | undefined },
): number {
  const { book, closedUntilMs = 0 } = held;
  if (date === undefined) return Math.max(nowMs, closedUntilMs);
  if (date > dayAt(nowMs, book)) {
    throw new RefusalError(refuse("invalid_request", `${date} is still to come.`, { param: "date" }));
  }
  // Nothing is posted before the invoice itself: what lies before it may be in no period yet.
  const dayMs = Math.max(book.calendar.instantMs(Date.parse(date)), row.createdAt.getTime());
  return Math.max(Math.min(dayMs, nowMs), closedUntilMs);
}

function sameBefore(before: readonly PaymentRow[], { kind, asked }: Asked): PaymentRow | undefined {
  const found = asked.id === undefined ? undefined : before.find(({ id }) => id === asked.id);
  if (found === undefined || found.digest?.equals(digestOf({ kind, asked })) === true) return found;
  const message = `The ${found.kind} ${JSON.stringify(asked.id)} of invoice ${found.invoice} was noted before, and is another one.`;
  throw new RefusalError(refuse("payment_conflict", message, { param: "id" }));
}

/** Of what is asked for, however its amount is written. */
function digestOf({ kind, asked: { amount, date, payment } }: Asked): Buffer {
  const exactly = amount === undefined ? null : formatAmount(parseAmount(amount) ?? -1n);
  return createHash("sha256")
    .update(canonicalJson({ kind, amount: exactly, date: date ?? null, payment: payment ?? null }))
    .digest();
}

async function settled(
  transaction: Transaction<Database>,
  { id, currency }: InvoiceRow,
  moved: Pick<PaymentRow, "id" | "amount"> | undefined,
): Promise<Settled> {
  const row = await heldInvoice(transaction, id);
  const { paid, open } = await balanceOf(transaction, row);
  const text = (units: bigint): string => minorText(units, currency);
  return {
    invoice: id,
    id: moved?.id ?? null,
    amount: text(moved === undefined ? 0n : minorAmount(moved.amount, currency)!),
    currency,
    state: row.state,
    paid: text(paid),
    open: text(open),
  };
}

/** In minor units: what was paid of an invoice, and what is open of it; below 0: owed to the customer. */
export async function balanceOf(
  transaction: Transaction<Database>,
  { id, currency }: Pick<InvoiceRow, "id" | "currency">,
): Promise<{ readonly paid: bigint; readonly open: bigint }> {
  const { paid, open } = await invoiceBalance(transaction, id);
  const unit = ledgerUnits(1n, currency);
  return { paid: readAmount(paid) / unit, open: readAmount(open) / unit };
}

/** An invoice is paid once nothing of it is open, and final again where something is. */
export async function settleState(transaction: Transaction<Database>, row: InvoiceRow): Promise<void> {
  const { open } = await balanceOf(transaction, row);
  const state = open > 0n ? "final" : "paid";
  if (state !== row.state) await setInvoiceState(transaction, row.id, state);
}

function amountOf(text: string, currency: string): bigint {
  const units = minorAmount(text, currency);
  if (units !== undefined && units > 0n) return units;
  const message = `"${text}" is no amount of ${currency} above 0.`;
  throw new RefusalError(refuse("invalid_request", message, { param: "amount" }));
}

function said(units: bigint, { currency }: InvoiceRow): string {
  return `${minorText(units < 0n ? 0n : units, currency)} ${currency}`;
}

function exceeding(
  code: "payment_exceeds_invoice" | "refund_exceeds_invoice",
  row: InvoiceRow,
  is: string,
  asked: string,
): RefusalError {
  return new RefusalError(refuse(code, `Of invoice ${row.id} ${is}, and not ${asked}.`, { param: "amount" }));
}

/** What credit notes left owed to the customer, of what was paid. */
async function owedBack(
  transaction: Transaction<Database>,
  row: InvoiceRow,
  asked: string | undefined,
): Promise<bigint> {
  const { paid, open } = await balanceOf(transaction, row);
  const owed = -open < paid ? -open : paid;
  const amount = asked === undefined ? owed : amountOf(asked, row.currency);
  if (owed > 0n && amount <= owed) return amount;
  const is = `${said(owed, row)} are owed to its customer`;
  if (asked !== undefined) throw exceeding("refund_exceeds_invoice", row, is, asked);
  throw new RefusalError(refuse("refund_exceeds_invoice", `Of invoice ${row.id} ${is}.`, { param: "invoice" }));
}

/** A payment that did not last, which is all of it. */
function comingBack(
  { payment, amount }: AskedRefund & { readonly payment: string },
  { id: invoice, currency }: InvoiceRow,
  before: readonly PaymentRow[],
): bigint {
  const refused = (code: Refusal["code"], message: string, param = "payment"): RefusalError =>
    new RefusalError(refuse(code, message, { param }));
  if (amount !== undefined) {
    throw refused("invalid_request", "A payment that did not last went back as a whole: leave `amount` out.", "amount");
  }
  const found = before.find(({ id, kind }) => id === payment && kind === "payment");
  if (found === undefined) throw refused("not_found", `Invoice ${invoice} has no payment ${payment}.`);
  const back = before.find((each) => each.payment === payment);
  if (back === undefined) return minorAmount(found.amount, currency)!;
  throw refused("refund_exceeds_invoice", `Payment ${payment} of invoice ${invoice} went back before: ${back.id}.`);
}
