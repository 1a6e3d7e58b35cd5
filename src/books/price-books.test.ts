import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type TemporaryPostgres, temporaryPostgres } from "../store/testing.ts";
import { applyPriceBook, close, grantCredits, record } from "./index.ts";
import { taken, type TestBooks, testBooks } from "./testing.ts";

let temporary: TemporaryPostgres;

before(async () => {
  temporary = await temporaryPostgres();
});

after(() => temporary.remove());

/** A grant of 1,000 units, a minimum, and neither. */
const list = {
  version: "1",
  effectiveFrom: "2020-01-01",
  prices: [
    { sku: "a/x", unitPrice: "1", freeGrant: 1000 },
    { sku: "b/x", unitPrice: "1", minimum: "30" },
    { sku: "c/x", unitPrice: "1" },
  ],
};

const bookWith = (contracts: readonly object[], more: object = {}) => ({
  currency: "EUR",
  versions: [list],
  contracts,
  ...more,
});

const contractOf = (effectiveFrom: string, more: object = {}) => ({
  contract: "acme-2026",
  customer: "acme",
  versions: [{ version: "1", effectiveFrom, prices: [], ...more }],
});

/** Books on 2 April 2026, with a price book without contracts. */
async function opened(context: { after(done: () => Promise<void>): void }, contracts: readonly object[] = []) {
  const books = await testBooks(temporary);
  context.after(() => books.close());
  await books.organisation("acme");
  await books.applyPrices(bookWith(contracts));
  return books;
}

async function use(books: TestBooks, sku: string, quantity: number, time: string): Promise<void> {
  taken(await record(books, [{ id: `${sku} ${time}`, customer: "acme", sku, quantity, time }], "call"));
}

/** What is said of a price book with these contracts; nothing, where it was applied. */
async function reasonsOf(books: TestBooks, contracts: readonly object[], more: object = {}) {
  const document = bookWith(contracts, more);
  const outcome = await applyPriceBook(books, { basedOn: books.prices.version, document, by: "me" });
  return "reasons" in outcome ? outcome.reasons : [];
}

async function netsOf(books: TestBooks): Promise<readonly string[]> {
  const rows = await books.db.selectFrom("invoices").select(["period", "net"]).orderBy("period").execute();
  return rows.map(({ period, net }) => `${period} ${Number(net)}`);
}

for (const [sku, quantity, cost] of [
  ["a/x", 1000, 0],
  ["b/x", 1, 30],
] as const) {
  test(`a contract that begins later in the month takes nothing of ${sku} away from what was used before`, async (context) => {
    const books = await opened(context);
    await use(books, sku, quantity, "2026-03-10T00:00:00Z");
    assert.match((await reasonsOf(books, [contractOf("2026-03-20")])).join(), /would cost something else/);
    // From the next month on, and for what is granted in whole by any part, it may.
    assert.deepEqual(await reasonsOf(books, [contractOf("2026-04-01")]), []);
    taken(await close(books, "2026-03", "me"));
    assert.deepEqual(await netsOf(books), [`2026-03 ${cost}`]);
  });
}

test("a contract may begin within an open month as long as what was used costs the same by its part of it", async (context) => {
  const books = await opened(context);
  await use(books, "a/x", 400, "2026-03-10T00:00:00Z");
  await use(books, "c/x", 5, "2026-03-10T00:00:00Z");
  assert.deepEqual(await reasonsOf(books, [contractOf("2026-03-20")]), []);
});

test("in a closed month no part of a grant is taken away any more, though it was not used up", async (context) => {
  const books = await opened(context);
  await use(books, "a/x", 400, "2026-03-10T00:00:00Z");
  taken(await close(books, "2026-03", "me"));
  assert.match((await reasonsOf(books, [contractOf("2026-03-20")])).join(), /would cost something else/);
  await use(books, "a/x", 600, "2026-03-11T00:00:00Z");
  books.clock.advance(40 * 86_400_000);
  taken(await close(books, "2026-04", "me"));
  assert.deepEqual(await netsOf(books), ["2026-03 0", "2026-04 0"]);
});

test("a commitment that a closed month has not billed cannot be agreed on afterwards, nor by months before the first", async (context) => {
  const books = await opened(context);
  taken(await close(books, "2026-03", "me", { mayBeEmpty: true }));
  for (const from of ["2026-03-01", "2026-03-31", "2026-01-01"]) {
    assert.match(
      (await reasonsOf(books, [contractOf(from, { commitment: "1000" })])).join(),
      /would owe something else for its commitment in 2026-/,
    );
  }
  assert.deepEqual(await reasonsOf(books, [contractOf("2026-04-01", { commitment: "1000" })]), []);
});

test("a commitment that a closed month has billed stays, and late usage is a part of it", async (context) => {
  const contract = contractOf("2026-03-01", { commitment: "1000" });
  const books = await opened(context, [contract]);
  taken(await close(books, "2026-03", "me"));
  const april = contractOf("2026-03-01", { commitment: "1000", effectiveTo: "2026-04-01" });
  for (const contracts of [
    [],
    [contractOf("2026-03-01", { commitment: "900" })],
    [contractOf("2026-03-01", { commitment: "1000", effectiveTo: "2026-03-16" })],
  ]) {
    assert.match((await reasonsOf(books, contracts)).join(), /would owe something else for its commitment in 2026-03/);
  }
  assert.deepEqual(await reasonsOf(books, [april]), []);
  await use(books, "c/x", 100, "2026-03-10T00:00:00Z");
  books.clock.advance(40 * 86_400_000);
  taken(await close(books, "2026-04", "me"));
  assert.deepEqual(await netsOf(books), ["2026-03 1000", "2026-04 0"]);
});

test("periods and rounding are those of what was closed, also where nothing was used", async (context) => {
  const books = await opened(context);
  taken(await close(books, "2026-03", "me", { mayBeEmpty: true }));
  for (const more of [{ timeZone: "Europe/Paris" }, { period: "quarter" }, { rounding: "half-even" }]) {
    assert.match((await reasonsOf(books, [], more)).join(), new RegExp(`^${Object.keys(more)[0]!}: is`));
  }
});

test("what was used before a cloud has its own periods moves into them, as long as all of it is of one", async (context) => {
  const books = await opened(context);
  await use(books, "a/x", 1001, "2026-03-10T00:00:00Z");
  await use(books, "c/x", 5, "2026-03-10T00:00:00Z");
  await use(books, "c/x", 7, "2026-03-31T23:30:00Z");
  const open = { "revenue/other EUR": "-13", "unbilled-receivables EUR": "13" };
  assert.deepEqual(await books.balances(), open);
  // In Paris it is April by then, and one sum is of both months.
  assert.match((await reasonsOf(books, [], { timeZone: "Europe/Paris" })).join(), /^timeZone: is UTC by what is in/);
  const own = { timeZone: "America/New_York", period: "quarter", rounding: "half-even" };
  assert.deepEqual(await reasonsOf(books, [], own), []);
  assert.deepEqual(await books.balances(), open);
  await use(books, "c/x", 1, "2026-04-01T03:59:59Z");
  books.clock.advance(86_400_000);
  const { totals } = taken(await close(books, "2026-Q1", "me"));
  assert.deepEqual(totals[0]?.net, "14");
  assert.equal((await books.balances())["unbilled-receivables EUR"], "0");
  assert.match((await reasonsOf(books, [], { ...own, period: "month" })).join(), /^period: is quarter/);
});

const nights = { offPeak: { from: "22:00", to: "06:00" } };
const half = { unitPrice: "1", offPeakDiscountPercent: 50 };
const listWith = (...prices: readonly object[]) => ({
  versions: [{ ...list, prices: [...list.prices.filter(({ sku }) => sku !== "c/x"), ...prices] }],
});
const plain = { sku: "c/x", unitPrice: "1" };

test("a price book with off-peak hours sets a new cloud's time zone where what was used has none, or was used by day", async (context) => {
  for (const [time, prices] of [
    ["2026-03-10T00:00:00Z", [plain, { sku: "d/x", ...half }]],
    ["2026-03-10T12:00:00Z", [{ sku: "c/x", ...half }]],
  ] as const) {
    const books = await opened(context);
    await use(books, "c/x", 8, time);
    const own = { timeZone: "Europe/Paris", ...nights, ...listWith(...prices) };
    assert.deepEqual(await reasonsOf(books, [], own), []);
    await use(books, "c/x", 4, "2026-03-11T12:00:00Z");
    assert.equal((await books.balances())["unbilled-receivables EUR"], "12");
  }
});

test("what may have another off-peak part by another clock stays, and the refusal says so and what to do", async (context) => {
  const books = await opened(context);
  await use(books, "c/x", 8, "2026-03-10T21:30:00Z");
  const own = { timeZone: "Europe/Paris", ...nights, ...listWith({ sku: "c/x", ...half }) };
  const reasons = (await reasonsOf(books, [], own)).join("\n");
  assert.match(reasons, /^timeZone: is UTC by what is in/);
  assert.match(reasons, /^offPeak: c\/x was used, and nobody knows which part.* without that discount first/m);
  const first = { ...own, ...listWith(plain) };
  assert.deepEqual(await reasonsOf(books, [], first), []);
  const [begun] = first.versions;
  const later = { ...begun, version: "2", effectiveFrom: "2026-04-03", prices: [{ sku: "c/x", ...half }] };
  assert.deepEqual(await reasonsOf(books, [], { ...own, versions: [begun, later] }), []);
});

test("the off-peak part of what was used moves with it where the hours stay", async (context) => {
  const books = await opened(context);
  const own = { ...nights, ...listWith({ sku: "c/x", ...half }) };
  assert.deepEqual(await reasonsOf(books, [], own), []);
  await use(books, "c/x", 8, "2026-03-10T23:00:00Z");
  await use(books, "c/x", 4, "2026-03-10T12:00:00Z");
  assert.deepEqual(await reasonsOf(books, [], { ...own, period: "quarter" }), []);
  assert.equal((await books.balances())["unbilled-receivables EUR"], "8");
  const reasons = (await reasonsOf(books, [], { ...own, period: "quarter", timeZone: "Asia/Tokyo" })).join("\n");
  assert.match(reasons, /^offPeak: c\/x was used/m);
});

test("what was bought stays in its period, and what would cost something else by another one stays, too", async (context) => {
  const books = await opened(context);
  await use(books, "a/x", 800, "2026-02-10T00:00:00Z");
  await use(books, "a/x", 800, "2026-03-10T00:00:00Z");
  assert.match((await reasonsOf(books, [], { period: "quarter" })).join(), /^period: is month/);
  const bought = await opened(context);
  taken(await grantCredits(bought, { organisation: "acme", credits: "1", paid: "1" }, "me"));
  assert.match((await reasonsOf(bought, [], { period: "quarter" })).join(), /^period: is month/);
});

/** A cloud as it is after its start: its first organisation has used what the settings price, and perhaps another has, too. */
async function begun(context: { after(done: () => Promise<void>): void }, others: readonly string[] = []) {
  const prices = [{ sku: "own/input-tokens", pricePerMillion: "0.1" }];
  const books = await testBooks(temporary, {
    settings: [
      {
        version: "settings",
        effectiveFrom: "2020-01-01",
        currency: "EUR",
        models: { "*": { inputPerMillion: "0.1", outputPerMillion: "0.4" } },
      },
    ],
  });
  context.after(() => books.close());
  for (const customer of ["default", ...others]) {
    await books.organisation(customer);
    const usage = { customer, sku: "own/input-tokens", quantity: 10_000_000, time: "2026-03-31T22:30:00Z" };
    taken(await record(books, [{ id: `first question of ${customer}`, ...usage }], "call"));
  }
  const apply = async (more: object) => {
    const document = { currency: "EUR", versions: [{ version: "1", effectiveFrom: "2026-01-01", prices }], ...more };
    return applyPriceBook(books, { basedOn: books.prices.version, document, by: "me" });
  };
  return { books, apply };
}

test("a first price book prices what the cloud's own organisation has used, in its zone and its periods", async (context) => {
  const { books, apply } = await begun(context);
  assert.deepEqual(await books.balances(), { "unbilled-receivables EUR": "1", "revenue/ai-inference EUR": "-1" });
  const versions = [
    { version: "1", effectiveFrom: "2026-01-01", prices: [{ sku: "*/input-tokens", pricePerMillion: "0.7" }] },
  ];
  const offPeak = { from: "22:00", to: "06:00" };
  taken(await apply({ versions, timeZone: "Europe/Berlin", period: "quarter", offPeak }));
  assert.deepEqual(await books.balances(), { "unbilled-receivables EUR": "7", "revenue/ai-inference EUR": "-7" });
  const sums = await books.db.selectFrom("usageSums").select(["period", "billedIn"]).execute();
  assert.deepEqual(sums, [{ period: "2026-Q2", billedIn: "2026-Q2" }]);
  const dearer = versions.map((version) => ({
    ...version,
    prices: [{ sku: "*/input-tokens", pricePerMillion: "0.8" }],
  }));
  const second = await apply({ versions: dearer, timeZone: "Europe/Berlin", period: "quarter", offPeak });
  assert.match("message" in second ? second.message : "", /would cost something else.*price-book show/);
});

test("a first price book that has no price for the start's own question says which, and when", async (context) => {
  const { books, apply } = await begun(context);
  const other = [{ sku: "other/input-tokens", pricePerMillion: "1" }];
  for (const versions of [
    [{ version: "1", effectiveFrom: "2026-01-01", prices: other }],
    [{ version: "1", effectiveFrom: "2026-04-01", prices: [{ sku: "*/input-tokens", pricePerMillion: "1" }] }],
  ]) {
    const refused = await apply({ versions });
    const reasons = "reasons" in refused ? refused.reasons : [];
    assert.match(
      reasons.join(),
      /^own\/input-tokens was used at 2026-03-31T22:30:00.000Z, by the question.*no price that holds then$/,
    );
  }
  assert.deepEqual(await books.balances(), { "unbilled-receivables EUR": "1", "revenue/ai-inference EUR": "-1" });
});

test("where another organisation has used something, its prices hold for the first price book, too", async (context) => {
  const { apply } = await begun(context, ["acme"]);
  const prices = [{ sku: "own/input-tokens", pricePerMillion: "0.7" }];
  const refused = await apply({ versions: [{ version: "1", effectiveFrom: "2026-01-01", prices }] });
  assert.match("reasons" in refused ? String(refused.reasons) : "", /would cost something else/);
  taken(await apply({ timeZone: "Europe/Berlin" }));
});
