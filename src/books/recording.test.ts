import assert from "node:assert/strict";
import { after, before, test, type TestContext } from "node:test";
import { findSums } from "../store/index.ts";
import { type TemporaryPostgres, temporaryPostgres } from "../store/testing.ts";
import { close, record, toldUsage } from "./index.ts";
import { recorded, taken, type TestBooks, testBooks } from "./testing.ts";

let temporary: TemporaryPostgres;

before(async () => {
  temporary = await temporaryPostgres();
});

after(() => temporary.remove());

const customers = ["acme", "globex", "initech"];

async function opened(context: TestContext): Promise<TestBooks> {
  const books = await testBooks(temporary);
  context.after(() => books.close());
  for (const customer of customers) await books.organisation(customer);
  await books.applyPrices({
    currency: "EUR",
    versions: [{ version: "1", effectiveFrom: "2026-01-01", prices: [{ sku: "c/x", unitPrice: "0.000000000001" }] }],
  });
  return books;
}

const used = (id: string, customer: string, quantity = 1) => ({
  id,
  source: '/a "quoted" \\ source',
  customer,
  time: "2026-03-10T12:00:00Z",
  sku: "c/x",
  quantity,
});

test("of calls at once that add to the same sums, in whatever order, nothing is lost", async (context) => {
  const books = await opened(context);
  const calls = Array.from({ length: 12 }, (_, call) => {
    const some = call % 2 === 0 ? customers : customers.toReversed();
    return some.map((customer) => used(`${call} ${customer}`, customer));
  });
  const told = await Promise.all(calls.map((some, call) => record(books, some, `call ${call}`)));
  assert.deepEqual(
    told.map((each) => taken(each).accepted),
    calls.map(() => 3),
  );
  const sums = await findSums(books.db);
  assert.deepEqual(
    sums.map(({ events, quantity, accrued }) => [events, quantity, accrued]),
    customers.map(() => [12, 12_000_000_000n, 12n]),
  );
  assert.deepEqual(await books.balances(), {
    "unbilled-receivables EUR": "0.000000000036",
    "revenue/other EUR": "-0.000000000036",
  });
});

test("what several calls tell at once counts once", async (context) => {
  const books = await opened(context);
  const same = customers.map((customer) => used("same", customer));
  const told = await Promise.all(Array.from({ length: 6 }, (_, call) => record(books, same, `call ${call}`)));
  const counts = told.map((each) => taken(each));
  assert.equal(
    counts.reduce((sum, { accepted }) => sum + accepted, 0),
    3,
  );
  assert.equal(
    counts.reduce((sum, { duplicates }) => sum + duplicates, 0),
    15,
  );
  assert.deepEqual(
    (await findSums(books.db)).map(({ events }) => events),
    [1, 1, 1],
  );
});

test("where some of a call was told before only the rest is added, and a contradiction is named by its place", async (context) => {
  const books = await opened(context);
  taken(await record(books, [used("b", "globex"), used("b", "acme")], "first"));
  const mixed = [used("a", "acme"), used("b", "acme"), used("c", "initech"), used("b", "globex"), used("a", "acme")];
  assert.deepEqual(taken(await record(books, mixed, "second")), recorded(2, 3));
  const told = [used("d", "acme"), used("e", "globex"), used("b", "globex", 2), used("b", "acme", 2)];
  const refused = await record(books, told, "third");
  assert.ok("code" in refused && refused.code === "usage_conflict");
  assert.match(refused.message, /^Record 3: id "b"/);
  const sums = await findSums(books.db);
  const acme = await books.organisation("acme");
  assert.equal(sums.length, 3);
  for (const { organisation, events } of sums) assert.equal(events, organisation === acme ? 2 : 1);
});

test("what was told is added up by customer and SKU, of the days asked for, a part at once", async (context) => {
  const books = await opened(context);
  const at = (id: string, customer: string, time: string, quantity: number | undefined) => {
    const { quantity: _, ...rest } = used(id, customer);
    return { ...rest, time, ...(quantity === undefined ? {} : { quantity }) };
  };
  const told = [
    at("a", "acme", "2026-03-01T00:00:00Z", 1.5),
    at("b", "acme", "2026-03-31T23:59:59.999Z", 2),
    at("c", "acme", "2026-02-28T23:59:59.999Z", 40),
    at("d", "acme", "2026-03-02T00:00:00Z", undefined),
    { ...at("e", "acme", "2026-03-02T00:00:00Z", 3), sku: "c/y" },
    at("f", "globex", "2026-03-02T00:00:00Z", 7),
  ];
  taken(await record(books, told, "call"));
  const march = { from: "2026-03-01", to: "2026-03-31" };
  const rows: string[] = [];
  let after: string | undefined;
  do {
    const part = taken(await toldUsage(books, march, { limit: 2, after }));
    rows.push(
      ...part.items.map(({ organisationName, sku, records, quantity, uncounted }) =>
        [organisationName, sku, records, quantity, uncounted].join(" "),
      ),
    );
    after = part.next ?? undefined;
  } while (after !== undefined);
  assert.deepEqual(rows.toSorted(), ["acme c/x 3 3.5 1", "acme c/y 1 3 0", "globex c/x 1 7 0"]);
  const organisation = await books.organisation("acme");
  const all = taken(await toldUsage(books, { organisation }, { limit: 10, after: undefined }));
  assert.deepEqual(
    all.items.map(({ sku, quantity }) => `${sku} ${quantity}`),
    ["c/x 43.5", "c/y 3"],
  );
  assert.ok("code" in (await toldUsage(books, {}, { limit: 1, after: "nonsense" })));
});

test("what taking records answers counts those without a price or a quantity, and those of a closed period, once each", async (context) => {
  const books = await opened(context);
  taken(await record(books, [used("1", "acme")], "first"));
  taken(await close(books, "2026-03", "me"));
  const of = (id: string, more: object) => ({ ...used(id, "acme"), time: "2026-04-01T12:00:00Z", ...more });
  const told = [
    used("1", "acme"),
    of("late", { time: "2026-03-11T12:00:00Z" }),
    of("rated", {}),
    of("uncounted", { quantity: null }),
    of("model", { sku: undefined, quantity: undefined, model: "m", inputTokens: 5, outputTokens: 6 }),
    of("late and unrated", { sku: "seats", time: "2026-03-11T12:00:00Z" }),
  ];
  const warning =
    'sku "seats" is no product/dimension, such as crm/seats: no price but one of exactly this name rates it';
  assert.deepEqual(
    taken(await record(books, told, "second")),
    recorded(5, 1, { unrated: 3, late: 2, warnings: [warning] }),
  );
  // Told again it is nobody's any more.
  assert.deepEqual(taken(await record(books, told, "third")), recorded(0, 6));
});
