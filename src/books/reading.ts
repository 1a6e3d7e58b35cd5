import type { Kysely } from "kysely";
import { formatAmount, type InvoiceId, readAmount, refuse, type Refusal } from "../base/index.ts";
import {
  type AccountKind,
  accountKinds,
  type BillDocument,
  kindOf,
  products,
  revenueAccount,
} from "../ledger/index.ts";
import {
  type Balance,
  balances,
  type Database,
  findPayments,
  findSums,
  type List,
  type MeteredQuestion,
  type MeteredRow,
  meteredRecords,
  meteredRequests,
  type Page,
  type PaymentRow,
  type PostingRow,
  type SumRow,
  type TransactionRow,
  transactions,
} from "../store/index.ts";
import type { BooksContext } from "./context.ts";
import { cursorOf, noNext, pageOf, textsOf } from "./cursors.ts";

export interface AccountBalance extends Balance {
  readonly kind: AccountKind;
}

export interface TrialBalance {
  /** Up to when, excluded; null: all. */
  readonly until: string | null;
  readonly rows: readonly AccountBalance[];
  /** By currency; both sides are the same. */
  readonly totals: readonly { readonly currency: string; readonly debit: string; readonly credit: string }[];
}

/** What each account has, up to the end of a period or of everything. */
export async function trialBalance(context: BooksContext, period?: string): Promise<TrialBalance | Refusal> {
  const { db, prices } = context;
  const wrong = noPeriod(context, { period });
  if (wrong !== undefined) return wrong;
  const asked = period === undefined ? undefined : prices.book.calendar.periodOf(period);
  const rows = (await balances(db, asked?.endMs)).map((row) => ({ ...row, kind: kindOf(row.account) }));
  const totals = [...Map.groupBy(rows, ({ currency }) => currency)].map(([currency, some]) => ({
    currency,
    debit: sumOf(some.map(({ debit }) => debit)),
    credit: sumOf(some.map(({ credit }) => credit)),
  }));
  return { until: asked === undefined ? null : new Date(asked.endMs).toISOString(), rows, totals };
}

/** The refusal of a name, by what it is the value of, that is no period of the price book: an answer of nothing would look like one. */
export function noPeriod(
  { prices }: Pick<BooksContext, "prices">,
  named: Readonly<Record<string, string | undefined>>,
): Refusal | undefined {
  const { calendar } = prices.book;
  const [param, period] =
    Object.entries(named).find(([, name]) => name !== undefined && !calendar.periodOf(name)) ?? [];
  if (param === undefined) return undefined;
  const message = `"${period}" is no period of the price book: its periods are ${calendar.length}s, such as ${periodNames[calendar.length]}.`;
  return refuse("invalid_request", message, { param });
}

const periodNames = { month: "2026-03", quarter: "2026-Q1", year: "2026" } as const;

/** The chart of accounts: those that there can be, by jurisdiction those that the price book taxes, and what there is beside. */
export async function accounts({
  db,
  prices,
}: BooksContext): Promise<readonly { readonly account: string; readonly kind: AccountKind }[]> {
  const used = (await balances(db)).map(({ account }) => account);
  const all = Object.keys(accountKinds).flatMap((name) => {
    if (name === "revenue") return products.map((product) => `revenue/${product}`);
    if (name === "intersegment") return products.map((product) => `intersegment/${product}`);
    if (name === "tax-payable") return prices.book.taxes.map(({ jurisdiction }) => `tax-payable/${jurisdiction}`);
    return [name];
  });
  return [...new Set([...all, ...used])].toSorted().map((account) => ({ account, kind: kindOf(account) }));
}

export async function entries(
  { db }: BooksContext,
  { period }: { readonly period: string | undefined },
  page: Page,
): Promise<List<TransactionRow> | Refusal> {
  const after = page.after === undefined ? undefined : Number(page.after);
  if (after !== undefined && !Number.isSafeInteger(after)) return noNext();
  const rows = await transactions(db, { ...(period && { period }), ...(after && { after }), limit: page.limit + 1 });
  return pageOf(rows, page.limit, ({ number }) => String(number));
}

/** What was metered, requests first: everything that is, or will be, on an invoice, or waits for a price. */
export async function metered(
  { db }: BooksContext,
  filter: Pick<MeteredQuestion, "organisation" | "skus" | "fromMs" | "untilMs" | "knownFromMs" | "knownUntilMs">,
  { limit, after }: Page,
): Promise<List<MeteredRow> | Refusal> {
  const cursor = after === undefined ? ["requests"] : partsOf(after);
  if (cursor === undefined) return noNext();
  const [kind, ...key] = cursor;
  const question = { ...filter, ...(key.length > 0 && { after: key }), limit: limit + 1 };
  if (kind === "requests") {
    const rows = await meteredRequests(db, question);
    if (rows.length > 0) return pageOfKind(rows, limit, "requests", ["records"]);
  }
  return pageOfKind(
    await meteredRecords(db, kind === "requests" ? { ...filter, limit: limit + 1 } : question),
    limit,
    "records",
  );
}

function pageOfKind(
  rows: readonly MeteredRow[],
  limit: number,
  kind: "requests" | "records",
  last?: readonly string[],
): List<MeteredRow> {
  const items = rows.slice(0, limit);
  const key = ({ organisation, source, id, sku }: MeteredRow): readonly string[] =>
    kind === "requests" ? [id] : [organisation, source, id, sku!];
  const next = rows.length > limit ? [kind, ...key(items.at(-1)!)] : last;
  return { items, next: next === undefined ? null : cursorOf(next) };
}

function partsOf(after: string): readonly string[] | undefined {
  const parts = textsOf(after);
  if (parts === undefined) return undefined;
  const isOfRequests = parts[0] === "requests" && parts.length <= 2;
  return isOfRequests || (parts[0] === "records" && (parts.length === 1 || parts.length === 5)) ? parts : undefined;
}

/** Why something was posted: the way from it back to what was used. */
export interface Reasons {
  readonly posting: PostingRow;
  readonly transaction: Omit<TransactionRow, "postings">;
  readonly invoice: string | null;
  /** Of the invoice, where it is one, or a refund. */
  readonly payment: PaymentRow | null;
  /** Those that made it, of an invoice. */
  readonly lines: BillDocument["lines"];
  readonly sums: readonly SumRow[];
  /** The first ones. */
  readonly requests: readonly MeteredRow[];
  readonly records: readonly MeteredRow[];
}

const reasonsMost = 100;

export async function why(context: BooksContext, posting: string): Promise<Reasons | Refusal> {
  const [, number, line] = /^(\d{1,15})\.(\d{1,9})$/.exec(posting) ?? [];
  const found =
    number === undefined ? undefined : (await transactions(context.db, { number: Number(number), limit: 1 }))[0];
  const row = found?.postings[Number(line) - 1];
  if (found === undefined || row === undefined)
    return refuse("not_found", `There is no posting ${posting}.`, { param: "posting" });
  const { postings: _, ...transaction } = found;
  const told = { posting: row, transaction };
  const { reference } = transaction;
  if (reference.startsWith("inv_")) return { ...told, ...(await whyInvoiced(context, row, transaction)) };
  const [, gateway, from, to] = /^shipment (\S+) (\S+) (\S+)$/.exec(reference) ?? [];
  const asked = { organisation: row.organisation!, limit: reasonsMost };
  return {
    ...told,
    invoice: null,
    payment: null,
    lines: [],
    sums: [],
    requests:
      gateway === undefined
        ? []
        : await meteredRequests(context.db, { ...asked, shipment: { gateway, from: from!, to: to! } }),
    records: gateway === undefined ? await meteredRecords(context.db, { ...asked, reference }) : [],
  };
}

async function whyInvoiced(
  { db, prices }: BooksContext,
  posting: PostingRow,
  { number, reference: invoice }: Pick<TransactionRow, "number" | "reference">,
): Promise<Omit<Reasons, "posting" | "transaction">> {
  const { organisation, period, bill } = await db
    .selectFrom("invoices")
    .select(["organisation", "period", "bill"])
    .where("id", "=", invoice as InvoiceId)
    .executeTakeFirstOrThrow();
  const { lines } = JSON.parse(bill) as BillDocument;
  const isOfProduct = (sku: string): boolean =>
    [true, false].some((isInternal) => revenueAccount(sku, isInternal) === posting.account);
  const mine = lines.some(({ sku }) => isOfProduct(sku)) ? lines.filter(({ sku }) => isOfProduct(sku)) : lines;
  const skus = [...new Set(mine.map(({ sku }) => sku))];
  const sums = (await findSums(db, { billedIn: period, organisations: [organisation] })).filter(({ sku }) =>
    skus.includes(sku),
  );
  const used = [...new Set(sums.map((sum) => sum.period))].flatMap((name) => prices.book.calendar.periodOf(name) ?? []);
  const range = {
    fromMs: Math.min(...used.map(({ startMs }) => startMs)),
    untilMs: Math.max(...used.map(({ endMs }) => endMs)),
  };
  const asked = { organisation, skus, ...range, limit: reasonsMost };
  const isUsed = sums.length > 0;
  const [payment = null] = await findPayments(db, invoice as InvoiceId, { transaction: number });
  return {
    invoice,
    payment,
    lines: mine,
    sums,
    requests: isUsed ? await meteredRequests(db, asked) : [],
    records: isUsed ? await meteredRecords(db, asked) : [],
  };
}

export async function periods(db: Kysely<Database>) {
  const rows = await db.selectFrom("ledgerPeriods").selectAll().orderBy("startsAt").execute();
  return rows.map(({ period, startsAt, endsAt, closedAt, closedBy }) => ({
    period,
    startsAt: startsAt.toISOString(),
    endsAt: endsAt.toISOString(),
    state: closedAt === null ? ("open" as const) : ("closed" as const),
    closedAt: closedAt?.toISOString() ?? null,
    closedBy,
  }));
}

/** Exact decimal strings added up. */
function sumOf(amounts: readonly string[]): string {
  return formatAmount(amounts.reduce((sum, amount) => sum + readAmount(amount), 0n));
}
