import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { createIds } from "../base/index.ts";
import { close, record } from "../books/index.ts";
import { taken, type TestBooks, testBooks } from "../books/testing.ts";
import { type TemporaryPostgres, temporaryPostgres } from "../store/testing.ts";
import { reportRevenue } from "./revenue.ts";

let temporary: TemporaryPostgres;

before(async () => {
  temporary = await temporaryPostgres();
});

after(() => temporary.remove());

const priced = (more: object = {}) => ({
  currency: "EUR",
  versions: [{ version: "1", effectiveFrom: "2020-01-01", prices: [{ sku: "c/x", unitPrice: "1" }] }],
  ...more,
});

/** Books on 2 April 2026. */
async function opened(context: { after(done: () => Promise<void>): void }, document: object): Promise<TestBooks> {
  const books = await testBooks(temporary);
  context.after(() => books.close());
  await books.organisation("acme");
  await books.applyPrices(document);
  return books;
}

async function use(books: TestBooks, quantity: number, time: string): Promise<void> {
  taken(await record(books, [{ id: time, customer: "acme", sku: "c/x", quantity, time }], "call"));
}

async function reported(books: TestBooks, quarter: string) {
  const revenue = { aiProducts: ["ai-inference" as const], acceleratorCostPerHour: {} };
  const parts = {
    version: "1",
    ledger: books,
    store: books,
    shipper: { caughtUp: () => Promise.resolve(true) },
    settings: { disclosure: { revenue } },
    cloud: books,
    folder: { installation: createIds(books.clock).mint("inst") },
  };
  return taken(await reportRevenue({ quarter, currency: undefined }, parts));
}

test("of a cloud that first closed March the whole first quarter is final", async (context) => {
  const books = await opened(context, priced());
  await use(books, 7, "2026-03-10T00:00:00Z");
  assert.equal((await reported(books, "2026Q1")).status, "provisional");
  taken(await close(books, "2026-03", "me"));
  const report = await reported(books, "2026Q1");
  assert.equal(report.status, "final");
  assert.equal((await reported(books, "2026Q2")).status, "provisional");
});

test("a quarter's revenue is what was used in it by the price book's clock, whichever periods are billed at once", async (context) => {
  const books = await opened(context, priced({ timeZone: "Asia/Shanghai", period: "quarter" }));
  books.clock.advance(Date.parse("2025-12-31T16:20:00Z") - books.clock.nowMs());
  await use(books, 7, "2025-12-31T16:20:00Z");
  books.clock.advance(40 * 60_000);
  await use(books, 5, "2025-12-31T15:59:59Z");
  const [before, after] = [await reported(books, "2025Q4"), await reported(books, "2026Q1")];
  const told = ({ lines, balances }: Awaited<ReturnType<typeof reported>>) => [
    lines.map(({ month, amount }) => `${month} ${amount}`),
    balances.unbilledReceivables,
  ];
  assert.deepEqual(told(before), [["2025-12 5"], "5"]);
  assert.deepEqual(told(after), [["2026-01 7"], "12"]);
});

test("a contract that ends within a month commits its customer to a part of it, also where that has no finite decimal", async (context) => {
  const version = { version: "1", effectiveFrom: "2026-03-01", effectiveTo: "2026-07-20", commitment: "1000" };
  const books = await opened(
    context,
    priced({ contracts: [{ contract: "k", customer: "acme", versions: [{ ...version, prices: [] }] }] }),
  );
  const { figures } = await reported(books, "2026Q2");
  // 19 of the 31 days of July.
  assert.equal(figures.find(({ id }) => id === "remaining-obligations")?.value, "612.903225806451612903");
});
