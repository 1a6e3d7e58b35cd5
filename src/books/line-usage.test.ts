import assert from "node:assert/strict";
import { after, before, test, type TestContext } from "node:test";
import { type TemporaryPostgres, temporaryPostgres } from "../store/testing.ts";
import { close, metered, record, usageOfLine } from "./index.ts";
import { taken, type TestBooks, testBooks } from "./testing.ts";

let temporary: TemporaryPostgres;

before(async () => {
  temporary = await temporaryPostgres();
});

after(() => temporary.remove());

const dayMs = 86_400_000;
const prices = (unitPrice: string) => [{ sku: "seats", unitPrice }];

/** Books whose list has a new version from 15 March on. */
async function opened(context: TestContext, more: object = {}): Promise<TestBooks> {
  const books = await testBooks(temporary);
  context.after(() => books.close());
  await books.organisation("acme");
  await books.applyPrices({
    currency: "EUR",
    versions: [
      { version: "1", effectiveFrom: "2026-01-01", prices: prices("1") },
      { version: "2", effectiveFrom: "2026-03-15", prices: prices("2") },
    ],
    ...more,
  });
  return books;
}

/** Each line with the usage that its link lists. */
async function linesWithUsage(books: TestBooks): Promise<string[]> {
  const rows = await books.db.selectFrom("invoices").select(["id", "period", "bill"]).orderBy("period").execute();
  const told: string[] = [];
  for (const { id, period, bill } of rows) {
    const { lines } = JSON.parse(bill) as { lines: { period: string; priceVersion: string }[] };
    for (const [at, line] of lines.entries()) {
      const question = taken(await usageOfLine(books, { invoice: id, line: String(at + 1) }));
      const { items } = taken(await metered(books, question, { limit: 10, after: undefined }));
      const ids = items.map((item) => item.id).join(" ");
      told.push(`${period}: ${line.period} at ${line.priceVersion}: ${ids}`);
    }
  }
  return told;
}

test("a line's usage is what its prices held for and what was known then, also of usage that came late", async (context) => {
  const books = await opened(context);
  const used = async (id: string, time: string) =>
    taken(await record(books, [{ id, source: "/s", customer: "acme", time, sku: "seats", quantity: 1 }], `call ${id}`));
  await used("early", "2026-03-14T23:59:59Z");
  await used("dear", "2026-03-15T00:00:00Z");
  taken(await close(books, "2026-03", "tester"));
  books.clock.advance(30 * dayMs);
  await used("late", "2026-03-20T12:00:00Z");
  await used("next", "2026-04-20T12:00:00Z");
  taken(await close(books, "2026-04", "tester"));
  books.clock.advance(30 * dayMs);
  await used("later", "2026-03-21T12:00:00Z");

  const told = await linesWithUsage(books);
  assert.deepEqual(told.toSorted(), [
    "2026-03: 2026-03 at 1: early",
    "2026-03: 2026-03 at 2: dear",
    "2026-04: 2026-03 at 2: late",
    "2026-04: 2026-04 at 2: next",
  ]);
  const { id } = await books.db.selectFrom("invoices").select("id").limit(1).executeTakeFirstOrThrow();
  const none = await usageOfLine(books, { invoice: id, line: "3" });
  assert.ok("outcome" in none && none.code === "not_found");
});

test("a new version of the list parts no line of what a contract prices: its usage is all that it bills", async (context) => {
  const books = await opened(context, {
    contracts: [
      {
        contract: "k",
        customer: "acme",
        versions: [{ version: "1", effectiveFrom: "2026-01-01", prices: prices("0.5") }],
      },
    ],
  });
  for (const time of ["2026-03-14T23:59:59Z", "2026-03-15T00:00:00Z"]) {
    const used = { id: time.slice(8, 10), source: "/s", customer: "acme", time, sku: "seats", quantity: 1 };
    taken(await record(books, [used], `call ${time}`));
  }
  taken(await close(books, "2026-03", "tester"));
  assert.deepEqual(await linesWithUsage(books), ["2026-03: 2026-03 at k/1: 14 15"]);
});
