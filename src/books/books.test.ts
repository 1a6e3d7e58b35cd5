import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type TemporaryPostgres, temporaryPostgres } from "../store/testing.ts";
import { formatAmount, parseAmount, type Usage } from "../base/index.ts";
import { type BillDocument, parseQuantity } from "../ledger/index.ts";
import { addEntries, dump, openStore, quantitiesByDimension, restore, tryClosing } from "../store/index.ts";
import {
  accrue,
  applyPriceBook,
  close,
  dropUnrated,
  hold,
  metered,
  rateUnrated,
  record,
  trialBalance,
  unrated,
  why,
} from "./index.ts";
import { settlementOf, shipServed, recorded, taken, type TestBooks, testBooks } from "./testing.ts";

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

async function opened(
  context: { after(done: () => Promise<void>): void },
  more: Parameters<typeof testBooks>[1] = {},
): Promise<TestBooks> {
  const books = await testBooks(temporary, more);
  context.after(() => books.close());
  return books;
}

test("golden A: usage is accrued to the last decimal, and closing the month posts what the invoice says", async (context) => {
  const books = await opened(context);
  await books.organisation("acme");
  await books.applyPrices(golden);
  assert.deepEqual(taken(await record(books, goldenUsage("acme"), "call")), recorded(4, 0));
  assert.deepEqual(taken(await record(books, goldenUsage("acme"), "call")), recorded(0, 4));
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

async function postingsOf(books: TestBooks, kind: string): Promise<readonly string[]> {
  const rows = await books.db
    .selectFrom("ledgerPostings")
    .innerJoin("ledgerTransactions", "number", "transaction")
    .select(["account", "amount"])
    .where("kind", "=", kind)
    .orderBy("transaction")
    .orderBy("line")
    .execute();
  return rows.map(({ account, amount }) => `${account} ${formatAmount(parseAmount(amount)!)}`);
}

const simple = (more: object = {}) => ({
  currency: "EUR",
  versions: [{ version: "1", effectiveFrom: "2026-01-01", prices: [{ sku: "m/input-tokens", unitPrice: "0.01" }] }],
  ...more,
});

const used = (id: string, quantity: number | string | null, more: object = {}) => ({
  id,
  source: "/s",
  customer: "acme",
  time: "2026-03-10T12:00:00Z",
  sku: "m/input-tokens",
  quantity,
  ...more,
});

const dear = { sku: "m/input-tokens", unitPrice: "999999999999.999999999999" };

/** A call that takes its records. */
const take = async (books: TestBooks, ...records: readonly object[]) => taken(await record(books, records, "call"));

const codeOf = (outcome: object): string | undefined => ("code" in outcome ? String(outcome.code) : undefined);

test("of usage that is sent all is taken or nothing, and each reason names its record", async (context) => {
  const books = await opened(context);
  await books.organisation("acme");
  await books.applyPrices(simple());
  const wrong = [
    used("1", 1),
    used("2", "-1"),
    used("3", "1e9"),
    used("4", "9999999999999999"),
    used("5", 1, { customer: "nobody" }),
    used("6", 1, { time: "2026-05-10T12:00:00Z" }),
    used("7", 1, { time: "2026-02-30T12:00:00Z" }),
    { ...used("8", 1), id: undefined },
    [],
  ];
  const refused = await record(books, wrong, "call");
  assert.equal(codeOf(refused), "usage_invalid");
  const { reasons } = refused as { reasons: readonly string[] };
  assert.deepEqual(
    reasons.map((reason) => /^record (\d): /.exec(reason)?.[1]),
    ["2", "3", "4", "5", "6", "7", "8", "9"],
  );
  assert.deepEqual(await take(books, used("1", 1), used("1", 1)), recorded(1, 1));
  for (const records of [
    [used("9", 1), used("1", 2)],
    [used("9", 1), used("9", 2)],
  ]) {
    const differs = await record(books, records, "call");
    assert.deepEqual([codeOf(differs), (differs as { param?: string }).param], ["usage_conflict", records[1]!.id]);
  }
  // The same instant in another zone is the same body; another tenant's or another source's id is another one.
  assert.deepEqual(await take(books, used("1", "1.0", { time: "2026-03-10T13:00:00+01:00" })), recorded(0, 1));
  await books.organisation("b");
  assert.deepEqual(await take(books, used("1", 1, { customer: "b" }), used("1", 1, { source: "/t" })), recorded(2, 0));
});

test("usage that would come to more than any does is refused, and what is in the ledger is told however large it is", async (context) => {
  const books = await opened(context);
  await books.organisation("acme");
  await books.applyPrices(simple({ versions: [{ ...simple().versions[0]!, prices: [dear] }] }));
  for (const quantity of ["999999999999999", "99999999", "1001"]) {
    const refused = await record(books, [used("1", quantity)], "call");
    assert.equal(codeOf(refused), "usage_invalid", quantity);
    assert.match(
      JSON.stringify(refused),
      /m\/input-tokens of org_\S+ in 2026-03 would come to more than 1000000000000000 EUR/,
    );
  }
  assert.equal(await books.db.selectFrom("usageRecords").select("id").executeTakeFirst(), undefined);
  await take(books, used("1", "600"));
  // The sum is what is bounded, not the record.
  assert.equal(codeOf(await record(books, [used("2", "600")], "call")), "usage_invalid");
  taken(await close(books, "2026-03", "me"));
  const amount = 10n ** 20n * 10n ** 12n;
  const owed = { organisation: null, currency: "EUR", amount };
  await books.db.transaction().execute((transaction) =>
    addEntries(
      transaction,
      [
        {
          kind: "test",
          period: "2026-04",
          atMs: books.clock.nowMs(),
          reference: "r",
          postings: [
            { ...owed, account: "receivables" },
            { ...owed, account: "revenue/other", amount: -amount },
          ],
        },
      ],
      books.clock.nowMs(),
    ),
  );
  const [total] = taken(await trialBalance(books)).totals;
  assert.equal(total!.debit, total!.credit);
  assert.ok(BigInt(total!.debit.split(".")[0]!) > 10n ** 20n, total!.debit);
});

test("a place in a list that the database cannot hold is no place, and no defect", async (context) => {
  const books = await opened(context);
  for (const parts of [
    ["requests", "\u0000"],
    ["records", "\u0000", "a", "b", "c"],
    ["records", "\ud800", "a", "b", "c"],
  ]) {
    const after = Buffer.from(JSON.stringify(parts)).toString("base64url");
    assert.equal(codeOf(await metered(books, {}, { limit: 1, after })), "invalid_request");
  }
});

test("a record of nothing is a record, and takes nothing else with it", async (context) => {
  const books = await opened(context);
  await books.organisation("acme");
  await books.applyPrices(simple());
  const { sku: _, quantity: __, ...of } = used("1", 0);
  const idle = { ...of, model: "m", inputTokens: 0, outputTokens: 0 };
  assert.deepEqual(await take(books, idle, used("2", 1)), recorded(2, 0));
  assert.deepEqual(await take(books, idle), recorded(0, 1));
  assert.equal(codeOf(await record(books, [{ ...idle, inputTokens: 5 }], "call")), "usage_conflict");
  for (const [change, why] of [
    [{ customer: "nobody" }, /there is no organisation \\"nobody\\"/],
    [{ time: "2026-05-10T12:00:00Z" }, /still to come/],
  ] as const) {
    assert.match(JSON.stringify(await record(books, [{ ...idle, id: "3", ...change }], "call")), why);
  }
  assert.equal((await books.balances())["unbilled-receivables EUR"], "0.01");
});

test("what has no price, or no quantity, waits unrated, and is billed once it has", async (context) => {
  const books = await opened(context);
  const acme = await books.organisation("acme");
  await books.applyPrices(simple());
  await take(books, used("1", 5, { sku: "n/input-tokens" }), used("2", null), used("3", 7));
  const waiting = taken(await unrated(books, { limit: 10, after: undefined }));
  assert.deepEqual(
    waiting.items.map(({ organisation, reason, reference }) => [organisation, reason, reference]),
    [
      [acme, "no_price", "/s#1"],
      [acme, "no_quantity", "/s#2"],
    ],
  );
  assert.deepEqual(await rateUnrated(books, { reference: "r" }), { rated: 0, left: 2 });
  const [version] = simple().versions;
  const priced = simple({
    versions: [{ ...version!, prices: [...version!.prices, { sku: "n/input-tokens", unitPrice: "1" }] }],
  });
  taken(await applyPriceBook(books, { basedOn: 1, document: priced, by: "me" }));
  assert.deepEqual(await rateUnrated(books, { reference: "r" }), { rated: 1, left: 1 });
  const parted = await rateUnrated(books, {
    number: waiting.items[1]!.number,
    quantity: parseQuantity("3.5")!,
    reference: "r",
  });
  assert.match(JSON.stringify(parted), /is of \S+-tokens: tokens are whole/);
  const quantity = parseQuantity("3")!;
  // What is left is all that waits, also where one is named.
  await take(books, used("4", 1, { sku: "x/seats" }), used("5", 2, { sku: "x/seats" }));
  assert.deepEqual(await rateUnrated(books, { number: waiting.items[1]!.number, quantity, reference: "r" }), {
    rated: 1,
    left: 2,
  });
  assert.equal((await books.balances())["unbilled-receivables EUR"], "5.1");
  const again = await rateUnrated(books, { number: waiting.items[1]!.number, quantity, reference: "r" });
  assert.equal(codeOf(again), "not_found");
  assert.match(JSON.stringify(again), /waits no more: at 2026-\S+Z it was rated, with a quantity of 3\."/);
});

test("what is never to be billed is dropped for a reason, listed as that, and never counted as something else", async (context) => {
  const books = await opened(context);
  await books.organisation("acme");
  await books.applyPrices(simple());
  await take(books, used("1", 5, { sku: "n/input-tokens" }), used("2", 7, { sku: "n/input-tokens" }));
  const page = { limit: 10, after: undefined };
  const { number } = taken(await unrated(books, page)).items[0]!;
  // It was counted: nothing else can be said of how much it was.
  const counted = await rateUnrated(books, { number, quantity: parseQuantity("0")!, reference: "r" });
  assert.equal(codeOf(counted), "invalid_request");
  assert.match(JSON.stringify(counted), /has a quantity: it waits for a price/);
  const dropped = taken(await dropUnrated(books, { number, reason: "A trial", by: "me" }));
  assert.deepEqual([dropped.dropped?.by, dropped.dropped?.reason], ["me", "A trial"]);
  const [left, gone] = [
    taken(await unrated(books, page)).items,
    taken(await unrated(books, page, { isDropped: true })).items,
  ];
  assert.deepEqual([left.length, gone], [1, [dropped]]);
  // Whoever heard nothing and asks again hears that it was done.
  const again = await dropUnrated(books, { number, reason: "Again", by: "me" });
  assert.equal(codeOf(again), "not_found");
  assert.match(JSON.stringify(again), /waits no more: at 2026-\S+Z it was dropped by me: A trial\."/);
  assert.equal(codeOf(await rateUnrated(books, { number, reference: "r" })), "not_found");
  // It was used all the same, and counts when somebody said what becomes of it.
  const { calendar } = books.prices.book;
  const quantities = (month: string) => quantitiesByDimension(books.db, [calendar.periodOf(month)!]);
  assert.equal((await quantities("2026-03")).get("input-tokens"), undefined);
  assert.equal((await quantities("2026-04")).get("input-tokens"), "5");
});

test("usage that comes late is billed with the next period, and both bills are what one would have been", async (context) => {
  const books = await opened(context);
  await books.organisation("acme");
  const graduated = [{ upTo: 100, unitPrice: "0.015" }, { unitPrice: "0.01" }];
  await books.applyPrices({
    currency: "EUR",
    versions: [
      { version: "1", effectiveFrom: "2026-01-01", prices: [{ sku: "m/input-tokens", graduated, freeGrant: 10 }] },
    ],
  });
  await take(books, used("1", 61));
  assert.equal(codeOf(await close(books, "2026-04", "me")), "period_not_over");
  taken(await close(books, "2026-03", "me"));
  await take(books, used("2", 82), used("3", 11, { time: "2026-04-01T00:00:00Z" }));
  books.clock.advance(40 * 86_400_000);
  assert.equal(codeOf(await close(books, "2026-05", "me")), "period_not_over");
  taken(await close(books, "2026-04", "me"));
  const rows = await books.db.selectFrom("invoices").select(["period", "net", "bill"]).orderBy("period").execute();
  // Of March 143 units, 10 of them free: 100 x 0.015 + 33 x 0.01 = 1.83, of which 51 x 0.015 = 0.765 were billed as 0.77.
  assert.deepEqual(
    rows.map(({ period, net }) => [period, Number(net)]),
    [
      ["2026-03", 0.77],
      ["2026-04", 1.08],
    ],
  );
  const { lines } = JSON.parse(rows[1]!.bill) as { lines: { period: string; quantity: string; rounded: string }[] };
  assert.deepEqual(
    lines.map(({ period, quantity, rounded }) => [period, quantity, rounded]),
    [
      ["2026-03", "82", "1.06"],
      ["2026-04", "11", "0.02"],
    ],
  );
  assert.equal((await books.balances())["unbilled-receivables EUR"], "0");
});

test("where the settings refuse late usage of other services, it is refused by its time", async (context) => {
  const books = await opened(context, { lateUsage: "refuse" });
  await books.organisation("acme");
  await books.applyPrices(simple());
  taken(await close(books, "2026-03", "me", { mayBeEmpty: true }));
  const refused = await record(books, [used("1", 1)], "call");
  assert.match(JSON.stringify(refused), /in a period that is closed/);
});

test("where the clock was put back behind the end of a closed period, usage is still posted into its own", async (context) => {
  const books = await opened(context);
  await books.organisation("acme");
  await books.applyPrices(simple());
  taken(await close(books, "2026-03", "me", { mayBeEmpty: true }));
  books.clock.advance(-1.5 * 86_400_000);
  await take(books, used("1", 1, { time: "2026-04-01T00:00:00Z" }), used("2", 2));
  assert.equal((await books.balances())["unbilled-receivables EUR"], "0.03");
  assert.deepEqual(taken(await trialBalance(books, "2026-03")).rows, []);
});

test("periods close one after the other, and two at once do not", async (context) => {
  const books = await opened(context);
  await books.organisation("acme");
  await books.applyPrices(simple());
  await take(books, used("1", 1), used("2", 1, { time: "2026-02-28T23:59:59.999Z" }));
  assert.equal(codeOf(await close(books, "2026-03", "me")), "period_out_of_turn");
  const both = await Promise.all([close(books, "2026-02", "a"), close(books, "2026-02", "b")]);
  const running = both.filter((outcome) => codeOf(outcome) === "close_running");
  assert.ok(running.length <= 1);
  assert.deepEqual(
    taken(await close(books, "2026-02", "c")).closedBy,
    ["a", "b"].find((by) => both.some((each) => "closedBy" in each && each.closedBy === by)),
  );
  assert.equal(codeOf(await close(books, "2026-01", "me")), "period_out_of_turn");
  assert.equal(taken(await close(books, "2026-03", "me")).invoices, 1);
  assert.equal(codeOf(await close(books, "2026-Q1", "me")), "invalid_request");
});

test("a close waits for usage that is on its way", async (context) => {
  const books = await opened(context);
  await books.organisation("acme");
  await books.applyPrices(simple());
  const [holding, done] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const way = books.db.transaction().execute(async (transaction) => {
    const held = await hold(books, transaction);
    const customer = await books.organisation("acme");
    const event = {
      customer,
      sku: "m/input-tokens",
      atMs: Date.parse("2026-03-31T23:00:00Z"),
      quantity: parseQuantity("100")!,
      isBatch: false,
    };
    await accrue(books, transaction, { events: [event], reference: "r", held });
    holding.resolve();
    await done.promise;
  });
  await holding.promise;
  const closing = close(books, "2026-03", "me");
  done.resolve();
  await way;
  assert.equal(taken(await closing).totals[0]!.net, "1");
});

test("while somebody closes a period, nobody else does", async (context) => {
  const books = await opened(context);
  await books.db.transaction().execute(async (transaction) => {
    assert.ok(await tryClosing(transaction));
    assert.equal(codeOf(await close(books, "2026-03", "me")), "close_running");
  });
  assert.equal(taken(await close(books, "2026-03", "me", { mayBeEmpty: true })).invoices, 0);
});

test("what a part of the group uses is intersegment revenue", async (context) => {
  const books = await opened(context, { internal: ["research"] });
  await books.organisation("acme");
  await books.organisation("research");
  await books.applyPrices(simple());
  await take(books, used("1", 100), used("1", 300, { customer: "research" }));
  taken(await close(books, "2026-03", "me"));
  const balances = await books.balances();
  assert.deepEqual([balances["revenue/ai-inference EUR"], balances["intersegment/ai-inference EUR"]], ["-1", "-3"]);
});

test("a commitment that nothing was used of, in yen, is accrued and billed when its period closes", async (context) => {
  const books = await opened(context);
  const idle = await books.organisation("idle");
  const contract = {
    contract: "c",
    customer: "idle",
    currency: "JPY",
    versions: [{ version: "1", effectiveFrom: "2026-03-16", commitment: "1000" }],
  };
  await books.applyPrices(
    simple({ contracts: [contract], taxes: [{ jurisdiction: "JP", percent: 10 }], jurisdiction: "JP" }),
  );
  taken(await close(books, "2026-03", "me"));
  // 16 of 31 days of 1000, and 10 % of 516: yen have no minor unit.
  assert.deepEqual(await postingsOf(books, "bill"), ["receivables 568", "revenue/other -516", "tax-payable/JP -52"]);
  assert.equal((await books.balances())["rounding-residual JPY"], "0.129032258065");
  const { items } = taken(await metered(books, {}, { limit: 10, after: undefined }));
  assert.deepEqual(items, []);
  assert.ok(idle.startsWith("org_"));
});

test("what was served is billed, and a posting of its invoice leads back to its receipts", async (context) => {
  const books = await opened(context);
  const acme = await books.organisation("acme");
  await books.applyPrices({
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
  });
  const settlement = (usage: Usage | null) =>
    settlementOf(books, { organisation: acme, model: "m", atMs: Date.parse("2026-03-10T12:00:00.123Z"), usage });
  const tokens = { inputTokens: 30, cachedInputTokens: 10, outputTokens: 5, reasoningTokens: 2 };
  const settlements = [settlement(tokens), settlement(tokens), settlement(null)];
  const shipment = { from: undefined, to: { segment: 1, offset: 9 } };
  for (let times = 0; times < 2; times++) await shipServed(books, settlements, shipment);
  assert.equal((await books.balances())["unbilled-receivables EUR"], "0.7");
  const waiting = taken(await unrated(books, { limit: 10, after: undefined })).items;
  assert.deepEqual(
    waiting.map(({ sku, reference }) => [sku, reference]),
    ["input", "output"].map((kind) => [`m/${kind}-tokens`, settlements[2]!.request]),
  );
  taken(await close(books, "2026-03", "me"));
  const { transaction } = await books.db
    .selectFrom("ledgerPostings")
    .innerJoin("ledgerTransactions", "number", "transaction")
    .select("transaction")
    .where("kind", "=", "bill")
    .executeTakeFirstOrThrow();
  const reasons = taken(await why(books, `${transaction}.2`));
  assert.equal(reasons.posting.account, "revenue/ai-inference");
  assert.deepEqual(
    reasons.lines.map(({ sku, rounded }) => [sku, rounded]),
    [
      ["m/cached-read-tokens", "0.20"],
      ["m/input-tokens", "0.40"],
      ["m/output-tokens", "0.06"],
      ["m/reasoning-tokens", "0.04"],
    ],
  );
  assert.equal(reasons.requests.length, 3);
  assert.ok(reasons.requests.every(({ receipt }) => receipt?.startsWith("rcpt_")));
  const { totals } = taken(await trialBalance(books));
  assert.ok(totals.every(({ debit, credit }) => debit === credit));
});

test("a tenant that goes to another organisation within a month is billed to each for what it used there", async (context) => {
  const books = await opened(context);
  const [acme, globex] = [await books.organisation("acme"), await books.organisation("globex")];
  const sku = "m/input-tokens";
  const version = { version: "1", effectiveFrom: "2026-01-01", prices: [{ sku, unitPrice: "0.01", freeGrant: 100 }] };
  const contract = {
    contract: "g",
    customer: "globex",
    versions: [{ ...version, prices: [{ sku, unitPrice: "0.02" }] }],
  };
  await books.applyPrices({ currency: "EUR", versions: [version], contracts: [contract] });
  const usage = { inputTokens: 1_000, cachedInputTokens: 0, outputTokens: 0, reasoningTokens: 0 };
  const times = ["03-09T23:59:59.999Z", "03-16T12:00:00Z", "03-16T12:00:01Z", "03-31T23:59:59.999Z"];
  const settlements = times.map((time, at) =>
    settlementOf(books, { organisation: at < 2 ? acme : globex, model: "m", atMs: Date.parse(`2026-${time}`), usage }),
  );
  await shipServed(books, settlements, { from: undefined, to: { segment: 1, offset: 9 } });
  // Whoever meters elsewhere goes on with its numbers: they are the organisation's.
  const told = { id: "1", source: "/s", sku, quantity: 500, time: "2026-03-16T12:00:00Z" };
  taken(await record(books, [{ ...told, customer: "acme" }], "call-1"));
  taken(await record(books, [{ ...told, customer: "globex" }], "call-2"));
  assert.equal((await books.balances())["unbilled-receivables EUR"], "74");
  taken(await close(books, "2026-03", "me"));
  const bills = await books.db.selectFrom("invoices").select(["organisation", "net"]).execute();
  assert.deepEqual(Object.fromEntries(bills.map(({ organisation, net }) => [organisation, Number(net)])), {
    // 2,500 tokens, 100 of them granted; and 2,500 at the contract's price.
    [acme]: 24,
    [globex]: 50,
  });
});

test("what is served in the tier batch has the batch's discount, and nothing else does", async (context) => {
  const books = await opened(context);
  const acme = await books.organisation("acme");
  await books.applyPrices({
    currency: "EUR",
    versions: [
      {
        version: "1",
        effectiveFrom: "2026-01-01",
        prices: ["input", "cached-read", "output", "reasoning", "embedding"].map((kind) => ({
          sku: `m/${kind}-tokens`,
          unitPrice: "0.00000123",
          batchDiscountPercent: 35,
        })),
      },
    ],
  });
  const usage = { inputTokens: 30, cachedInputTokens: 10, outputTokens: 5, reasoningTokens: 2 };
  const atMs = Date.parse("2026-03-10T12:00:00Z");
  // All within one second: only their tiers tell them apart.
  const tiers = ["interactive", "standard", "batch", "batch", null, undefined] as const;
  const chats = tiers.map((tier) =>
    settlementOf(books, { organisation: acme, model: "m", atMs, usage, ...(tier !== undefined && { tier }) }),
  );
  const embedding = { inputTokens: 1001, cachedInputTokens: 0, outputTokens: 0, reasoningTokens: 0 };
  const others = [
    { endpoint: "embeddings", usage: embedding },
    { endpoint: "completions", usage },
    { endpoint: "completions", usage: null },
  ].map((more) => settlementOf(books, { organisation: acme, model: "m", atMs, tier: "batch", ...more }));
  await shipServed(books, [...chats, ...others], { from: undefined, to: { segment: 1, offset: 9 } });
  // Of 35 tokens each: 4 at the price, 3 at 65 % of it; and 1,001 embedded ones.
  const unbilled = await books.balances();
  assert.equal(unbilled["unbilled-receivables EUR"], "0.001056447");
  const { items } = taken(await metered(books, {}, { limit: 100, after: undefined }));
  assert.deepEqual(
    items.map(({ id, isBatch }) => [id, isBatch]),
    [...chats, ...others]
      .map(({ request }, index) => [request, index === 2 || index === 3 || index > 5] as const)
      .toSorted(([a], [b]) => (a < b ? -1 : 1)),
  );
  // What nobody had counted has its discount, too, once somebody has.
  const waiting = taken(await unrated(books, { limit: 10, after: undefined })).items;
  assert.deepEqual(
    waiting.map(({ sku, isBatch }) => [sku, isBatch]),
    [
      ["m/input-tokens", true],
      ["m/output-tokens", true],
    ],
  );
  const [first, second] = waiting.map(({ number }) => number);
  taken(await rateUnrated(books, { number: first!, quantity: parseQuantity("100")!, reference: "call" }));
  taken(await rateUnrated(books, { number: second!, quantity: parseQuantity("0")!, reference: "call" }));
  taken(await close(books, "2026-03", "me"));
  const { bill } = await books.db.selectFrom("invoices").select("bill").executeTakeFirstOrThrow();
  const { lines } = JSON.parse(bill) as BillDocument;
  assert.deepEqual(
    lines.map(({ sku, quantity, batchQuantity, amount }) => [sku, quantity, batchQuantity, amount]),
    [
      ["m/cached-read-tokens", "70", "30", "0.000073185"],
      ["m/embedding-tokens", "1001", "1001", "0.0008002995"],
      ["m/input-tokens", "240", "160", "0.00022632"],
      ["m/output-tokens", "21", "9", "0.0000219555"],
      ["m/reasoning-tokens", "14", "6", "0.000014637"],
    ],
  );
});

test("a backup restores the books as they are, closed periods and all", async (context) => {
  const books = await opened(context);
  await books.organisation("acme");
  await books.applyPrices(golden);
  await take(books, ...goldenUsage("acme"), used("5", 3, { sku: "m/nothing" }));
  taken(await close(books, "2026-03", "me"));
  await take(books, used("6", 1_000_000));
  const folder = mkdtempSync(join(tmpdir(), "bailiwick-books-"));
  context.after(() => Promise.resolve(rmSync(folder, { recursive: true })));
  const to = join(folder, "dump");
  const log = (): void => undefined;
  assert.equal((await dump({ connection: books.connection, to, clock: books.clock, log })).outcome, "dumped");
  const connection = await temporary.emptyDatabase();
  assert.equal((await restore({ connection, from: to, log })).outcome, "restored");
  const installation = (await books.db.selectFrom("installation").select("id").executeTakeFirstOrThrow()).id;
  const store = await openStore({ connection, installation, clock: books.clock, log });
  assert.ok(store.outcome === "opened");
  const restored = { ...books, db: store.db };
  assert.deepEqual(await trialBalance(restored), await trialBalance(books));
  assert.deepEqual(await record(restored, goldenUsage("acme"), "call"), recorded(0, 4));
  assert.deepEqual(await close(restored, "2026-03", "other"), await close(books, "2026-03", "me"));
  await store.close();
});
