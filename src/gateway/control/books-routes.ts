import { z } from "zod";
import {
  accounts,
  closedPeriod,
  documentKind,
  finalized,
  issuedDocument,
  issuedDocuments,
  party,
  unbilledRows,
  invoices,
  meteredRows,
  periods,
  previewed,
  priceBook,
  ratedLater,
  reasons,
  recorded,
  settled,
  toldRows,
  transactions,
  trialBalance,
  unrated as unratedRow,
  unratedRows,
  wholeInvoice,
} from "./books-wire.ts";
import { day, decimal, instant, isOneLine, notOneLine, oneLine, page, pageOf, reference, words } from "./fields.ts";
import type { Asker } from "./access.ts";
import { refuse, type Refusal } from "../../base/index.ts";
import type { BooksOperations } from "./operations.ts";
import { route, type Route } from "./route.ts";
import { versions } from "./wire.ts";

const operator = { permission: "operator" } as const;
const versionNumber = z.int().min(0).max(1_000_000_000);

/** What usage costs, what was used elsewhere, and the ledger of both. */
export function booksRoutes(books: BooksOperations): readonly Route[] {
  return [
    ...priceBookRoutes(books),
    ...usageRoutes(books),
    ...ledgerRoutes(books),
    ...invoiceRoutes(books),
    ...partyRoutes(books),
  ];
}

function priceBookRoutes(books: BooksOperations): readonly Route[] {
  const shared = { ...operator, group: "Price book" } as const;
  return [
    route(
      {
        ...shared,
        method: "GET",
        path: "/price-book",
        name: "showPriceBook",
        summary: "Shows the price book.",
        query: z.strictObject({
          version: z.coerce
            .number()
            .pipe(versionNumber.min(1))
            .optional()
            .meta({ description: "Left out: the one that holds." }),
        }),
        answer: priceBook,
      },
      ({ query }) => books.showPriceBook(query.version),
    ),
    route(
      {
        ...shared,
        method: "PUT",
        path: "/price-book",
        name: "applyPriceBook",
        summary:
          "Applies a price book, whole; it holds within a second, for bills and for what requests are listed at. Customers are organisations, by name or id. Refused where another version was applied since `basedOn`, where it is not valid, and where something that was used already would cost something else: new prices begin later.",
        body: z.strictObject({
          basedOn: versionNumber.meta({
            description: "The newest version that this was made from; 0: there was none.",
          }),
          note: words.optional().meta({ description: "What it is for." }),
          document: z.record(z.string().max(200), z.unknown()).meta({ description: "The price book." }),
        }),
        answer: priceBook,
      },
      ({ body, asker }) => books.applyPriceBook({ ...body, by: asker.name }),
    ),
    route(
      {
        ...shared,
        method: "GET",
        path: "/price-book/history",
        name: "listPriceBookVersions",
        summary: "Lists the versions of the price book, the newest first.",
        query: z.strictObject(page),
        answer: versions,
      },
      ({ query }) => books.priceBookHistory(pageOf(query)),
    ),
  ];
}

const recordMembers = z.record(z.string().max(200), z.unknown());
/** One record or several; each is a usage record or a CloudEvent. */
const told = z
  .union([recordMembers, z.array(recordMembers).min(1).max(10_000)])
  .transform((body) => ({ records: Array.isArray(body) ? body : [body] }));

const invoiceName = z.string().max(100).meta({ description: "Its id, or the number under which it was issued." });

function usageRoutes(books: BooksOperations): readonly Route[] {
  const shared = { ...operator, group: "Usage" } as const;
  return [
    route(
      {
        ...shared,
        method: "POST",
        path: "/usage",
        name: "recordUsage",
        summary:
          "Takes what other services have metered: a record or a CloudEvent, or a list of them (`application/json`, `application/cloudevents+json`, `application/cloudevents-batch+json`; or one CloudEvent in binary mode, whose attributes are `ce-` headers), as usage files have them (rate.md); `customer` is an organisation's name or id. All of it is taken or none. The same (organisation, source, id) counts once, for ever: told again it is a duplicate, and with another body it is refused.",
        body: told,
        answer: recorded,
      },
      ({ body, request }) => books.recordUsage(body.records, request),
    ),
    route(
      {
        ...shared,
        permission: "tenant:audit",
        method: "GET",
        path: "/usage/metered",
        name: "listMeteredUsage",
        summary:
          "Lists what was metered, one by one: requests that were served, then records of other services; with `invoice` and `line` what a line is the price of. A key sees its own organisation's, if it reaches all of its projects.",
        query: z.strictObject({
          ...page,
          organisation: reference.optional(),
          sku: z.string().max(300).optional().meta({ description: "This one; of requests, its model." }),
          from: instant.optional(),
          until: instant.optional(),
          invoice: invoiceName.optional(),
          line: z
            .string()
            .regex(/^[1-9]\d{0,5}$/, "a line's number")
            .optional()
            .meta({
              description:
                "Of `invoice`: the usage that this line is the price of, as it was known when the bill was made.",
            }),
        }),
        answer: meteredRows,
      },
      async ({ query, asker }) => {
        const { sku, from, until, invoice, line } = query;
        const whose = ownUsage(asker, query.organisation);
        if (typeof whose === "object") return whose;
        return books.metered({ organisation: whose, sku, from, until, invoice, line }, pageOf(query));
      },
    ),
    route(
      {
        ...shared,
        method: "GET",
        path: "/usage/told",
        name: "listToldUsage",
        summary:
          "Adds up what other services have told, by organisation and SKU: requests that were served are not in it.",
        query: z.strictObject({
          ...page,
          organisation: reference.optional(),
          from: day.optional(),
          to: day.optional(),
        }),
        answer: toldRows,
      },
      ({ query: { organisation, from, to, ...rest } }) => books.toldUsage({ organisation, from, to }, pageOf(rest)),
    ),
    route(
      {
        ...shared,
        method: "GET",
        path: "/usage/unbilled",
        name: "listUnbilledUsage",
        summary: "Lists the sums of usage that is rated and on no invoice yet: those of open periods.",
        answer: unbilledRows,
      },
      () => books.unbilled(),
    ),
    route(
      {
        ...shared,
        method: "GET",
        path: "/usage/unrated",
        name: "listUnratedUsage",
        summary:
          "Lists usage that has no price, or whose quantity nobody knows, the oldest first. It is on no invoice.",
        query: z.strictObject({
          ...page,
          dropped: z.stringbool().optional().meta({ description: "True: what was written off, and will be on none." }),
        }),
        answer: unratedRows,
      },
      ({ query }) => books.unrated({ isDropped: query.dropped ?? false }, pageOf(query)),
    ),
    route(
      {
        ...shared,
        method: "POST",
        path: "/usage/unrated/drop",
        name: "dropUnratedUsage",
        summary: "Writes off one unrated usage, for a reason: it will be on no invoice, and is listed as dropped.",
        body: z.strictObject({
          number: z.int().min(1),
          reason: z.string().trim().min(1).max(500).meta({ description: "For whoever looks for it later." }),
        }),
        answer: unratedRow,
      },
      ({ body, asker }) => books.dropUnrated({ ...body, by: asker.name }),
    ),
    route(
      {
        ...shared,
        method: "POST",
        path: "/usage/unrated/rate",
        name: "rateUnratedUsage",
        summary:
          "Rates what has a price by now. `quantity`: of the one that `number` names, where nobody had counted; 0: nothing of it is billed. Where somebody had, a quantity is refused.",
        body: z.strictObject({ number: z.int().min(1).optional(), quantity: decimal.optional() }),
        answer: ratedLater,
      },
      ({ body, request }) => books.rateUnrated(body, request),
    ),
  ];
}

const periodName = z
  .string()
  .regex(/^\d{4}(-Q[1-4]|-(0[1-9]|1[0-2]))?$/, "a period such as 2026-03")
  .meta({ description: "As the price book has them: 2026-03, 2026-Q1 or 2026." });

function ledgerRoutes(books: BooksOperations): readonly Route[] {
  const shared = { ...operator, group: "Ledger" } as const;
  return [
    route(
      {
        ...shared,
        method: "GET",
        path: "/ledger/periods",
        name: "listLedgerPeriods",
        summary: "Lists the periods in which something was posted.",
        answer: periods,
      },
      () => books.periods(),
    ),
    route(
      {
        ...shared,
        method: "POST",
        path: "/ledger/periods/:period/close",
        name: "closeLedgerPeriod",
        summary:
          "Closes a period that is over, for ever: its usage becomes draft invoices, and nothing is posted into it any more. One after the other, the earliest first; one that is closed answers as it did.",
        params: z.strictObject({ period: periodName }),
        query: z.strictObject({
          empty: z.stringbool().optional().meta({
            description:
              "True: also where no period was closed before, and nothing is in the books until the end of this one; else that is refused (`period_empty`).",
          }),
        }),
        answer: closedPeriod,
      },
      ({ params, query, asker }) => books.close(params.period, query.empty ?? false, asker.name),
    ),
    route(
      {
        ...shared,
        method: "GET",
        path: "/ledger/accounts",
        name: "listAccounts",
        summary: "Lists the chart of accounts.",
        answer: accounts,
      },
      () => books.accounts(),
    ),
    route(
      {
        ...shared,
        method: "GET",
        path: "/ledger/trial-balance",
        name: "showTrialBalance",
        summary: "What each account has in each currency; debits and credits are the same.",
        query: z.strictObject({ period: periodName.optional().meta({ description: "Up to its end; left out: all." }) }),
        answer: trialBalance,
      },
      ({ query }) => books.trialBalance(query.period),
    ),
    route(
      {
        ...shared,
        method: "GET",
        path: "/ledger/transactions",
        name: "listTransactions",
        summary: "Lists the ledger's transactions with their postings, in their order.",
        query: z.strictObject({ ...page, period: periodName.optional() }),
        answer: transactions,
      },
      ({ query }) => books.transactions({ period: query.period }, pageOf(query)),
    ),
    route(
      {
        ...shared,
        method: "GET",
        path: "/ledger/postings/:posting/why",
        name: "explainPosting",
        summary:
          "Goes back from a posting to the invoice's lines, the sums of usage, and the requests with their receipts.",
        params: z.strictObject({ posting: z.string().max(40) }),
        answer: reasons,
      },
      ({ params }) => books.why(params.posting),
    ),
  ];
}

/** A key sees its own organisation's, whatever it names; records of other services belong to no project. */
function ownUsage(asker: Asker, organisation: string | undefined): string | undefined | Refusal {
  if (asker.kind !== "key") return organisation;
  if (asker.isForOrganisation) return asker.organisation;
  return refuse("key_not_permitted", "Usage is told to a key that reaches all projects of its organisation.");
}

function invoiceRoutes(books: BooksOperations): readonly Route[] {
  const shared = { ...operator, group: "Invoices" } as const;
  const params = z.strictObject({ invoice: invoiceName });
  return [
    route(
      {
        ...shared,
        method: "GET",
        path: "/invoices",
        name: "listInvoices",
        summary: "Lists invoices of usage and of credits that were bought, the oldest first.",
        query: z.strictObject({ ...page, organisation: reference.optional(), period: periodName.optional() }),
        answer: invoices,
      },
      ({ query }) => books.invoices({ organisation: query.organisation, period: query.period }, pageOf(query)),
    ),
    route(
      {
        ...shared,
        method: "GET",
        path: "/invoices/:invoice",
        name: "showInvoice",
        summary: "Shows an invoice with its lines.",
        params,
        answer: wholeInvoice,
      },
      ({ params }) => books.showInvoice(params.invoice),
    ),
    route(
      {
        ...shared,
        method: "GET",
        path: "/invoices/:invoice/preview",
        name: "previewInvoice",
        summary:
          "Shows what a draft would say if it became final now, as far as that is known, without a number. Nothing is taken or changed by it; what is final has no preview (`invoice_state`).",
        params,
        answer: previewed,
      },
      ({ params }) => books.preview(params.invoice),
    ),
    route(
      {
        ...shared,
        method: "POST",
        path: "/invoices/:invoice/finalize",
        name: "finalizeInvoice",
        summary:
          "Makes a draft final, under the next number of its series; one that is final answers as it did. Where something is missing (`invoice_incomplete`) no number is taken.",
        params,
        answer: issuedDocument,
      },
      ({ params, asker }) => books.finalize(params.invoice, asker.name),
    ),
    route(
      {
        ...shared,
        method: "POST",
        path: "/ledger/periods/:period/finalize",
        name: "finalizePeriod",
        summary: "Makes a period's drafts final, each that can be.",
        params: z.strictObject({ period: periodName }),
        answer: finalized,
      },
      ({ params, asker }) => books.finalizePeriod(params.period, asker.name),
    ),
    route(
      {
        ...shared,
        method: "GET",
        path: "/invoice-documents",
        name: "listInvoiceDocuments",
        summary: "Lists invoices and credit notes as they were issued, by seller and number.",
        query: z.strictObject({
          ...page,
          invoice: z.string().max(100).optional().meta({ description: "This one, and its credit notes." }),
          number: z.string().max(100).optional(),
          period: periodName.optional(),
          billedIn: periodName.optional().meta({
            description:
              "Invoices of usage of this period, and credit notes and purchases of credits that were issued in it.",
          }),
          kind: documentKind.optional(),
        }),
        answer: issuedDocuments,
      },
      ({ query }) => {
        const { invoice, number, period, billedIn, kind } = query;
        return books.documents({ invoice, number, period, billedIn, kind }, pageOf(query));
      },
    ),
    ...correctingRoutes(books),
  ];
}

const reason = z
  .string()
  .trim()
  .min(1)
  .max(500)
  .refine(isOneLine, notOneLine)
  .meta({ description: "For whoever reads the credit note." });

const ownId = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._:/-]{0,99}$/, "1 to 100 letters, digits and . _ : / -")
  .meta({ description: "The asker's own, so that a call may be repeated: done once, another body is 409." });

const settlement = {
  id: ownId.optional(),
  amount: decimal.optional(),
  date: day
    .optional()
    .meta({ description: "The day on which the money moved, by the price book's clock; left out: today." }),
};

function correctingRoutes(books: BooksOperations): readonly Route[] {
  const shared = { ...operator, group: "Invoices" } as const;
  const params = z.strictObject({ invoice: invoiceName });
  return [
    route(
      {
        ...shared,
        method: "POST",
        path: "/invoices/:invoice/credits",
        name: "creditInvoice",
        summary:
          "Takes a part of an invoice back, with its tax, by a numbered credit note: it is posted into the period that is open, and the invoice stays as it is. Either `account` and `net`, or `lines`; neither: all that is left. At most what is left. A purchase goes back as a whole, with its credits, while none of them were used. The same `id` is credited once.",
        params,
        body: z.strictObject({
          id: ownId.optional(),
          reason,
          account: oneLine(100).optional().meta({ description: "Such as `revenue/ai-inference`." }),
          net: decimal.optional(),
          lines: z
            .array(z.strictObject({ line: oneLine(20), amount: decimal }))
            .min(1)
            .max(10_000)
            .optional(),
        }),
        answer: issuedDocument,
      },
      ({ params, body, asker }) => {
        const { id, account, net, lines } = body;
        return books.credit({ id, invoice: params.invoice, reason: body.reason, account, net, lines }, asker.name);
      },
    ),
    route(
      {
        ...shared,
        method: "POST",
        path: "/invoices/:invoice/void",
        name: "voidInvoice",
        summary:
          "Takes an invoice of which nothing is paid back as a whole, by a credit note of all that is left; nobody pays it any more. One that is void answers as it did.",
        params,
        body: z.strictObject({ reason }),
        answer: issuedDocument,
      },
      ({ params, body, asker }) => books.makeVoid({ invoice: params.invoice, reason: body.reason }, asker.name),
    ),
    route(
      {
        ...shared,
        method: "POST",
        path: "/invoices/:invoice/payment",
        name: "payInvoice",
        summary:
          "Notes that what is open of a final invoice has been paid, or `amount` of it (`payment_exceeds_invoice`): it is posted into the period that is open, and the invoice is paid once nothing is open. One that is paid answers as it did without an `amount`; the same `id` is noted once.",
        params,
        body: z.strictObject(settlement).default({}),
        answer: settled,
      },
      ({ params, body, asker }) => books.pay({ ...body, invoice: params.invoice }, asker.name),
    ),
    route(
      {
        ...shared,
        method: "POST",
        path: "/invoices/:invoice/refund",
        name: "refundInvoice",
        summary:
          "Notes what went back to the customer: what credit notes left owed of what was paid, or `amount` of it (`refund_exceeds_invoice`); or, with `payment`, a payment that did not last, as a whole: what it had paid is open again. The same `id` is noted once.",
        params,
        body: z
          .strictObject({
            ...settlement,
            payment: ownId.optional().meta({ description: "Which payment did not last." }),
          })
          .default({}),
        answer: settled,
      },
      ({ params, body, asker }) => books.refund({ ...body, invoice: params.invoice }, asker.name),
    ),
  ];
}

function partyRoutes(books: BooksOperations): readonly Route[] {
  const shared = { ...operator, group: "Invoices" } as const;
  const params = z.strictObject({ organisation: reference });
  const answer = z.object({ party: party.nullable() });
  return [
    route(
      {
        ...shared,
        method: "GET",
        path: "/organisations/:organisation/party",
        name: "showParty",
        summary: "Shows who an organisation is on its invoices.",
        params,
        answer,
      },
      ({ params }) => books.showParty(params.organisation),
    ),
    route(
      {
        ...shared,
        method: "PUT",
        path: "/organisations/:organisation/party",
        name: "setParty",
        summary: "Says who an organisation is, for invoices that are issued from here on.",
        hidesBody: true,
        params,
        body: z.record(z.string().max(200), z.unknown()),
        answer,
      },
      ({ params, body, asker }) => books.setParty(params.organisation, body, asker.name),
    ),
  ];
}
