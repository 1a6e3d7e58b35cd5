import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { recordOf } from "../metering/index.ts";
import { ship } from "../store/index.ts";
import { type TemporaryPostgres, temporaryPostgres } from "../store/testing.ts";
import { accrue, hold, metered, record, servedUsage } from "./index.ts";
import { taken, type TestBooks, testBooks } from "./testing.ts";

let temporary: TemporaryPostgres;

before(async () => {
  temporary = await temporaryPostgres();
});

after(() => temporary.remove());

async function opened(context: { after(done: () => Promise<void>): void }): Promise<TestBooks> {
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

/** Requests of a gateway, as its shipment brings them into the books; null: nobody has counted. */
async function serve(
  books: TestBooks,
  { organisation, usages }: { readonly organisation: string; readonly usages: readonly (typeof tokens | null)[] },
): Promise<void> {
  const settlements = usages.map((usage) => ({
    request: books.ids.mint("req"),
    position: { segment: 1, offset: 0 },
    body: JSON.stringify({
      receipt: books.ids.mint("rcpt"),
      organisation,
      project: "prj_A",
      key: "key_A",
      endpoint: "chat.completions",
      model: "m",
      site: "here",
      startedAtMs: Date.parse("2026-03-10T12:00:00.123Z"),
      endedAtMs: Date.parse("2026-03-10T12:00:01Z"),
      ending: "stop",
      usage,
      unrated: usage === null ? "the host did not come back" : null,
      upperBoundTokens: null,
      amountBound: null,
      listAmount: usage === null ? null : "0.35",
      currency: "EUR",
      priceVersion: "1",
      decision: "d",
      destination: "h",
      placement: null,
    }),
  }));
  const batch = {
    gateway: "gw_A" as const,
    from: undefined,
    to: { segment: 1, offset: 9 },
    isDurable: true,
    settlements,
    receiptBatches: [],
    refusals: [],
  };
  await ship(books.db, batch, async (transaction, used) => {
    const held = await hold(books, transaction);
    await accrue(books, transaction, { events: servedUsage(used), reference: "shipment gw_A 1:0 1:9", held });
  });
}

/** What an export has of it. */
async function exported(books: TestBooks) {
  const [requests, records] = [
    taken(await metered(books, {}, { limit: 100, after: undefined })),
    taken(await metered(books, {}, { limit: 100, after: recordsOnly })),
  ];
  return [...requests.items, ...records.items].map(({ at, ...row }) => recordOf([{ ...row, at: at.toISOString() }]));
}

const recordsOnly = Buffer.from(JSON.stringify(["records"])).toString("base64url");

test("what was served here and is told again, as an export has it, is billed once", async (context) => {
  const books = await opened(context);
  const acme = await books.organisation("acme");
  await books.applyPrices(priced);
  await serve(books, { organisation: acme, usages: [tokens, tokens, null] });
  const [balances, told] = [await books.balances(), await exported(books)];
  assert.equal(told.length, 3);
  assert.deepEqual(taken(await record(books, told, "import")), { accepted: 0, duplicates: 3 });
  assert.deepEqual(await books.balances(), balances);
  // Another gateway's are another installation's: they were never billed here.
  const foreign = told.slice(0, 2).map((each) => ({ ...each, source: "gw_B" }));
  assert.deepEqual(taken(await record(books, foreign, "import")), { accepted: 2, duplicates: 0 });
});

test("nobody tells in a gateway's name what it has not served, or has served otherwise", async (context) => {
  const books = await opened(context);
  const acme = await books.organisation("acme");
  await books.organisation("b");
  await books.applyPrices(priced);
  await serve(books, { organisation: acme, usages: [tokens] });
  const [served] = await exported(books);
  for (const differing of [{ inputTokens: 31 }, { customer: "b" }]) {
    const refused = await record(books, [{ ...served, ...differing }], "call");
    assert.equal("code" in refused && refused.code, "usage_conflict");
  }
  const invented = await record(books, [{ ...served, id: "req_0" }], "call");
  assert.match(
    JSON.stringify(invented),
    /record 1: source gw_A is a gateway of this cloud, and has served no request req_0/,
  );
});
