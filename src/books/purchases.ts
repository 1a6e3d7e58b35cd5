import type { Transaction } from "kysely";
import { formatAmount, type InvoiceId, refuse, RefusalError } from "../base/index.ts";
import { type Invoice, purchaseInvoiceOf, readBill } from "../invoicing/index.ts";
import {
  creditsSku,
  ledgerUnits,
  minorAmount,
  purchase,
  type PurchaseDocument,
  purchaseDocument,
  taxOf,
} from "../ledger/index.ts";
import {
  addInvoices,
  addMovements,
  type Database,
  findGrants,
  type NewGrant,
  setFinal,
  setInvoiceState,
} from "../store/index.ts";
import type { Held } from "./accruing.ts";
import type { BooksContext } from "./context.ts";
import { heldInvoice, type InvoiceRow, periodOf } from "./held.ts";
import { issueNext } from "./numbers.ts";
import { partiesFor } from "./parties.ts";
import { keepPayment } from "./payments.ts";
import { postOf } from "./posting.ts";

/** Posts what is owed for a grant, with its tax, and keeps the draft invoice of it; with `received` it is issued and paid at once. */
export async function addPurchase(
  context: BooksContext,
  transaction: Transaction<Database>,
  grant: NewGrant,
  { held: { book }, received }: { readonly held: Held; readonly received: boolean },
): Promise<void> {
  const { organisation, currency, fromMs, createdBy } = grant;
  const id = context.ids.mint("inv");
  const nowMs = context.clock.nowMs();
  const period = book.calendar.periodAt(fromMs);
  const net = minorAmount(formatAmount(grant.paid), currency)!;
  const tax = taxOf({ customer: organisation, period, net }, book);
  const posted = { atMs: fromMs, nowMs, book };
  const credits = formatAmount(grant.credits);
  const bill = purchaseDocument({ customer: organisation, period, currency, grant: grant.id, credits, net, tax });
  const amounts = { net: grant.paid, tax: ledgerUnits(tax.amount, currency), residual: 0n, drawn: 0n, drawnCost: 0n };
  const row = { id, organisation, period: period.name, currency, bill: JSON.stringify(bill), grant: grant.id };
  await addInvoices(transaction, [{ ...row, ...amounts, gross: amounts.net + amounts.tax, createdAtMs: nowMs }]);
  await postOf(transaction, row, { kind: "purchase", movements: purchase(net, tax, currency), ...posted });
  if (!received) return;
  const invoice = await heldInvoice(transaction, id);
  await issuePurchase(context, transaction, invoice, { by: createdBy, prepaid: net + tax.amount });
  await setFinal(transaction, id, undefined);
  await keepPayment(context, transaction, row, { kind: "payment", amount: net + tax.amount, by: createdBy, ...posted });
  await setInvoiceState(transaction, id, "paid");
}

/** Issues the document of a purchase. `prepaid`, in minor units: what has been received for it already. */
export async function issuePurchase(
  context: BooksContext,
  transaction: Transaction<Database>,
  row: InvoiceRow,
  { by, prepaid }: { readonly by: string; readonly prepaid: bigint },
): Promise<Invoice> {
  const parties = await partiesFor(context, transaction, row.organisation);
  const { bought, tax } = await boughtBy(transaction, row);
  const { timeZone } = context.prices.book.calendar;
  const told = { kind: "invoice", seller: parties.seller.name, invoice: row.id, by } as const;
  return issueNext(context, transaction, told, (numbered) =>
    purchaseInvoiceOf(bought, tax, { ...numbered, parties, timeZone, prepaid }),
  );
}

/** What an invoice is the purchase of, with the tax that was posted. */
export async function boughtBy(transaction: Transaction<Database>, row: InvoiceRow) {
  const document = JSON.parse(row.bill) as PurchaseDocument;
  const { customer, currency, net, tax } = readBill(document, await periodOf(transaction, row.period));
  const credits = { sku: creditsSku, name: "Prepaid credits", unit: "credit" };
  return { bought: { ...credits, customer, currency, quantity: document.purchase.credits, amount: net }, tax };
}

/** Refuses to take a purchase back of which anything was used: what is left would have to be paid for twice, or by nobody. */
export async function refuseUsed(transaction: Transaction<Database>, { organisation, grantId }: InvoiceRow) {
  const [grant] = await findGrants(transaction, { organisations: [organisation], id: grantId! });
  const { drawn, lapsed, credits } = grant!;
  if (drawn + lapsed === 0n) return;
  const message = `Of the ${formatAmount(credits)} credits of grant ${grantId} ${formatAmount(drawn)} were used and ${formatAmount(lapsed)} have lapsed.`;
  throw new RefusalError(refuse("credits_used", message, { param: "invoice" }));
}

/** Takes the credits of a purchase back that was credited. The ledger has to be held. */
export async function returnGrant(
  transaction: Transaction<Database>,
  { organisation, currency, grantId, id }: InvoiceRow,
  nowMs: number,
): Promise<void> {
  const [grant] = await findGrants(transaction, { organisations: [organisation], id: grantId! });
  const { credits } = grant!;
  const wallet = { organisation, currency, grant: grantId!, reference: id satisfies InvoiceId };
  await addMovements(transaction, [{ ...wallet, kind: "return", credits, atMs: nowMs }], nowMs);
}
