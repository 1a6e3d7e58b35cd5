import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test, type TestContext } from "node:test";
import { billsOf, ratedUsage, readBook, UsageSums } from "../ledger/index.ts";
import { recordOf, UsageFile } from "../metering/index.ts";
import type { MeteredRow } from "../store/index.ts";
import { type TemporaryPostgres, temporaryPostgres } from "../store/testing.ts";
import { applyPriceBook, close, metered, record, showPriceBook } from "./index.ts";
import { settlementOf, shipServed, recorded, taken, type TestBooks, testBooks } from "./testing.ts";

let temporary: TemporaryPostgres;

before(async () => {
  temporary = await temporaryPostgres();
});

after(() => temporary.remove());

async function opened(context: TestContext): Promise<TestBooks> {
  const books = await testBooks(temporary);
  context.after(() => books.close());
  return books;
}

const priced = {
  currency: "EUR",
  versions: [
    {
      version: "1",
      effectiveFrom: "2026-01-01",
      prices: ["input", "cached-read", "output", "reasoning"].map((kind) => ({
        sku: `m/${kind}-tokens`,
        unitPrice: "0.01",
      })),
    },
  ],
};

const tokens = { inputTokens: 30, cachedInputTokens: 10, outputTokens: 5, reasoningTokens: 2 };

const servedAtMs = Date.parse("2026-03-10T12:00:00.123Z");

/** Requests of a gateway, as its shipment brings them into the books; null: nobody has counted. */
async function serve(
  books: TestBooks,
  { organisation, usages }: { readonly organisation: string; readonly usages: readonly (typeof tokens | null)[] },
): Promise<void> {
  const served = usages.map((usage) => settlementOf(books, { organisation, model: "m", atMs: servedAtMs, usage }));
  await shipServed(books, served, { from: undefined, to: { segment: 1, offset: 9 } });
}

/** What an export has of it. */
async function exported(books: TestBooks) {
  const rows: MeteredRow[] = [];
  for (let after: string | undefined, isMore = true; isMore; isMore = after !== undefined) {
    const { items, next } = taken(await metered(books, {}, { limit: 100, after }));
    rows.push(...items);
    after = next ?? undefined;
  }
  return rows.map(({ at, ...row }) => recordOf([{ ...row, at: at.toISOString() }]));
}

/** As `rate` bills what an export has, by the price book that is shown. */
async function rated(books: TestBooks, context: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), "bailiwick-again-"));
  context.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "usage");
  writeFileSync(path, (await exported(books)).map((each) => `${JSON.stringify(each)}\n`).join(""));
  const read = readBook(taken(await showPriceBook(books)).document);
  assert.ok(read.outcome === "read");
  const { book } = read;
  const sums = new UsageSums(book);
  const isNamed = (customer: string): boolean => book.contracts.has(customer) || book.customers.has(customer);
  const usage = new UsageFile(path, (midnightMs) => book.calendar.instantMs(midnightMs), isNamed);
  await usage.read((event) => sums.add(event));
  return ratedUsage(sums, billsOf(sums, {}));
}

test("what was served here and is told again, as an export has it, is billed once", async (context) => {
  const books = await opened(context);
  const acme = await books.organisation("acme");
  await books.applyPrices(priced);
  await serve(books, { organisation: acme, usages: [tokens, tokens, null] });
  const [balances, told] = [await books.balances(), await exported(books)];
  assert.equal(told.length, 3);
  assert.deepEqual(taken(await record(books, told, "import")), recorded(0, 3));
  assert.deepEqual(await books.balances(), balances);
  // Another gateway's are another installation's: they were never billed here.
  const foreign = told.map((each) => ({ ...each, source: "gw_B" }));
  assert.deepEqual(taken(await record(books, foreign, "import")), recorded(3, 0, { unrated: 1 }));
});

test("nobody tells in a gateway's name what it has not served, or has served otherwise", async (context) => {
  const books = await opened(context);
  const acme = await books.organisation("acme");
  const b = await books.organisation("b");
  await books.applyPrices(priced);
  await serve(books, { organisation: acme, usages: [tokens] });
  const [served] = await exported(books);
  for (const differing of [{ inputTokens: 31 }, { organisation: b }]) {
    const refused = await record(books, [{ ...served, ...differing }], "call");
    assert.equal("code" in refused && refused.code, "usage_conflict");
  }
  const invented = await record(books, [{ ...served, id: "req_0" }], "call");
  assert.match(
    JSON.stringify(invented),
    /record 1: source gw_A is a gateway of this cloud, and has served no request req_0/,
  );
});

const told = (customer: string, quantity: number) => ({
  id: customer,
  source: "/s",
  customer,
  time: "2026-03-10T12:00:00Z",
  sku: "m/input-tokens",
  quantity,
});

test("what is exported is rated to the cent as the close bills it, with contracts, currencies and reverse charge", async (context) => {
  const books = await opened(context);
  const acme = await books.organisation("acme");
  const tokyo = await books.organisation("tokyo");
  for (const name of ["globex", "plain"]) await books.organisation(name);
  const document = {
    ...priced,
    contracts: [
      {
        contract: "a",
        customer: "acme",
        versions: [{ version: "1", effectiveFrom: "2026-01-01", discountPercent: 50 }],
      },
      {
        contract: "t",
        // By its id: exports have that too.
        customer: tokyo,
        currency: "JPY",
        versions: [{ version: "1", effectiveFrom: "2026-01-01", prices: [{ sku: "m/input-tokens", unitPrice: "3" }] }],
      },
    ],
    jurisdiction: "FR",
    taxes: [{ jurisdiction: "FR", percent: 20 }],
    customers: [{ customer: "globex", jurisdiction: "DE", reverseCharge: true }],
  };
  taken(await applyPriceBook(books, { basedOn: 0, document, by: "me" }));
  await serve(books, { organisation: acme, usages: [tokens] });
  const records = ["acme", "globex", "tokyo", "plain"].map((customer, index) => told(customer, 1_001 * (index + 1)));
  taken(await record(books, records, "call"));
  const { totals } = await rated(books, context);
  const closed = taken(await close(books, "2026-03", "me")).totals;
  const sums = (some: typeof totals | typeof closed) =>
    new Set(some.map(({ currency, net, tax, gross }) => [currency, ...[net, tax, gross].map(Number)].join(" ")));
  assert.equal(closed.length, 2);
  assert.deepEqual(sums(totals), sums(closed));
});

test("what was exported is known again, whatever its organisation is called by now", async (context) => {
  const books = await opened(context);
  const acme = await books.organisation("acme");
  await books.applyPrices(priced);
  taken(await record(books, [told("acme", 5)], "call"));
  const before = await exported(books);
  await books.db
    .updateTable("organisations")
    .set({ name: "acme-2" })
    .where("id", "=", acme as never)
    .execute();
  const other = books.ids.mint("org");
  await books.db
    .insertInto("organisations")
    .values({ id: other, name: "acme", createdAt: new Date(books.clock.nowMs()) })
    .execute();
  assert.deepEqual(taken(await record(books, before, "import")), recorded(0, 1));
  // Another installation's id says nothing here: its customer is who is called so.
  const foreign = before.map((each) => ({ ...each, organisation: "org_elsewhere", source: "/t" }));
  assert.deepEqual(taken(await record(books, foreign, "import")), recorded(1, 0));
});
