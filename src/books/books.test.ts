import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type TemporaryPostgres, temporaryPostgres } from "../store/testing.ts";
import { close, record } from "./index.ts";
import { taken, testBooks } from "./testing.ts";

let temporary: TemporaryPostgres;

before(async () => {
  temporary = await temporaryPostgres();
});

after(() => temporary.remove());

const golden = {
  currency: "CNY",
  versions: [
    {
      version: "2026",
      effectiveFrom: "2026-01-01",
      prices: [
        { sku: "m/input-tokens", unitPrice: "0.0000008" },
        { sku: "m/cached-read-tokens", unitPrice: "0.00000016" },
        { sku: "m/output-tokens", unitPrice: "0.000002" },
        { sku: "h800/accelerator-seconds", unitPrice: "0.0055" },
      ],
    },
  ],
  jurisdiction: "CN",
  taxes: [{ jurisdiction: "CN", percent: 6 }],
};

const goldenUsage = (customer: string) =>
  [
    ["m/input-tokens", 1_000_000_001],
    ["m/cached-read-tokens", 234_567_890],
    ["m/output-tokens", 300_000_007],
    ["h800/accelerator-seconds", 86_400],
  ].map(([sku, quantity], index) => ({
    id: String(index),
    source: "/s",
    customer,
    time: "2026-03-10T12:00:00Z",
    sku,
    quantity,
  }));

test("golden A: usage is accrued to the last decimal, and closing the month posts what the invoice says", async (context) => {
  const books = await testBooks(temporary);
  context.after(() => (books.prices.close(), books.store.close()));
  await books.organisation("acme");
  await books.applyPrices(golden);
  assert.deepEqual(taken(await record(books, goldenUsage("acme"), "call")), { accepted: 4, duplicates: 0 });
  assert.deepEqual(taken(await record(books, goldenUsage("acme"), "call")), { accepted: 0, duplicates: 4 });
  assert.deepEqual(await books.balances(), {
    "revenue/accelerator-time CNY": "-475.2",
    "revenue/ai-inference CNY": "-1437.5308772",
    "unbilled-receivables CNY": "1912.7308772",
  });
  const closed = taken(await close(books, "2026-03", "tester"));
  assert.deepEqual(closed.totals, [
    { currency: "CNY", invoices: 1, net: "1912.73", tax: "114.76", gross: "2027.49", residual: "0.0008772" },
  ]);
  assert.deepEqual(taken(await close(books, "2026-03", "another")), closed);
  const postings = await books.db
    .selectFrom("ledgerPostings")
    .innerJoin("ledgerTransactions", "number", "transaction")
    .select(["account", "amount"])
    .where("kind", "=", "bill")
    .orderBy("line")
    .execute();
  assert.deepEqual(
    postings.map(({ account, amount }) => `${account} ${Number(amount)}`),
    [
      "receivables 2027.49",
      "revenue/accelerator-time -475.2",
      "revenue/ai-inference -1437.53",
      "tax-payable/CN -114.76",
    ],
  );
  assert.deepEqual(await books.balances(), {
    "receivables CNY": "2027.49",
    "revenue/accelerator-time CNY": "-475.2",
    "revenue/ai-inference CNY": "-1437.5308772",
    "rounding-residual CNY": "0.0008772",
    "tax-payable/CN CNY": "-114.76",
    "unbilled-receivables CNY": "0",
  });
});
