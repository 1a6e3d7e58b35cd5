import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { createIds } from "../base/index.ts";
import { applyPriceBook, close, dropUnrated, grantCredits, rateUnrated, record } from "../books/index.ts";
import { settlementOf, shipServed, taken, type TestBooks, testBooks } from "../books/testing.ts";
import { addAcceleratorTime } from "../store/index.ts";
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
async function opened(
  context: { after(done: () => Promise<void>): void },
  document: object,
  more: Parameters<typeof testBooks>[1] = {},
): Promise<TestBooks> {
  const books = await testBooks(temporary, more);
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

const tokens = {
  versions: [{ version: "1", effectiveFrom: "2020-01-01", prices: [{ sku: "m/output-tokens", unitPrice: "1" }] }],
};

function setClock({ clock }: TestBooks, time: string): void {
  clock.advance(Date.parse(time) - clock.nowMs());
}

async function useTokens(books: TestBooks, quantity: number, time: string): Promise<void> {
  const told = { id: `${quantity} at ${time}`, customer: "acme", sku: "m/output-tokens", quantity, time };
  taken(await record(books, [told], "call"));
}

/** Tokens of quarters, beside what they were charged for. */
async function quartersOf(books: TestBooks, year: number) {
  const told = await Promise.all([1, 2, 3, 4].map((quarter) => reported(books, `${year}Q${quarter}`)));
  return told.map(({ figures, status }) => {
    const of = (id: string) => figures.find((figure) => figure.id === id)!.value;
    return `${status} ${of("tokens-served")} ${of("ai-revenue")}`;
  });
}

for (const period of ["month", "quarter", "year"]) {
  test(`each quarter has its own tokens where the books are closed by ${period}, and what is late is where its revenue is`, async (context) => {
    const books = await opened(context, priced({ ...tokens, period, timeZone: "Asia/Shanghai" }));
    setClock(books, "2026-11-20T00:00:00Z");
    // All of them come in November; the second one was used in April by the price book's clock.
    for (const [quantity, time] of [
      [1, "2026-02-10T00:00:00Z"],
      [20, "2026-03-31T16:00:00Z"],
      [300, "2026-08-31T00:00:00Z"],
      [4_000, "2026-11-10T00:00:00Z"],
    ] as const)
      await useTokens(books, quantity, time);
    const open = ["1 1", "20 20", "300 300", "4000 4000"];
    assert.deepEqual(
      await quartersOf(books, 2026),
      open.map((each) => `provisional ${each}`),
    );
    setClock(books, "2027-02-02T00:00:00Z");
    const closed = {
      year: ["2026"],
      quarter: ["2026-Q1", "2026-Q2", "2026-Q3", "2026-Q4"],
      month: Array.from({ length: 11 }, (_, at) => `2026-${String(at + 2).padStart(2, "0")}`),
    };
    for (const name of closed[period as keyof typeof closed]) taken(await close(books, name, "me"));
    const final = open.map((each) => `final ${each}`);
    assert.deepEqual(await quartersOf(books, 2026), final);
    await useTokens(books, 50_000, "2026-02-10T00:00:00Z");
    await useTokens(books, 600_000, "2027-01-10T00:00:00Z");
    assert.deepEqual(await quartersOf(books, 2026), final);
    assert.equal((await quartersOf(books, 2027))[0], "provisional 650000 650000");
  });
}

test("usage that a price book moves into longer periods keeps its quarter", async (context) => {
  const books = await opened(context, priced(tokens));
  await useTokens(books, 7, "2026-03-10T00:00:00Z");
  taken(await applyPriceBook(books, { basedOn: 1, document: priced({ ...tokens, period: "year" }), by: "me" }));
  await useTokens(books, 20, "2026-03-11T00:00:00Z");
  await useTokens(books, 100, "2026-04-01T00:00:00Z");
  assert.deepEqual((await quartersOf(books, 2026)).slice(0, 2), ["provisional 27 27", "provisional 100 100"]);
});

test("of a final quarter nothing changes by what waited for a price, however it ends", async (context) => {
  const books = await opened(context, priced(tokens));
  await useTokens(books, 7, "2026-03-10T00:00:00Z");
  for (const id of ["1", "2"]) {
    const told = { id, customer: "acme", sku: "n/output-tokens", quantity: 5, time: "2026-03-10T00:00:00Z" };
    taken(await record(books, [told], "call"));
  }
  taken(await close(books, "2026-03", "me"));
  assert.equal((await quartersOf(books, 2026))[0], "final 7 7");
  taken(await dropUnrated(books, { number: 1, reason: "A trial", by: "me" }));
  const [version] = tokens.versions;
  const prices = [...version!.prices, { sku: "n/output-tokens", unitPrice: "2" }];
  await books.applyPrices(priced({ versions: [{ ...version, prices }] }));
  assert.deepEqual(await rateUnrated(books, { reference: "r" }), { rated: 1, left: 0 });
  assert.deepEqual((await quartersOf(books, 2026)).slice(0, 2), ["final 7 7", "provisional 10 10"]);
});

test("what is owed behind a quarter is what contracts said at its end, whatever the price book says since", async (context) => {
  const versions = [
    { version: "1", effectiveFrom: "2026-12-01", effectiveTo: "2027-03-01", commitment: "100", prices: [] },
  ];
  const contracts = [{ contract: "k", customer: "acme", versions }];
  const owed = async (books: TestBooks, quarter: string) =>
    (await reported(books, quarter)).figures.find(({ id }) => id === "remaining-obligations")!.value;
  const books = await opened(context, priced());
  setClock(books, "2026-11-20T00:00:00Z");
  await books.applyPrices(priced({ contracts }));
  assert.deepEqual([await owed(books, "2026Q3"), await owed(books, "2026Q4")], ["0", "200"]);
  // It was ended early: at the end of the year nobody knew.
  setClock(books, "2027-01-01T00:00:00Z");
  await books.applyPrices(priced());
  assert.deepEqual([await owed(books, "2026Q4"), await owed(books, "2027Q1")], ["200", "0"]);
});

test("where the first price book came after a quarter, what is owed is what it said when the quarter was closed", async (context) => {
  const books = await testBooks(temporary);
  context.after(() => books.close());
  await books.organisation("acme");
  const owed = async () =>
    (await reported(books, "2026Q1")).figures.find(({ id }) => id === "remaining-obligations")!.value;
  const contracts = (commitment: string) => {
    const version = { version: "1", effectiveFrom: "2026-03-01", effectiveTo: "2026-06-01", commitment, prices: [] };
    return [{ contract: "k", customer: "acme", versions: [version] }];
  };
  assert.equal(await owed(), "0");
  await books.applyPrices(priced({ contracts: contracts("100") }));
  assert.equal(await owed(), "200");
  books.clock.advance(1_000);
  taken(await close(books, "2026-03", "me"));
  books.clock.advance(1_000);
  await books.applyPrices(priced({ contracts: contracts("7") }));
  assert.equal(await owed(), "200");
});

test("books that are closed by quarter have months of use, and no run rate by the last one: what a close adds is in that", async (context) => {
  const versions = [
    { version: "1", effectiveFrom: "2026-01-01", effectiveTo: "2026-07-01", commitment: "50", prices: [] },
  ];
  const contracts = [{ contract: "k", customer: "idle", versions }];
  const books = await testBooks(temporary);
  context.after(() => books.close());
  for (const name of ["acme", "idle"]) await books.organisation(name);
  await books.applyPrices(priced({ ...tokens, period: "quarter", contracts }));
  const told = (
    [
      ["1", 25, "2026-01-20"],
      ["2", 50, "2026-02-20"],
      ["3", 2, "2026-03-10"],
    ] as const
  ).map(([id, quantity, time]) => ({
    id,
    customer: "acme",
    sku: "m/output-tokens",
    quantity,
    time: `${time}T00:00:00Z`,
  }));
  taken(await record(books, told, "call"));
  taken(await close(books, "2026-Q1", "me"));
  const { figures, months, bookPeriod } = await reported(books, "2026Q1");
  assert.equal(bookPeriod, "quarter");
  assert.deepEqual(
    months.map(({ ai, other }) => [ai, other]),
    [
      ["25", "0"],
      ["50", "0"],
      ["2", "50"],
    ],
  );
  const of = (name: string) => figures.find(({ id }) => id === name)!;
  assert.equal(of("ai-run-rate-quarter-x4").value, "308");
  const { value, why } = of("ai-run-rate-last-month-x12");
  assert.deepEqual([value, why], [null, "the books are closed by quarter: no month of its own"]);
});

test("golden B: external revenue has what the credits of use and what breakage come to, and with intersegment all of the ledger's", async (context) => {
  const prices = [{ sku: "m/output-tokens", unitPrice: "1" }];
  const document = priced({ versions: [{ version: "1", effectiveFrom: "2020-01-01", prices }] });
  const books = await opened(context, document, { internal: ["retail"] });
  await books.organisation("retail");
  books.clock.advance(Date.parse("2026-03-01T12:00:00Z") - books.clock.nowMs());
  const golden = { credits: "11000", paid: "10000", breakagePercent: "5" };
  for (const organisation of ["acme", "retail"]) taken(await grantCredits(books, { ...golden, organisation }, "me"));
  const gone = { organisation: "retail", credits: "5", paid: "5", priority: 1, expiresAt: "2026-03-31T00:00:00Z" };
  taken(await grantCredits(books, gone, "me"));
  const usage = ["acme", "retail"].map((customer) => {
    const time = "2026-03-10T00:00:00Z";
    return { id: customer, customer, sku: "m/output-tokens", quantity: 4_180, time };
  });
  books.clock.advance(Date.parse("2026-04-02T00:00:00Z") - books.clock.nowMs());
  taken(await record(books, usage, "call"));
  taken(await close(books, "2026-03", "me"));
  const { figures, products, status } = await reported(books, "2026Q1");
  const value = (id: string) => figures.find((figure) => figure.id === id)?.value;
  assert.equal(status, "final");
  assert.deepEqual(
    [value("ai-revenue"), value("external-revenue"), value("deferred-revenue")],
    ["3800", "4000", "12000"],
  );
  assert.deepEqual(
    products.map(({ product, tag, external, intersegment }) => [product, tag, external, intersegment]),
    [
      ["ai-inference", "ai", "3800", "3800"],
      ["breakage", "other", "200", "205"],
    ],
  );
  const balances = Object.entries(await books.balances());
  const income = balances.filter(([account]) => /^(revenue|intersegment|breakage)/.test(account));
  assert.equal(value("segment-revenue"), String(-income.reduce((sum, [, balance]) => sum + Number(balance), 0)));
});

test("revenue an hour is of what the hosts served whose hours these are, at the price of their sums", async (context) => {
  const price = (sku: string, unitPrice: string) => ({ sku, unitPrice });
  const prices = [
    price("m/input-tokens", "0.5"),
    price("m/cached-read-tokens", "0.25"),
    price("m/output-tokens", "2"),
    price("m/embedding-tokens", "10"),
    price("h800/accelerator-seconds", "1000"),
  ];
  const contract = { version: "1", effectiveFrom: "2020-01-01", prices: [price("m/output-tokens", "1")] };
  const books = await opened(context, {
    currency: "EUR",
    versions: [{ version: "1", effectiveFrom: "2020-01-01", prices }],
    contracts: [{ contract: "k", customer: "acme", versions: [contract] }],
  });
  const organisation = await books.organisation("acme");
  const usage = { inputTokens: 10, cachedInputTokens: 4, outputTokens: 20, reasoningTokens: 0 };
  const served = (destination: string, at: string, more: object = {}) => {
    const body = { organisation, model: "m", atMs: Date.parse(at), usage, ...more };
    const settlement = settlementOf(books, body);
    return { ...settlement, body: JSON.stringify({ ...JSON.parse(settlement.body), destination }) };
  };
  const settlements = [
    served("host_a", "2026-03-10T00:00:00Z"),
    served("host_a", "2026-03-11T00:00:00Z", { endpoint: "embeddings" }),
    // By somebody else, by a host that nobody has seen, by nobody knows what, and a quarter later.
    served("upstream", "2026-03-10T00:00:00Z"),
    served("host_b", "2026-03-10T00:00:00Z"),
    served("host_a", "2026-03-12T00:00:00Z", { usage: null }),
    served("host_a", "2026-04-01T00:00:00Z"),
  ];
  await shipServed(books, settlements, { from: undefined, to: { segment: 1, offset: 1 } });
  const told = { customer: "acme", time: "2026-03-10T00:00:00Z" };
  taken(
    await record(
      books,
      [
        { ...told, id: "1", sku: "m/output-tokens", quantity: 1_000 },
        { ...told, id: "2", sku: "h800/accelerator-seconds", quantity: 86_400 },
      ],
      "call",
    ),
  );
  const hour = { atMs: Date.parse("2026-03-10T00:30:00Z"), device: "H20", upMs: 1_800_000, busyMs: 0 };
  await addAcceleratorTime(books.db, [{ ...hour, host: "host_a" }]);
  const { figures } = await reported(books, "2026Q1");
  const figure = figures.find(({ id }) => id === "ai-revenue-per-accelerator-hour")!;
  // 6 x 0.5 + 4 x 0.25 + 20 x 1; and 6 x 10 + 4 x 0.25 + 20 x 1 of the embedding; in half an hour.
  assert.equal(figure.value, String((24 + 81) * 2));
  assert.equal(figure.postings, null);
  // What comes once the quarter is closed is of the next one, with its price.
  taken(await close(books, "2026-03", "me"));
  const more = { from: { segment: 1, offset: 1 }, to: { segment: 1, offset: 2 } };
  await shipServed(books, [served("host_a", "2026-03-20T00:00:00Z")], more);
  await record(books, [{ ...told, id: "3", sku: "m/output-tokens", quantity: 1_000 }], "call");
  const { figures: later, status } = await reported(books, "2026Q1");
  assert.equal(status, "final");
  assert.equal(later.find(({ id }) => id === figure.id)!.value, figure.value);
  assert.match(figure.caveat!, /fewer than 24 hours/);
});
