import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { OrganisationId } from "../base/index.ts";
import { goldenBuyer, goldenIssuer } from "../invoicing/testing.ts";
import { type TemporaryPostgres, temporaryPostgres } from "../store/testing.ts";
import type { BooksContext } from "./context.ts";
import { applyParty, close, credit, finalize, makeVoid, record, trialBalance } from "./index.ts";
import { taken, type TestBooks, testBooks } from "./testing.ts";

let temporary: TemporaryPostgres;

before(async () => {
  temporary = await temporaryPostgres();
});

after(() => temporary.remove());

const priced = (contracts: readonly object[] = [], more: object = {}) => ({
  currency: "EUR",
  versions: [{ version: "1", effectiveFrom: "2020-01-01", prices: [{ sku: "c/x", unitPrice: "1" }] }],
  contracts,
  ...more,
});

/** Books on 2 April 2026. */
async function opened(
  context: { after(done: () => Promise<void>): void },
  document: object = priced(),
): Promise<TestBooks> {
  const books = await testBooks(temporary);
  context.after(() => books.close());
  await books.organisation("acme");
  await books.applyPrices(document);
  return books;
}

let count = 0;

async function use(books: TestBooks, quantity: number, time: string): Promise<void> {
  const id = String((count += 1));
  taken(await record(books, [{ id, customer: "acme", sku: "c/x", quantity, time }], "call"));
}

/** What is said of closing a period; nothing, where it was closed. */
async function refusedTo(books: TestBooks, period: string): Promise<string | undefined> {
  const outcome = await close(books, period, "me");
  return "code" in outcome ? `${outcome.code}: ${outcome.message}` : undefined;
}

test("the first period to close is the one in which somebody committed to something first, and none is left behind it", async (context) => {
  const contract = {
    contract: "c",
    customer: "acme",
    versions: [{ version: "1", effectiveFrom: "2026-01-01", effectiveTo: "2027-01-01", commitment: "1000" }],
  };
  const books = await opened(context, priced([contract]));
  await use(books, 1, "2026-03-10T00:00:00Z");
  for (const period of ["2026-03", "2026-02", "2025-12", "1970-01"]) {
    assert.match(
      (await refusedTo(books, period))!,
      /^period_out_of_turn: 2026-01 is the first period to close: a contract/,
    );
  }
  for (const period of ["2026-01", "2026-02", "2026-03"]) assert.equal(await refusedTo(books, period), undefined);
  const nets = await books.db.selectFrom("invoices").select("net").execute();
  assert.deepEqual(
    nets.map(({ net }) => Number(net)),
    [1000, 1000, 1000],
  );
});

test("the first period to close is the one that the books begin with, or the last one that is over", async (context) => {
  const empty = await opened(context);
  assert.match((await refusedTo(empty, "2026-02"))!, /^period_out_of_turn: 2026-03 is the first period to close/);
  assert.match((await refusedTo(empty, "1970-01"))!, /^period_out_of_turn: 2026-03 is the first period to close/);
  const books = await opened(context);
  await use(books, 1, "2026-02-10T00:00:00Z");
  assert.match((await refusedTo(books, "2026-01"))!, /2026-02 is the first period to close: the books begin with it/);
  assert.match((await refusedTo(books, "2026-03"))!, /2026-02 is the first period to close/);
  assert.equal(await refusedTo(books, "2026-02"), undefined);
});

test("the first period is closed with nothing in it only where that is meant, and says what that means", async (context) => {
  const books = await opened(context);
  // What is unrated is not posted, and not to be lost either.
  taken(await record(books, [{ id: "u", customer: "acme", sku: "c/y", quantity: 1, time: "2026-03-10" }], "call"));
  assert.match((await refusedTo(books, "2026-03"))!, /^period_empty: Nothing was posted in 2026-03 or before/);
  const closed = taken(await close(books, "2026-03", "me", { mayBeEmpty: true }));
  const [warning] = closed.warnings;
  assert.match(warning!, /^nothing was posted in 2026-03 or before: all until its end counts as closed from now on/);
  assert.deepEqual(await close(books, "2026-03", "other"), closed);
  // One behind it may be empty: nothing before it is closed by that.
  books.clock.advance(31 * 86_400_000);
  assert.deepEqual(taken(await close(books, "2026-04", "me")).warnings, []);
  const late = { id: "l", customer: "acme", sku: "c/x", quantity: 1, time: "2026-02-10" };
  assert.equal(taken(await record(books, [late], "call")).late, 1);
  const used = await opened(context);
  await use(used, 1, "2026-03-10T00:00:00Z");
  const { warnings } = taken(await close(used, "2026-03", "me", { mayBeEmpty: true }));
  assert.deepEqual(
    warnings.filter((text) => text.startsWith("nothing")),
    [],
  );
});

/** What March's trial balance says of each account. */
async function march(books: TestBooks): Promise<readonly string[]> {
  const { rows } = taken(await trialBalance(books, "2026-03"));
  return rows.map(({ account, balance }) => `${account} ${balance}`);
}

const billed = ["receivables 7", "revenue/other -7", "unbilled-receivables 0"];

test("what was used of a month that is still to come is not in this one's trial balance", async (context) => {
  const books = await opened(context);
  books.clock.advance(-36 * 3_600_000);
  await use(books, 7, "2026-03-31T10:00:00Z");
  await use(books, 1234, "2026-04-01T05:00:00Z");
  books.clock.advance(36 * 3_600_000);
  taken(await close(books, "2026-03", "me"));
  assert.deepEqual(await march(books), billed);
  const { at } = await books.db
    .selectFrom("ledgerTransactions")
    .select("at")
    .where("period", "=", "2026-04")
    .executeTakeFirstOrThrow();
  assert.equal(at.toISOString(), "2026-04-01T00:00:00.000Z");
});

test("a clock that was set back into a closed month leaves that one's trial balance as it was", async (context) => {
  const books = await opened(context);
  await use(books, 7, "2026-03-10T00:00:00Z");
  taken(await close(books, "2026-03", "me"));
  books.clock.advance(-5 * 86_400_000);
  await use(books, 100, "2026-03-11T00:00:00Z");
  assert.deepEqual(await march(books), billed);
});

test("of more customers than are billed at once each has its bill, in their order, also who has used nothing", async (context) => {
  const books = await testBooks(temporary);
  context.after(() => books.close());
  const names = Array.from({ length: 1_201 }, (_, at) => `customer-${at}`);
  await books.db
    .insertInto("organisations")
    .values(names.map((name) => ({ id: `org_${name}` as const, name, createdAt: new Date(books.clock.nowMs()) })))
    .execute();
  const committed = [7, 1_200].map((at) => ({
    contract: `c${at}`,
    customer: `org_customer-${at}`,
    versions: [{ version: "1", effectiveFrom: "2026-03-01", commitment: "5" }],
  }));
  await books.applyPrices(priced(committed));
  const users = names.slice(0, 1_200);
  const told = users.map((customer) => ({ id: "1", customer, sku: "c/x", quantity: 1, time: "2026-03-10T00:00:00Z" }));
  taken(await record(books, told, "call"));
  const { invoices, totals } = taken(await close(books, "2026-03", "me"));
  assert.equal(invoices, 1_201);
  assert.deepEqual(totals, [{ currency: "EUR", invoices: 1_201, net: "1209", tax: "0", gross: "1209", residual: "0" }]);
  const rows = await books.db
    .selectFrom("ledgerTransactions")
    .innerJoin("invoices", "invoices.id", "ledgerTransactions.reference" as never)
    .select("organisation")
    .where("kind", "=", "bill")
    .orderBy("ledgerTransactions.number")
    .execute();
  assert.deepEqual(
    rows.map(({ organisation }) => organisation),
    names.map((name) => `org_${name}`).toSorted(),
  );
  const { rows: balances } = taken(await trialBalance(books));
  assert.deepEqual(
    balances.map(({ account, balance }) => [account, balance]),
    [
      ["receivables", "1209"],
      ["revenue/other", "-1209"],
      ["unbilled-receivables", "0"],
    ],
  );
});

/** Books of one customer who uses two products, and the settings by which they are kept. */
async function ofSegments(context: { after(done: () => Promise<void>): void }) {
  const books = await testBooks(temporary, { issuer: goldenIssuer });
  context.after(() => books.close());
  const acme = (await books.organisation("acme")) as OrganisationId;
  const prices = ["c/x", "m/input-tokens"].map((sku) => ({ sku, unitPrice: "1" }));
  const taxes = { jurisdiction: "CN", taxes: [{ jurisdiction: "CN", percent: 6 }] };
  await books.applyPrices(priced([], { versions: [{ version: "1", effectiveFrom: "2020-01-01", prices }], ...taxes }));
  taken(await applyParty(books, acme, goldenBuyer, "me"));
  const settings = { external: books, internal: { ...books, internal: ["acme"] } } as const;
  const useBy = async (by: BooksContext, id: string, sku: string, time: string): Promise<void> => {
    taken(await record(by, [{ id, customer: "acme", sku, quantity: 7, time }], "call"));
  };
  const revenue = async (): Promise<Record<string, string>> =>
    Object.fromEntries(
      Object.entries(await books.balances()).filter(([account]) => /^(revenue|inter|unb)/.test(account)),
    );
  const invoiceOf = async (period: string): Promise<string> => {
    const row = books.db.selectFrom("invoices").select("id").where("period", "=", period);
    return (await row.executeTakeFirstOrThrow()).id;
  };
  return { books, ...settings, useBy, revenue, invoiceOf };
}

test("who joins the group while a period is open leaves nothing in external revenue, nor below it once all is credited", async (context) => {
  const { books, external, internal, useBy, revenue, invoiceOf } = await ofSegments(context);
  await useBy(external, "1", "c/x", "2026-03-10T00:00:00Z");
  await useBy(external, "2", "m/input-tokens", "2026-03-10T00:00:00Z");
  // What comes next of a sum takes with it what was there; the other one stays until its period is closed.
  await useBy(internal, "3", "c/x", "2026-03-11T00:00:00Z");
  assert.deepEqual(await revenue(), {
    "intersegment/other EUR": "-14",
    "revenue/ai-inference EUR": "-7",
    "revenue/other EUR": "0",
    "unbilled-receivables EUR": "21",
  });
  taken(await close(internal, "2026-03", "me"));
  const moved = {
    "intersegment/ai-inference EUR": "-7",
    "intersegment/other EUR": "-14",
    "revenue/ai-inference EUR": "0",
    "revenue/other EUR": "0",
    "unbilled-receivables EUR": "0",
  };
  assert.deepEqual(await revenue(), moved);
  // Late usage is on the next bill: by what is said when that one closes, and its own bill stays where it was.
  await useBy(internal, "4", "c/x", "2026-03-12T00:00:00Z");
  await useBy(external, "5", "c/x", "2026-04-01T00:00:00Z");
  books.clock.advance(31 * 86_400_000);
  taken(await close(external, "2026-04", "me"));
  assert.deepEqual(await revenue(), { ...moved, "revenue/other EUR": "-14" });
  for (const [period, by] of [
    ["2026-03", external],
    ["2026-04", internal],
  ] as const) {
    const invoice = await invoiceOf(period);
    taken(await finalize(by, invoice, "me"));
    const what = [{ line: "1", amount: "3" }];
    taken(await credit(by, { invoice, reason: "a part", what }, "me"));
    taken(await makeVoid(by, { invoice, reason: "the rest" }, "me"));
  }
  const left = Object.values(await books.balances()).filter((balance) => balance !== "0");
  assert.deepEqual(left, []);
});
