import { type Clock, refuse } from "../../base/index.ts";
import type { LedgerTransaction, Metered, PriceBook } from "./books-wire.ts";
import { paged } from "./fake-pages.ts";
import { instantOf } from "./fields.ts";
import type { BooksOperations } from "./operations.ts";
import type { Version } from "./wire.ts";

/** Books in memory in which nothing costs anything: for tests of what asks for them. */
export function createFakeBooks(clock: Clock): BooksOperations {
  const books: PriceBook[] = [
    { version: 0, sha256: "0".repeat(64), by: null, at: null, note: null, document: {}, customers: {}, warnings: [] },
  ];
  const records = new Map<string, string>();
  const metered: Metered[] = [];
  const transactions: LedgerTransaction[] = [fakeTransaction];
  return {
    showPriceBook: (version) => Promise.resolve(books.at(version ?? -1) ?? refuse("not_found", "There is none.")),
    applyPriceBook: ({ basedOn, document, note = null, by }) => {
      if (basedOn !== books.length - 1) {
        return Promise.resolve(refuse("version_conflict", "Another one was applied.", { param: "basedOn" }));
      }
      const at = instantOf(clock.nowMs());
      books.push({ ...books[0]!, version: books.length, by, at, note: note ?? null, document });
      return Promise.resolve(books.at(-1)!);
    },
    priceBookHistory: (page) => Promise.resolve(paged<Version>(books.slice(1).toReversed(), page)),
    recordUsage: (told) => {
      const before = records.size;
      for (const record of told as readonly { id: string; sku?: string; quantity?: string | number }[]) {
        const body = JSON.stringify(record);
        const known = records.get(record.id);
        if (known !== undefined && known !== body) {
          return Promise.resolve(refuse("usage_conflict", "It was told before.", { param: record.id }));
        }
        if (known === undefined) metered.push(meteredOf(record, instantOf(clock.nowMs())));
        records.set(record.id, body);
      }
      const accepted = records.size - before;
      return Promise.resolve({ accepted, duplicates: told.length - accepted, unrated: 0, late: 0, warnings: [] });
    },
    metered: (_, page) => Promise.resolve(paged(metered, page)),
    toldUsage: (_, page) =>
      Promise.resolve(
        paged(
          metered.map(({ sku, quantity }) => ({
            organisation: "acme",
            sku: sku ?? "",
            records: 1,
            quantity: quantity ?? "0",
            uncounted: quantity === null ? 1 : 0,
          })),
          page,
        ),
      ),
    unrated: (_, page) => Promise.resolve(paged([], page)),
    dropUnrated: () => Promise.resolve(refuse("not_found", "Nothing unrated has that number.", { param: "number" })),
    rateUnrated: () => Promise.resolve({ rated: 0, left: 0 }),
    periods: () =>
      Promise.resolve({
        items: [
          {
            period: "2026-03",
            startsAt: "2026-03-01T00:00:00.000Z",
            endsAt: "2026-04-01T00:00:00.000Z",
            state: "open",
            closedAt: null,
            closedBy: null,
          },
        ],
      }),
    close: (period, _, by) =>
      Promise.resolve({
        period,
        closedAt: instantOf(clock.nowMs()),
        closedBy: by,
        invoices: 0,
        totals: [],
        warnings: [],
      }),
    accounts: () => Promise.resolve({ items: [{ account: "receivables", kind: "asset" }] }),
    trialBalance: () =>
      Promise.resolve({
        until: null,
        rows: [
          { account: "receivables", kind: "asset", currency: "EUR", debit: "1.5", credit: "0", balance: "1.5" },
          { account: "revenue/other", kind: "income", currency: "EUR", debit: "0", credit: "1.5", balance: "-1.5" },
        ],
        totals: [{ currency: "EUR", debit: "1.5", credit: "1.5" }],
      }),
    transactions: (_, page) => Promise.resolve(paged(transactions, page)),
    why: (posting) => {
      const found = fakeTransaction.postings.find((each) => each.posting === posting);
      if (found === undefined) return Promise.resolve(refuse("not_found", "There is none."));
      const { postings: _, ...transaction } = fakeTransaction;
      return Promise.resolve({
        posting: found,
        transaction,
        invoice: null,
        payment: null,
        lines: [],
        sums: [],
        requests: metered,
        records: [],
      });
    },
    invoices: (_, page) => Promise.resolve(paged([], page)),
    showInvoice: () => Promise.resolve(refuse("not_found", "There is none.")),
    preview: () => Promise.resolve(refuse("not_found", "There is none.")),
    finalize: () => Promise.resolve(refuse("not_found", "There is none.")),
    finalizePeriod: () => Promise.resolve({ issued: [], refused: [], refusals: 0, before: 0 }),
    documents: (_, page) => Promise.resolve(paged([], page)),
    credit: () => Promise.resolve(refuse("not_found", "There is none.")),
    makeVoid: () => Promise.resolve(refuse("not_found", "There is none.")),
    pay: () => Promise.resolve(refuse("not_found", "There is none.")),
    refund: () => Promise.resolve(refuse("not_found", "There is none.")),
    showParty: () => Promise.resolve({ party: null }),
    setParty: (_, party) => Promise.resolve({ party }),
    unbilled: () => Promise.resolve({ items: [] }),
  };
}

const fakeTransaction: LedgerTransaction = {
  number: 1,
  kind: "bill",
  period: "2026-03",
  at: "2026-03-31T23:59:59.999Z",
  date: "2026-03-31",
  reference: "inv_00000000000000000000000000",
  documentNumber: null,
  postings: [
    {
      posting: "1.1",
      account: "receivables",
      organisation: "org_00000000000000000000000000",
      organisationName: "acme",
      currency: "EUR",
      amount: "1.5",
    },
    {
      posting: "1.2",
      account: "revenue/other",
      organisation: "org_00000000000000000000000000",
      organisationName: "acme",
      currency: "EUR",
      amount: "-1.5",
    },
  ],
};

function meteredOf(
  { id, sku = "other", quantity }: { id: string; sku?: string; quantity?: string | number },
  at: string,
): Metered {
  return {
    source: "",
    id,
    organisation: "org_00000000000000000000000000",
    organisationName: "acme",
    at,
    isBatch: false,
    receipt: null,
    sku,
    quantity: String(quantity ?? 0),
    model: null,
    isEmbedding: false,
    inputTokens: null,
    cachedInputTokens: null,
    outputTokens: null,
    reasoningTokens: null,
  };
}
