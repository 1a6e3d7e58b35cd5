import { formatAmount, type OrganisationId, refuse, type Refusal } from "../base/index.ts";
import {
  accounts,
  applyPriceBook,
  close,
  dropUnrated,
  entries,
  metered,
  organisationNames,
  periods,
  priceBookHistory,
  rateUnrated,
  record,
  showPriceBook,
  toldUsage,
  trialBalance,
  type BooksContext,
  unrated,
  usageOfLine,
  why,
} from "../books/index.ts";
import type { Operations } from "../gateway/index.ts";
import { parseQuantity, quantityText } from "../ledger/index.ts";
import { findSums, type InvoiceTotal, type List, type MeteredRow, type UnratedRow } from "../store/index.ts";
import { dayOf, invoiceOperations, paymentTold, withInvoice } from "./invoices.ts";
import type { OperationParts } from "./parts.ts";
import { wholeAmount } from "./whole-amount.ts";

type Books = Operations["books"];

/** How long what was settled before a call is waited for. */
const shippingTimeoutMs = 10_000;

/** The books as the control API asks them: everything that was settled before a call is in its answer. */
export function booksOperations(parts: OperationParts): Books {
  const { ledger, shipper } = parts;
  const shipped = async (): Promise<Refusal | undefined> =>
    (await shipper.caughtUp(shippingTimeoutMs))
      ? undefined
      : refuse("books_behind", "PostgreSQL did not take all settled usage in time; the books would lack some.", {
          retryAfterSeconds: 10,
        });
  return {
    showPriceBook: (version) => showPriceBook(ledger, version),
    applyPriceBook: (input) => applyPriceBook(ledger, input),
    priceBookHistory: (page) => priceBookHistory(ledger, page),
    recordUsage: (records, request) => record(ledger, records, `usage ${request}`),
    metered: async (filter, page) =>
      (page.after === undefined ? await shipped() : undefined) ?? meteredPage(parts, filter, page),
    toldUsage: async ({ organisation, from, to }, page) => {
      const found = organisation === undefined ? undefined : await parts.tenancy.showOrganisation(organisation);
      if (found !== undefined && "outcome" in found) return found;
      const filter = { ...(found && { organisation: found.id }), ...(from && { from }), ...(to && { to }) };
      return toldList(
        await toldUsage(ledger, filter, page),
        ({ organisationName, sku, records, quantity, uncounted }) => ({
          organisation: organisationName,
          sku,
          records,
          quantity,
          uncounted,
        }),
      );
    },
    unrated: async (filter, page) => {
      const found = await unrated(ledger, page, filter);
      return "outcome" in found ? found : { ...found, items: await unratedTold(parts, found.items) };
    },
    dropUnrated: async (which) => {
      const dropped = await dropUnrated(ledger, which);
      return "outcome" in dropped ? dropped : (await unratedTold(parts, [dropped]))[0]!;
    },
    rateUnrated: ({ number, quantity }, request) => rateLater(ledger, number, quantity, request),
    periods: async () => ({ items: await periods(ledger.db) }),
    close: async (period, mayBeEmpty, by) =>
      (await shipped()) ??
      told(await close(ledger, period, by, { mayBeEmpty }), (closed) => ({
        ...closed,
        totals: closed.totals.map(totalOf),
        warnings: [...closed.warnings],
      })),
    accounts: async () => ({ items: [...(await accounts(ledger))] }),
    trialBalance: async (period) =>
      (await shipped()) ??
      told(await trialBalance(ledger, period), (balance) => ({
        ...balance,
        rows: [...balance.rows],
        totals: [...balance.totals],
      })),
    transactions: async (filter, page) =>
      (page.after === undefined ? await shipped() : undefined) ??
      toldList(await entries(ledger, filter, page), ({ at, postings, ...row }) => ({
        ...row,
        ...dated(ledger, at),
        postings: [...postings],
      })),
    why: async (posting) =>
      told(await why(ledger, posting), ({ transaction, payment, sums, requests, records, lines, ...rest }) => ({
        ...rest,
        payment: payment === null ? null : paymentTold(ledger, payment, rest.posting.currency),
        transaction: { ...transaction, ...dated(ledger, transaction.at) },
        lines: lines.map((line) => ({ ...line })),
        sums: sums.map(({ sku, period, quantity, events, accrued }) => ({
          sku,
          period,
          quantity: quantityText(quantity),
          events,
          accrued: formatAmount(accrued),
        })),
        requests: requests.map(meteredOf),
        records: records.map(meteredOf),
      })),
    ...invoiceOperations(parts),
    unbilled: async () => (await shipped()) ?? unbilledSums(ledger),
  };
}

/** A moment, and its day by the price book's clock. */
function dated({ prices }: BooksContext, at: Date): { readonly at: string; readonly date: string } {
  return { at: at.toISOString(), date: dayOf(prices, at) };
}

function told<Result extends object, Told>(result: Result | Refusal, as: (result: Result) => Told): Told | Refusal {
  return isRefusal(result) ? result : as(result);
}

function toldList<Row, Item>(list: List<Row> | Refusal, as: (row: Row) => Item): List<Item> | Refusal {
  return told(list, ({ items, next }) => ({ items: items.map(as), next }));
}

function isRefusal(result: object): result is Refusal {
  return "outcome" in result && result.outcome === "refused";
}

async function meteredPage(
  { ledger, tenancy }: OperationParts,
  { organisation, sku, from, until, invoice, line }: Parameters<Books["metered"]>[0],
  page: Parameters<Books["metered"]>[1],
): ReturnType<Books["metered"]> {
  const found = organisation === undefined ? undefined : await tenancy.showOrganisation(organisation);
  if (found !== undefined && "outcome" in found) return found;
  if ((invoice === undefined) !== (line === undefined)) {
    return refuse("invalid_request", "`invoice` and `line` name a line together.", { param: "line" });
  }
  const ofLine =
    invoice === undefined
      ? undefined
      : await withInvoice(ledger.db, invoice, (id) => usageOfLine(ledger, { invoice: id, line: line! }));
  if (ofLine !== undefined && "outcome" in ofLine) return ofLine;
  if (ofLine !== undefined && found !== undefined && ofLine.organisation !== found.id) {
    return refuse("not_found", `${found.name} has no invoice ${invoice}.`, { param: "invoice" });
  }
  const filter = {
    ...ofLine,
    ...(found && { organisation: found.id as OrganisationId }),
    ...(sku !== undefined && { skus: [sku] }),
    ...(from !== undefined && { fromMs: Date.parse(from) }),
    ...(until !== undefined && { untilMs: Date.parse(until) }),
  };
  return toldList(await metered(ledger, filter, page), meteredOf);
}

/** With the names of who has used it. */
async function unratedTold({ store }: OperationParts, rows: readonly UnratedRow[]) {
  const names = await organisationNames(store.db, [...new Set(rows.map(({ organisation }) => organisation))]);
  return rows.map(({ atMs, quantity, dropped, ...row }) => ({
    ...row,
    organisationName: names.get(row.organisation) ?? null,
    at: new Date(atMs).toISOString(),
    quantity: quantity === undefined ? null : quantityText(quantity),
    dropped: dropped === undefined ? null : { ...dropped, at: dropped.at.toISOString() },
  }));
}

function totalOf({ net, tax, gross, ...total }: InvoiceTotal): InvoiceTotal {
  const whole = (amount: string): string => wholeAmount(amount, total.currency);
  return { ...total, net: whole(net), tax: whole(tax), gross: whole(gross) };
}

function meteredOf({ at, ...row }: MeteredRow) {
  return { ...row, at: at.toISOString() };
}

function rateLater(
  ledger: BooksContext,
  number: number | undefined,
  text: string | undefined,
  request: string,
): ReturnType<Books["rateUnrated"]> {
  const quantity = text === undefined ? undefined : parseQuantity(text);
  const wrong = text !== undefined && (quantity === undefined || number === undefined);
  if (wrong) {
    const message = "A quantity is a decimal from 0 with at most 9 decimals, of the one usage that `number` names.";
    return Promise.resolve(refuse("invalid_request", message, { param: "quantity" }));
  }
  return rateUnrated(ledger, {
    ...(number && { number }),
    ...(quantity !== undefined && { quantity }),
    reference: `usage ${request}`,
  });
}

async function unbilledSums({ db }: BooksContext) {
  const sums = await findSums(db, { isOpen: true });
  return {
    items: sums.map(({ organisation, period, sku, quantity, events, accrued, currency }) => ({
      organisation,
      period,
      sku,
      quantity: quantityText(quantity),
      events,
      accrued: formatAmount(accrued),
      currency,
    })),
  };
}
