import type { Transaction } from "kysely";
import { type InvoiceId, type OrganisationId, refuse, type Refusal, RefusalError, refusing } from "../base/index.ts";
import {
  accrual,
  type Bill,
  billDocument,
  billing,
  billsWith,
  grownBy,
  ledgerAmount,
  ledgerUnits,
  type Line,
  linesOf,
  type Period,
  type RatedBook,
  reversal,
  taxOf,
} from "../ledger/index.ts";
import {
  addEntries,
  addInvoices,
  addMovements,
  closePeriod,
  type Database,
  type Entry,
  findPeriod,
  findSums,
  firstPeriod,
  type InvoiceTotal,
  invoiceTotals,
  isEmptyFirst,
  openBefore,
  openPeriods,
  organisationsBilled,
  type SumRow,
  takeLedger,
  tryClosing,
  untaxedDrafts,
} from "../store/index.ts";
import { postingsFor } from "./accruing.ts";
import type { BooksContext } from "./context.ts";
import { committedFrom, withContractsOf } from "./contradictions.ts";
import { internalOrganisations } from "./organisations.ts";
import { type PaidByCredits, PayingWallets } from "./paying.ts";
import { noPeriod } from "./reading.ts";
import { usageSums } from "./sum-rows.ts";

/** A closed period, and what was invoiced of it. */
export interface ClosedPeriod {
  readonly period: string;
  readonly closedAt: string;
  readonly closedBy: string;
  readonly invoices: number;
  readonly totals: readonly InvoiceTotal[];
  /** What its drafts lack, so that they could not become final. */
  readonly warnings: readonly string[];
}

/**
 * Closes a period for ever: each customer's sums become one draft invoice a currency, which its wallet pays first, what was accrued of them is reversed, and nothing is
 * posted into it any more. One period after the other; one that is closed answers as it did. `mayBeEmpty`: the first one may be one before which
 * and in which nothing is in the books; what was used until then would come late from now on.
 */
export async function close(
  context: BooksContext,
  name: string,
  by: string,
  { mayBeEmpty = false }: { readonly mayBeEmpty?: boolean } = {},
): Promise<ClosedPeriod | Refusal> {
  return refusing(() =>
    context.db.transaction().execute(async (transaction) => {
      if (!(await tryClosing(transaction))) throw refused("close_running", `Somebody closes a period at this moment.`);
      const { closedUntilMs, prices } = await takeLedger(transaction);
      const book = await context.prices.bookOf(prices, transaction);
      const period = book.calendar.periodOf(name);
      if (period === undefined) throw new RefusalError(noPeriod(context, { period: name })!);
      const closed = await findPeriod(transaction, name);
      if (closed?.closedAt === undefined) {
        await refuseUntimely(transaction, period, { book, closedUntilMs, nowMs: context.clock.nowMs(), mayBeEmpty });
        await bill(context, transaction, { period, book, closedUntilMs });
        await closePeriod(transaction, name, by, context.clock.nowMs());
      }
      return told(transaction, name, context);
    }),
  );
}

async function told(transaction: Transaction<Database>, name: string, { issuer }: BooksContext): Promise<ClosedPeriod> {
  const { closedAt, closedBy } = (await findPeriod(transaction, name))!;
  const { invoices, totals } = await invoiceTotals(transaction, name);
  const untaxed = issuer.exemption === undefined ? await untaxedDrafts(transaction, name, untaxedTold) : noDrafts;
  const warnings = [...warningsOf(untaxed), ...((await isEmptyFirst(transaction, name)) ? [emptyClosed(name)] : [])];
  return { period: name, closedAt: closedAt!.toISOString(), closedBy: closedBy!, invoices, totals, warnings };
}

const untaxedTold = 5;
const noDrafts = { customers: [], count: 0 };

function warningsOf({ customers, count }: Awaited<ReturnType<typeof untaxedDrafts>>): readonly string[] {
  if (count === 0) return [];
  const more = count > customers.length ? ` and ${count - customers.length} more` : "";
  return [
    `no rate of tax is known for ${customers.join(", ")}${more}: none was added; name it in the price book's taxes before the drafts become final`,
  ];
}

/** What the next period's bills stand on must stay as it is: so periods close when they are over, one behind the other, from the first on. */
async function refuseUntimely(
  transaction: Transaction<Database>,
  { name, startMs, endMs }: Period,
  {
    book,
    closedUntilMs,
    nowMs,
    mayBeEmpty,
  }: {
    readonly book: RatedBook;
    readonly closedUntilMs?: number | undefined;
    readonly nowMs: number;
    readonly mayBeEmpty: boolean;
  },
): Promise<void> {
  if (endMs > nowMs) {
    throw refused("period_not_over", `${name} ends at ${new Date(endMs).toISOString()}, which is still to come.`);
  }
  if (closedUntilMs === undefined) {
    const first = await firstToClose(transaction, book, nowMs);
    if (name === first.name && first.isEmpty && !mayBeEmpty) throw refused("period_empty", emptyFirst(name));
    if (name === first.name) return;
    const message = `${first.name} is the first period to close: ${first.why}.`;
    throw refused("period_out_of_turn", message);
  }
  if (startMs !== closedUntilMs) {
    const message =
      startMs < closedUntilMs
        ? `Periods behind ${name} are closed already.`
        : `Between ${name} and what is closed, up to ${new Date(closedUntilMs).toISOString()}, a period is open.`;
    throw refused("period_out_of_turn", message);
  }
  const earlier = await openBefore(transaction, startMs);
  if (earlier !== undefined) throw refused("period_out_of_turn", `${earlier} is open, and comes before ${name}.`);
}

function emptyClosed(name: string): string {
  return `nothing was posted in ${name} or before: all until its end counts as closed from now on, and what was used then is late where it is told after that`;
}

function emptyFirst(name: string): string {
  return `Nothing was posted in ${name} or before, and no period was ever closed: all until its end would count as closed, and what was used then would be late where it is told after that.`;
}

/** The earliest period that something is posted in or somebody has committed to something in; where there is neither before, the last one that is over. */
async function firstToClose(
  transaction: Transaction<Database>,
  book: RatedBook,
  nowMs: number,
): Promise<{ readonly name: string; readonly why: string; readonly isEmpty: boolean }> {
  const { calendar } = book;
  const posted = (await firstPeriod(transaction))?.startMs ?? Infinity;
  const committed = committedFrom(book);
  const last = calendar.periodAt(calendar.periodAt(nowMs).startMs - 1);
  const firstMs = Math.min(posted, committed);
  if (firstMs >= last.endMs) {
    return { name: last.name, why: "nothing is in the books before it is over", isEmpty: true };
  }
  const { name } = calendar.periodAt(firstMs);
  return {
    name,
    isEmpty: false,
    why: posted <= firstMs ? "the books begin with it" : "a contract commits its customer in it",
  };
}

function refused(code: "close_running" | "period_empty" | "period_not_over" | "period_out_of_turn", message: string) {
  return new RefusalError(refuse(code, message, { param: "period" }));
}

async function bill(
  context: BooksContext,
  transaction: Transaction<Database>,
  {
    period,
    book,
    closedUntilMs,
  }: { readonly period: Period; readonly book: RatedBook; readonly closedUntilMs: number | undefined },
): Promise<void> {
  const internal = await internalOrganisations(transaction, context.internal);
  const nowMs = context.clock.nowMs();
  const wallets = await PayingWallets.of(transaction, period, closedUntilMs);
  await openPeriods(transaction, [period]);
  const customers = await customersOf(transaction, period, book);
  // So that what is held grows with neither: bills and their postings are texts and numbers without end.
  for (let from = 0; from < customers.length; from += customersAtOnce) {
    const some = customers.slice(from, from + customersAtOnce);
    const rows = await findSums(transaction, { billedIn: period.name, organisations: some });
    const accrued = accruedBy(rows);
    const bills = await billsOf(transaction, rows, period, withContractsOf(book, some));
    const made = bills.map((each) => {
      const id = context.ids.mint("inv");
      const isInternal = internal.has(each.customer);
      const paid = wallets.pay(each, id, isInternal);
      const left = taxedFor(each, paid.drawn, book);
      const entries = entriesOf(left, id, accrued.get(`${each.customer}\n${each.currency}`) ?? [], isInternal);
      return { row: invoiceRow(left, id, paid, nowMs), entries };
    });
    await addInvoices(
      transaction,
      made.map(({ row }) => row),
    );
    await addEntries(
      transaction,
      made.flatMap(({ entries }) => entries),
      nowMs,
    );
  }
  wallets.end(internal);
  await addEntries(transaction, wallets.entries, nowMs);
  await addMovements(transaction, wallets.movements, nowMs);
}

const customersAtOnce = 500;

/** Who may have a bill, in the order of bills: who has used something, and who may have committed to something. */
async function customersOf(
  transaction: Transaction<Database>,
  period: Period,
  { contracts }: RatedBook,
): Promise<readonly string[]> {
  const used = await organisationsBilled(transaction, period.name);
  return [...new Set([...used, ...contracts.keys()])].toSorted((a, b) => (a < b ? -1 : 1));
}

/** The bills of some customers, whose contracts alone are in the book. */
async function billsOf(
  transaction: Transaction<Database>,
  rows: readonly SumRow[],
  period: Period,
  book: RatedBook,
): Promise<readonly Bill[]> {
  const own = rows.filter((row) => row.period === period.name);
  const late = await lateLines(transaction, rows, period, book);
  return billsWith([...linesOf(usageSums(own, book), [period], book), ...late], period, book);
}

/** What credits pay for is not taxed here: what was bought was taxed with its purchase, and what was given has no price. */
function taxedFor(each: Bill, drawn: bigint, book: RatedBook): Bill {
  if (drawn === 0n) return each;
  const { customer, period, net, currency } = each;
  const tax = taxOf({ customer, period, net: net - drawn / ledgerUnits(1n, currency) }, book);
  return { ...each, tax, gross: net + tax.amount };
}

/** Usage of periods whose bills are closed: what those would be with it, less what they were. */
async function lateLines(
  transaction: Transaction<Database>,
  rows: readonly SumRow[],
  { name }: Period,
  book: RatedBook,
): Promise<readonly Line[]> {
  const late = rows.filter(({ period }) => period !== name);
  if (late.length === 0) return [];
  const customers = new Set(late.map(({ organisation }) => organisation));
  const all = await findSums(transaction, {
    periods: [...new Set(late.map(({ period }) => period))],
    organisations: [...customers],
  });
  const isLate = (line: Line): boolean => customers.has(line.customer as OrganisationId);
  return [...Map.groupBy(all, ({ period }) => period)].flatMap(([used, sums]) => {
    const of = (some: readonly SumRow[]): readonly Line[] =>
      linesOf(usageSums(some, book), [book.calendar.periodOf(used)!], book).filter(isLate);
    const before = sums.filter(({ billedIn }) => billedIn < name);
    return grownBy(of(sums.filter(({ billedIn }) => billedIn <= name)), of(before));
  });
}

/** A customer's sums, with what of them is in the ledger. */
function accruedBy(rows: readonly SumRow[]): ReadonlyMap<string, readonly SumRow[]> {
  return Map.groupBy(rows, ({ organisation, currency }) => `${organisation}\n${currency}`);
}

/**
 * What the lines come to and is not accrued yet, out of the accounts that it was accrued in where the bill's are others by now; what was
 * accrued, back; the bill.
 */
function entriesOf(each: Bill, invoice: InvoiceId, accrued: readonly SumRow[], isInternal: boolean): readonly Entry[] {
  const { customer, currency, period, lines } = each;
  const last = accrual([
    ...accrued.map((row) => ({ ...row, amount: -row.accrued })),
    ...lines.map(({ sku, amount }) => ({ sku, currency, amount: ledgerAmount(amount), isInternal })),
  ]);
  const made = [
    ["accrual", last],
    ["reversal", reversal(each, isInternal)],
    ["bill", billing(each, isInternal)],
  ] as const;
  return made
    .filter(([, movements]) => movements.length > 0)
    .map(([kind, movements]) => ({
      kind,
      period: period.name,
      atMs: period.endMs - 1,
      reference: invoice,
      postings: postingsFor(customer as OrganisationId, movements),
    }));
}

function invoiceRow(each: Bill, id: InvoiceId, paid: PaidByCredits, nowMs: number) {
  const { customer, period, currency, net, tax, gross, lines } = each;
  const inLedger = (minor: bigint): bigint => ledgerUnits(minor, currency);
  return {
    id,
    organisation: customer as OrganisationId,
    period: period.name,
    currency,
    bill: JSON.stringify(billDocument(each)),
    net: inLedger(net),
    tax: inLedger(tax.amount),
    gross: inLedger(gross),
    ...paid,
    grant: null,
    residual: lines.reduce((sum, { amount }) => sum + ledgerAmount(amount), 0n) - inLedger(net),
    createdAtMs: nowMs,
  };
}
