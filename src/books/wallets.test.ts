import assert from "node:assert/strict";
import { after, before, test, type TestContext } from "node:test";
import { sql } from "kysely";
import { formatAmount, ManualClock } from "../base/index.ts";
import { goldenBuyer, goldenIssuer } from "../invoicing/testing.ts";
import { walletStanding } from "../store/index.ts";
import { type TemporaryPostgres, temporaryPostgres } from "../store/testing.ts";
import {
  applyParty,
  close,
  credit,
  finalize,
  grantCredits,
  makeVoid,
  pay,
  record,
  walletHistory,
  walletsNow,
} from "./index.ts";
import { taken, type TestBooks, testBooks } from "./testing.ts";

let temporary: TemporaryPostgres;

before(async () => {
  temporary = await temporaryPostgres();
});

after(() => temporary.remove());

const prices = {
  currency: "CNY",
  versions: [
    {
      version: "2026",
      effectiveFrom: "2026-01-01",
      prices: [
        { sku: "m/input-tokens", pricePerMillion: "1" },
        { sku: "h800/accelerator-seconds", unitPrice: "1" },
      ],
    },
  ],
};

const used = (id: string, quantity: number, sku = "m/input-tokens", time = "2026-03-02T00:00:00Z") => ({
  id,
  source: "/s",
  customer: "acme",
  time,
  sku,
  quantity,
});

/** Books of an organisation on 2 March, in which every step leaves the trial balance zero. */
async function books(context: TestContext, document: object = prices): Promise<TestBooks> {
  const opened = await testBooks(temporary, { issuer: goldenIssuer });
  context.after(() => opened.close());
  // A clock without timers goes from month to month at once.
  const made = { ...opened, clock: new ManualClock(Date.parse("2026-03-02T00:00:00Z")) };
  await made.organisation("acme");
  await made.applyPrices(document);
  return made;
}

function goTo({ clock }: TestBooks, instant: string): void {
  clock.advance(Date.parse(instant) - clock.nowMs());
}

async function balanced(made: TestBooks): Promise<Record<string, string>> {
  const balances = await made.balances();
  const { rows } = await sql<{ currency: string; sum: string }>`
    SELECT currency, trim_scale(sum(amount))::text AS sum FROM ledger_postings GROUP BY currency`.execute(made.db);
  for (const { sum } of rows) assert.equal(sum, "0");
  return balances;
}

async function usageInvoice({ db }: TestBooks) {
  return db.selectFrom("invoices").selectAll().where("grantId", "is", null).executeTakeFirstOrThrow();
}

const golden = { organisation: "acme", credits: "11000", paid: "10000.00" };

for (const [breakagePercent, recognised, broken, liability] of [
  ["5", "-3800", "-200", "-6000"],
  ["0", "-3800", undefined, "-6200"],
] as const) {
  test(`golden B: 10,000.00 buys 11,000 credits, of which 4,180 are used, with ${breakagePercent} % of breakage expected`, async (context) => {
    const made = await books(context);
    taken(await grantCredits(made, { ...golden, breakagePercent }, "tester"));
    assert.deepEqual(await balanced(made), { "contract-liabilities CNY": "-10000", "receivables CNY": "10000" });
    taken(await record(made, [used("1", 4_180_000_000)], "call"));
    assert.deepEqual(await balanced(made), {
      "contract-liabilities CNY": "-10000",
      "receivables CNY": "10000",
      "revenue/ai-inference CNY": "-4180",
      "unbilled-receivables CNY": "4180",
    });
    goTo(made, "2026-04-02T00:00:00Z");
    taken(await close(made, "2026-03", "tester"));
    assert.deepEqual(await balanced(made), {
      ...(broken === undefined ? {} : { "breakage CNY": broken }),
      "contract-liabilities CNY": liability,
      "receivables CNY": "10000",
      "revenue/ai-inference CNY": recognised,
      "unbilled-receivables CNY": "0",
    });
    const { net, gross, drawn } = await usageInvoice(made);
    assert.deepEqual([net, gross, drawn].map(Number), [4180, 4180, 4180]);
    const [wallet] = walletsNow(await walletStanding(made.db), made.prices.book, made.clock.nowMs());
    assert.deepEqual([wallet!.balance, wallet!.available, wallet!.liability].map(formatAmount), [
      "6820",
      "6820",
      liability.slice(1),
    ]);
  });
}

test("credits are taxed when they are bought, and what goes beyond them when it is billed; the discount is each product's own part", async (context) => {
  const made = await books(context, { ...prices, jurisdiction: "CN", taxes: [{ jurisdiction: "CN", percent: 6 }] });
  taken(await grantCredits(made, { organisation: "acme", credits: "300", paid: "200" }, "tester"));
  taken(await record(made, [used("1", 300_000_000), used("2", 100, "h800/accelerator-seconds")], "call"));
  goTo(made, "2026-04-02T00:00:00Z");
  taken(await close(made, "2026-03", "tester"));
  assert.deepEqual(await balanced(made), {
    "contract-liabilities CNY": "0",
    "receivables CNY": "318",
    "revenue/accelerator-time CNY": "-75",
    "revenue/ai-inference CNY": "-225",
    "tax-payable/CN CNY": "-18",
    "unbilled-receivables CNY": "0",
  });
  const { id, net, gross, drawn } = await usageInvoice(made);
  assert.deepEqual([net, gross, drawn].map(Number), [400, 406, 300]);
  taken(await applyParty(made, (await made.organisation("acme")) as `org_${string}`, goldenBuyer, "tester"));
  const { totals } = taken(await finalize(made, id, "tester"));
  assert.deepEqual([totals.net, totals.tax, totals.payable], ["100.00", "6.00", "106.00"]);
  assert.equal(taken(await pay(made, { invoice: id }, "tester")).amount, "106.00");
  assert.equal((await balanced(made))["receivables CNY"], "212");
  await assert.rejects(sql`UPDATE invoices SET drawn = 1`.execute(made.db), /never changed/);
});

test("gifts earn nothing; priority and expiry say what is drawn, and what ends with a period lapses or rolls over once", async (context) => {
  const made = await books(context);
  const grant = (id: string, more: object) =>
    grantCredits(made, { organisation: "acme", id, credits: "100", paid: "0", ...more }, "tester");
  const soon = { expiresAt: "2026-03-15T00:00:00Z", rollover: { most: "30", until: "2026-04-10T00:00:00Z" } };
  taken(await grant("gift", soon));
  const paid = taken(await grant("paid", { paid: "50", expiresAt: "2026-04-01T00:00:00Z" }));
  taken(await grant("late", { paid: "100", priority: 9 }));
  assert.equal(new Date(paid.expiresMs!).toISOString(), "2026-04-01T00:00:00.000Z");
  // It was to expire on the 15th: it holds to the period's end.
  goTo(made, "2026-03-20T00:00:00Z");
  taken(await record(made, [used("1", 120_000_000, undefined, "2026-03-20T00:00:00Z")], "call"));
  goTo(made, "2026-04-02T00:00:00Z");
  taken(await close(made, "2026-03", "tester"));
  const organisation = (await made.organisation("acme")) as `org_${string}`;
  const wallet = { organisation, currency: "CNY" };
  const told = async () =>
    (
      taken(await walletHistory(made, wallet, { limit: 10, after: undefined })) as {
        items: readonly { kind: string; grant: string; credits: string }[];
      }
    ).items.map(({ kind, grant, credits }) => `${kind} ${grant} ${credits}`);
  const march = ["draw paid 100", "draw gift 20", "lapse gift 50"];
  assert.deepEqual(await told(), march);
  assert.deepEqual(await balanced(made), {
    "contract-liabilities CNY": "-100",
    "receivables CNY": "150",
    "revenue/ai-inference CNY": "-50",
    "unbilled-receivables CNY": "0",
  });
  // 30 of the gift were kept for April, and lapse with it.
  taken(await record(made, [used("2", 10_000_000, undefined, "2026-04-01T12:00:00Z")], "call"));
  const [now] = walletsNow(
    await walletStanding(made.db, { organisations: [organisation] }),
    made.prices.book,
    made.clock.nowMs(),
  );
  assert.deepEqual([now!.balance, now!.unbilled, now!.available, now!.liability].map(formatAmount), [
    "130",
    "10",
    "120",
    "100",
  ]);
  goTo(made, "2026-05-02T00:00:00Z");
  taken(await close(made, "2026-04", "tester"));
  assert.deepEqual(await told(), [...march, "draw gift 10", "lapse gift 20"]);
  await assert.rejects(sql`UPDATE wallet_movements SET credits = 1`.execute(made.db), /reversed and replaced/);
  await assert.rejects(sql`DELETE FROM wallet_grants`.execute(made.db), /reversed and replaced/);
  await assert.rejects(
    sql`INSERT INTO wallet_movements (organisation, grant_id, kind, credits, at, reference, created_at)
      VALUES (${organisation}, 'late', 'draw', 100.000000000001, now(), 'x', now())`.execute(made.db),
    /more is taken/,
  );
});

test("of a wallet neither counts as used nor as there to be used what has lapsed, also before that is closed", async (context) => {
  const made = await books(context);
  const rollover = { most: "4", until: "2026-04-15T00:00:00Z" };
  const grant = { organisation: "acme", credits: "30", paid: "0", expiresAt: "2026-03-15T00:00:00Z", rollover };
  taken(await grantCredits(made, grant, "tester"));
  taken(await record(made, [used("1", 20_000_000)], "call"));
  const usedOf = async (): Promise<string> => {
    const [now] = walletsNow(await walletStanding(made.db), made.prices.book, made.clock.nowMs());
    return `${formatAmount(now!.credits - now!.available)} of ${formatAmount(now!.credits)}`;
  };
  assert.equal(await usedOf(), "20 of 30");
  goTo(made, "2026-04-02T00:00:00Z");
  assert.equal(await usedOf(), "20 of 24");
  taken(await close(made, "2026-03", "tester"));
  assert.equal(await usedOf(), "20 of 24");
  taken(await record(made, [used("2", 1_000_000, undefined, "2026-04-01T12:00:00Z")], "call"));
  assert.equal(await usedOf(), "21 of 24");
});

test("a paid grant that nobody uses is breakage with the period that it ends with", async (context) => {
  const made = await books(context);
  taken(await grantCredits(made, { ...golden, expiresAt: "2026-03-31T00:00:00Z" }, "tester"));
  goTo(made, "2026-04-02T00:00:00Z");
  taken(await close(made, "2026-03", "tester"));
  assert.deepEqual(await balanced(made), {
    "breakage CNY": "-10000",
    "contract-liabilities CNY": "0",
    "receivables CNY": "10000",
  });
});

test("the same grant told again is the same one, also once it has expired, and another body is refused", async (context) => {
  const made = await books(context);
  const asked = { ...golden, id: "order-7", expiresAt: "2026-03-31T00:00:00Z" };
  const first = taken(await grantCredits(made, asked, "tester"));
  goTo(made, "2026-04-02T00:00:00Z");
  const again = await Promise.all([1, 2, 3].map(() => grantCredits(made, { ...asked, paid: "10000" }, "another")));
  for (const each of again) assert.deepEqual(each, first);
  const other = await grantCredits(made, { ...asked, credits: "11001" }, "tester");
  assert.equal("outcome" in other && other.code, "grant_conflict");
  assert.equal((await balanced(made))["receivables CNY"], "10000");
});

for (const [what, more, param] of [
  ["negative credits", { credits: "-1" }, "credits"],
  ["no credits", { credits: "0" }, "credits"],
  ["absurd credits", { credits: "1000000000000.1" }, "credits"],
  ["credits that are no number", { credits: "1e3" }, "credits"],
  ["a negative price", { paid: "-0.01" }, "paid"],
  ["a price with more decimals than the currency", { paid: "0.001" }, "paid"],
  ["an expiry in the past", { expiresAt: "2026-03-01T23:59:59Z" }, "expiresAt"],
  ["an unknown currency", { currency: "XXZ" }, "currency"],
  ["a currency that the organisation is not billed in", { currency: "EUR" }, "currency"],
  ["all of it as breakage", { breakagePercent: "100" }, "breakagePercent"],
  ["a rollover of what never expires", { rollover: { most: "1", until: "2026-05-01T00:00:00Z" } }, "rollover"],
  [
    "a rollover that ends before the grant",
    { expiresAt: "2026-04-10T00:00:00Z", rollover: { most: "1", until: "2026-04-20T00:00:00Z" } },
    "rollover.until",
  ],
] as const) {
  test(`a grant with ${what} is refused, and nothing is posted`, async (context) => {
    const made = await books(context);
    const refused = await grantCredits(made, { ...golden, ...more }, "tester");
    assert.ok("outcome" in refused);
    assert.deepEqual([refused.code, refused.param], ["invalid_request", param]);
    assert.deepEqual(await made.balances(), {});
  });
}

test("a clock that was set back neither posts into what is closed nor makes a grant that would have paid for it", async (context) => {
  const made = await books(context);
  taken(await record(made, [used("1", 5_000_000)], "call"));
  goTo(made, "2026-04-02T00:00:00Z");
  taken(await close(made, "2026-03", "tester"));
  goTo(made, "2026-03-02T00:00:00Z");
  const grant = taken(await grantCredits(made, golden, "tester"));
  assert.equal(new Date(grant.fromMs).toISOString(), "2026-04-01T00:00:00.000Z");
  const past = await grantCredits(made, { ...golden, expiresAt: "2026-03-20T00:00:00Z" }, "tester");
  assert.equal("outcome" in past && past.param, "expiresAt");
  assert.equal((await balanced(made))["contract-liabilities CNY"], "-10000");
});

test("what credits paid for is taken back by no credit note: that is said, and given back it costs nothing", async (context) => {
  const made = await books(context, { ...prices, jurisdiction: "CN", taxes: [{ jurisdiction: "CN", percent: 6 }] });
  await applyParty(made, (await made.organisation("acme")) as never, goldenBuyer, "tester");
  taken(await grantCredits(made, { organisation: "acme", credits: "30", paid: "30" }, "tester"));
  taken(await record(made, [used("1", 50_000_000)], "call"));
  goTo(made, "2026-04-02T00:00:00Z");
  taken(await close(made, "2026-03", "tester"));
  const ofUsage = made.db.selectFrom("invoices").select("id").where("grantId", "is", null);
  const { id } = await ofUsage.executeTakeFirstOrThrow();
  taken(await finalize(made, id, "tester"));
  const whole = await makeVoid(made, { invoice: id, reason: "x" }, "tester");
  assert.match(JSON.stringify(whole), /"paid_by_credits".*30\.00 CNY were paid by credits/);
  const line = { line: "1", amount: "20.01" };
  const more = await credit(made, { invoice: id, reason: "x", what: [line] }, "tester");
  assert.match(JSON.stringify(more), /"paid_by_credits".*20\.00/);
  const note = taken(await credit(made, { invoice: id, reason: "x", what: "all" }, "tester"));
  assert.equal(note.totals.net, "20.00");
  const nothing = await credit(made, { invoice: id, reason: "x", what: "all" }, "tester");
  assert.match(JSON.stringify(nothing), /"paid_by_credits".*Nothing is left/);
  taken(await grantCredits(made, { organisation: "acme", credits: "30", paid: "0" }, "tester"));
  taken(await record(made, [used("2", 30_000_000, "m/input-tokens", "2026-04-02T00:00:00Z")], "call"));
  goTo(made, "2026-05-02T00:00:00Z");
  taken(await close(made, "2026-04", "tester"));
  const balances = await balanced(made);
  // 30.00 were paid, and are earned once.
  assert.deepEqual(
    [balances["revenue/ai-inference CNY"], balances["contract-liabilities CNY"], balances["unbilled-receivables CNY"]],
    ["-30", "0", "0"],
  );
});
