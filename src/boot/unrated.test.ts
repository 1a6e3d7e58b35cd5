import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { record } from "../books/index.ts";
import { taken, testBooks } from "../books/testing.ts";
import { type TemporaryPostgres, temporaryPostgres } from "../store/testing.ts";
import { tellUnknownInternal } from "./ledger.ts";
import { unratedOf } from "./unrated.ts";

let temporary: TemporaryPostgres;

before(async () => {
  temporary = await temporaryPostgres();
});

after(() => temporary.remove());

test("what is unrated is told by the periods of the price book, not by months of UTC", async (context) => {
  const versions = [{ version: "1", effectiveFrom: "2026-01-01", prices: [{ sku: "c/x", unitPrice: "1" }] }];
  const times = ["2026-01-10T00:00:00Z", "2026-02-28T22:59:59Z", "2026-02-28T23:00:00Z", "2026-03-31T21:59:59.999Z"];
  const used = times.map((time, id) => ({ id: String(id), customer: "acme", sku: "c/y", quantity: 1, time }));
  const told = async (book: object) => {
    const books = await testBooks(temporary);
    context.after(() => books.close());
    assert.deepEqual(await unratedOf(books), []);
    await books.organisation("acme");
    await books.applyPrices({ currency: "EUR", versions, ...book });
    taken(await record(books, used, "call"));
    return (await unratedOf(books)).map(({ occasion, message }) => [occasion, /\((.*?)\)/.exec(message)?.[1]]);
  };
  assert.deepEqual(await told({ timeZone: "Europe/Berlin" }), [
    ["2026-01 no_price", "no_price; 1 in 2026-01 so far"],
    ["2026-02 no_price", "no_price; 1 in 2026-02 so far"],
    ["2026-03 no_price", "no_price; 2 in 2026-03 so far"],
  ]);
  assert.deepEqual(await told({ period: "quarter" }), [["2026-Q1 no_price", "no_price; 4 in 2026-Q1 so far"]]);
});

test("names in billing.internal that are nobody's are told at the start, and stop nothing", async (context) => {
  const told: object[] = [];
  const warn = (what: object): void => void told.push(what);
  for (const [internal, expected] of [
    [[], []],
    [["research"], []],
    [["reserach", "research", "reserach"], [{ organisations: ["reserach"], count: 1 }]],
  ] as const) {
    const books = await testBooks(temporary, { internal: [...internal] });
    context.after(() => books.close());
    await books.organisation("research");
    await tellUnknownInternal(books, { warn });
    assert.deepEqual(told.splice(0), expected);
  }
});
