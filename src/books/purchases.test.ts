import assert from "node:assert/strict";
import { after, before, test, type TestContext } from "node:test";
import { sql } from "kysely";
import { formatAmount, ManualClock, type OrganisationId } from "../base/index.ts";
import { type Invoice, paperOf } from "../invoicing/index.ts";
import { goldenBuyer, goldenIssuer, goldenPurchase } from "../invoicing/testing.ts";
import { issuedDocuments, walletStanding } from "../store/index.ts";
import { type TemporaryPostgres, temporaryPostgres } from "../store/testing.ts";
import {
  applyParty,
  close,
  credit,
  finalize,
  finalizePeriod,
  grantCredits,
  makeVoid,
  pay,
  preview,
  record,
  walletHistory,
  walletsNow,
  why,
} from "./index.ts";
import { taken, type TestBooks, testBooks } from "./testing.ts";

let temporary: TemporaryPostgres;

before(async () => {
  temporary = await temporaryPostgres();
});

after(() => temporary.remove());

const golden = { organisation: "acme", credits: "11000", paid: "10000.00", id: "order-7" };

interface Acme extends TestBooks {
  readonly acme: OrganisationId;
}

/** Books of an organisation on 2 March, with 6 % VAT; `isKnown`: it has said who it is. */
async function books(context: TestContext, { isKnown = true } = {}): Promise<Acme> {
  const opened = await testBooks(temporary, { issuer: goldenIssuer });
  context.after(() => opened.close());
  const made = { ...opened, clock: new ManualClock(Date.parse("2026-03-02T00:00:00Z")) };
  const acme = (await made.organisation("acme")) as OrganisationId;
  await made.applyPrices({
    currency: "CNY",
    jurisdiction: "CN",
    taxes: [{ jurisdiction: "CN", percent: 6 }],
    versions: [
      { version: "2026", effectiveFrom: "2026-01-01", prices: [{ sku: "m/input-tokens", pricePerMillion: "1" }] },
    ],
  });
  if (isKnown) taken(await applyParty(made, acme, goldenBuyer, "tester"));
  return { ...made, acme };
}

function goTo({ clock }: TestBooks, instant: string): void {
  clock.advance(Date.parse(instant) - clock.nowMs());
}

/** What has a balance; all of it comes to nothing. */
async function balanced(made: TestBooks): Promise<Record<string, string>> {
  const { rows } = await sql<{ sum: string }>`SELECT sum(amount) AS sum FROM ledger_postings GROUP BY currency`.execute(
    made.db,
  );
  for (const { sum } of rows) assert.equal(Number(sum), 0);
  return Object.fromEntries(Object.entries(await made.balances()).filter(([, balance]) => balance !== "0"));
}

async function stateOf({ db }: TestBooks, invoice: string): Promise<string> {
  const row = await db
    .selectFrom("invoices")
    .select("state")
    .where("id", "=", invoice as never)
    .executeTakeFirst();
  return row!.state;
}

async function walletOf({ db, prices, clock, acme }: Acme) {
  const [wallet] = walletsNow(await walletStanding(db, { organisations: [acme] }), prices.book, clock.nowMs());
  return { balance: formatAmount(wallet!.balance), liability: formatAmount(wallet!.liability) };
}

async function movementsOf(made: Acme): Promise<readonly string[]> {
  const wallet = { organisation: made.acme, currency: "CNY" };
  const { items } = taken(await walletHistory(made, wallet, { limit: 10, after: undefined }));
  return items.map(({ kind, grant, credits }) => `${kind} ${grant} ${credits}`);
}

function codeOf(result: object): unknown {
  return "code" in result ? result.code : "not refused";
}

const used = { id: "1", source: "/s", customer: "acme", time: "2026-03-02T00:00:00Z", sku: "m/input-tokens" };

async function textOf(invoice: Invoice, format: "ubl" | "cii"): Promise<string> {
  const made = await paperOf(invoice, format);
  assert.ok(made.outcome === "written");
  return Buffer.from(made.paper.bytes).toString("utf8");
}

test("golden B: what is bought and paid on the spot is a paid invoice of 10,600.00, and its use one of nothing", async (context) => {
  const made = await books(context);
  const grant = taken(await grantCredits(made, { ...golden, breakagePercent: "5", received: true }, "tester"));
  assert.equal(await stateOf(made, grant.invoice!), "paid");
  const bought = taken(await finalize(made, grant.invoice!, "another"));
  const { customer, number, issueDate, dueDate, ...same } = bought;
  const { customer: _acme, number: _number, issueDate: _day, dueDate: _due, ...expected } = goldenPurchase();
  assert.deepEqual(same, { ...expected, timeZone: "UTC" });
  assert.deepEqual([customer, number, issueDate, dueDate], [made.acme, "INV-2026-000001", "2026-03-02", "2026-04-01"]);
  assert.deepEqual(taken(await pay(made, { invoice: grant.invoice! }, "tester")).amount, "10600.00");
  assert.deepEqual(await balanced(made), {
    "cash CNY": "10600",
    "contract-liabilities CNY": "-10000",
    "tax-payable/CN CNY": "-600",
  });
  taken(await record(made, [{ ...used, quantity: 4_180_000_000 }], "call"));
  goTo(made, "2026-04-02T00:00:00Z");
  assert.deepEqual([taken(await close(made, "2026-03", "tester")).invoices], [1]);
  const { issued } = await finalizePeriod(made, "2026-03", "tester");
  assert.deepEqual(
    issued.map((each) => each.number),
    ["INV-2026-000002"],
  );
  const drawn = taken(await finalize(made, issued[0]!.invoice, "tester"));
  assert.deepEqual([drawn.totals.net, drawn.totals.tax, drawn.totals.payable], ["0.00", "0.00", "0.00"]);
  const row = await made.db.selectFrom("invoices").selectAll().where("grantId", "is", null).executeTakeFirstOrThrow();
  assert.deepEqual([row.drawn, row.drawnCost].map(Number), [4180, 3800]);
  const [allowance] = drawn.lines[0]!.allowances;
  assert.deepEqual([allowance!.kind, allowance!.amount, allowance!.cost], ["drawn", "4180.00", "3800"]);
  assert.deepEqual(await balanced(made), {
    "breakage CNY": "-200",
    "cash CNY": "10600",
    "contract-liabilities CNY": "-6000",
    "revenue/ai-inference CNY": "-3800",
    "tax-payable/CN CNY": "-600",
  });
  const ubl = await textOf(bought, "ubl");
  assert.match(ubl, /<cbc:PrepaidAmount currencyID="CNY">10600.00</);
  assert.match(ubl, /<cbc:PayableAmount currencyID="CNY">0.00</);
  const cii = await textOf(bought, "cii");
  assert.match(cii, /<ram:TotalPrepaidAmount>10600.00</);
  assert.match(cii, /<ram:DuePayableAmount>0.00</);
  for (const format of ["ubl", "cii"] as const) assert.match(await textOf(drawn, format), /Drawn from prepaid credits/);
});

test("a purchase that is owed is a draft, then final under the next number, then paid; its posting leads to it", async (context) => {
  const made = await books(context);
  const { invoice } = taken(await grantCredits(made, golden, "tester"));
  assert.equal(await stateOf(made, invoice!), "draft");
  assert.equal(codeOf(await pay(made, { invoice: invoice! }, "tester")), "invoice_state");
  assert.deepEqual(taken(await grantCredits(made, golden, "tester")).invoice, invoice);
  const { issued } = await finalizePeriod(made, "2026-03", "tester");
  assert.deepEqual(issued, [{ invoice, number: "INV-2026-000001" }]);
  const { totals, period } = taken(await finalize(made, invoice!, "tester"));
  assert.deepEqual([totals.gross, totals.prepaid, totals.payable, period], ["10600.00", "0.00", "10600.00", null]);
  const owed = { "contract-liabilities CNY": "-10000", "tax-payable/CN CNY": "-600" };
  assert.deepEqual(await balanced(made), { ...owed, "receivables CNY": "10600" });
  taken(await pay(made, { invoice: invoice! }, "tester"));
  assert.deepEqual(await balanced(made), { ...owed, "cash CNY": "10600" });
  const told = taken(await why(made, "1.1"));
  assert.deepEqual([told.transaction.kind, told.invoice, told.lines], ["purchase", invoice, []]);
  const gift = taken(await grantCredits(made, { organisation: "acme", credits: "5", paid: "0" }, "tester"));
  assert.equal(gift.invoice, null);
});

test("a purchase that is void leaves no credits that nobody paid for, and the same grant is not made again", async (context) => {
  const made = await books(context);
  const { invoice } = taken(await grantCredits(made, golden, "tester"));
  taken(await finalize(made, invoice!, "tester"));
  taken(await record(made, [{ ...used, quantity: 7_000_000 }], "call"));
  const note = taken(await makeVoid(made, { invoice: invoice!, reason: "never ordered" }, "tester"));
  assert.deepEqual(
    [note.number, note.totals.gross, note.lines[0]!.sku],
    ["CN-2026-000001", "10600.00", "wallet/credits"],
  );
  assert.equal(await stateOf(made, invoice!), "void");
  assert.deepEqual(await walletOf(made), { balance: "0", liability: "0" });
  assert.deepEqual(await movementsOf(made), ["return order-7 11000"]);
  const again = taken(await grantCredits(made, golden, "tester"));
  assert.deepEqual([again.invoice, formatAmount(again.returned)], [invoice, "11000"]);
  goTo(made, "2026-04-02T00:00:00Z");
  taken(await close(made, "2026-03", "tester"));
  // What was used in the meantime is owed.
  assert.deepEqual(await balanced(made), {
    "receivables CNY": "7.42",
    "revenue/ai-inference CNY": "-7",
    "tax-payable/CN CNY": "-0.42",
  });
  assert.deepEqual(await movementsOf(made), ["return order-7 11000"]);
});

test("a paid purchase is credited as a whole: what was paid is owed to the customer, and the credits are gone", async (context) => {
  const made = await books(context);
  const { invoice } = taken(await grantCredits(made, { ...golden, received: true }, "tester"));
  const all = { invoice: invoice!, reason: "x", what: "all" } as const;
  for (const what of [{ account: "contract-liabilities", net: "10000" }, [{ line: "1", amount: "1" }]] as const) {
    assert.equal(codeOf(await credit(made, { ...all, what }, "tester")), "invalid_request");
  }
  assert.equal(codeOf(await makeVoid(made, all, "tester")), "invoice_state");
  taken(await credit(made, all, "tester"));
  assert.deepEqual(await balanced(made), { "cash CNY": "10600", "receivables CNY": "-10600" });
  assert.deepEqual(await walletOf(made), { balance: "0", liability: "0" });
  assert.equal(codeOf(await credit(made, all, "tester")), "credit_exceeds_invoice");
});

test("a purchase of which anything was used or has lapsed is not taken back", async (context) => {
  const made = await books(context);
  const grants = [
    { ...golden, id: "drawn", priority: -1 },
    { ...golden, id: "lapsed", expiresAt: "2026-03-20T00:00:00Z", priority: 1 },
  ];
  const invoices: string[] = [];
  for (const each of grants) invoices.push(taken(await grantCredits(made, each, "tester")).invoice!);
  taken(await record(made, [{ ...used, quantity: 1_000_000 }], "call"));
  goTo(made, "2026-04-02T00:00:00Z");
  taken(await close(made, "2026-03", "tester"));
  await finalizePeriod(made, "2026-03", "tester");
  const before = await balanced(made);
  for (const invoice of invoices) {
    const what = { invoice, reason: "x", what: "all" } as const;
    assert.equal(codeOf(await credit(made, what, "tester")), "credits_used");
    assert.equal(codeOf(await makeVoid(made, what, "tester")), "credits_used");
    assert.equal(await stateOf(made, invoice), "final");
  }
  assert.deepEqual(await balanced(made), before);
  assert.deepEqual(await movementsOf(made), ["draw drawn 1", "lapse lapsed 11000"]);
});

test("what is paid on the spot by somebody whom nobody knows is refused, and nothing is granted", async (context) => {
  const made = await books(context, { isKnown: false });
  const refused = await grantCredits(made, { ...golden, received: true }, "tester");
  assert.equal(codeOf(refused), "invoice_incomplete");
  assert.deepEqual(await made.balances(), {});
  const gift = await grantCredits(made, { ...golden, paid: "0", received: true }, "tester");
  assert.ok("outcome" in gift);
  assert.deepEqual([gift.code, gift.param], ["invalid_request", "received"]);
  const { invoice } = taken(await grantCredits(made, golden, "tester"));
  assert.equal(codeOf(await finalize(made, invoice!, "tester")), "invoice_incomplete");
  const shown = taken(await preview(made, invoice!));
  assert.deepEqual([shown.number, shown.buyer, shown.lines[0]!.quantity], [null, null, "11000"]);
  assert.deepEqual([shown.totals?.gross, shown.totals?.payable], ["10600.00", "10600.00"]);
  assert.match(shown.missing.join(" "), /the party of acme/);
  // A grant that says otherwise how it was paid is another one.
  assert.equal(codeOf(await grantCredits(made, { ...golden, received: true }, "tester")), "grant_conflict");
});

test("a draft purchase is not taken back, and the refusal says what is to be said and done first", async (context) => {
  const made = await books(context);
  const unknown = await made.organisation("globex");
  const { invoice } = taken(await grantCredits(made, { ...golden, organisation: unknown }, "tester"));
  const known = taken(await grantCredits(made, golden, "tester")).invoice!;
  const told = async (asked: string): Promise<readonly string[]> => {
    const what = { invoice: asked, reason: "a slip" };
    const refusals = [await makeVoid(made, what, "tester"), await credit(made, { ...what, what: "all" }, "tester")];
    return refusals.map((refusal) => ("code" in refusal ? `${refusal.code}: ${refusal.message}` : "done"));
  };
  const [first, second] = await told(invoice!);
  assert.match(first!, /^invoice_state: .* its credits hold already\. Make it final .* then take it back/);
  assert.match(first!, /What is missing: the party of globex \(`organisation party set`\)\. Say that first\.$/);
  assert.equal(first, second);
  assert.match((await told(known))[0]!, /its credits go with it\.$/);
  assert.equal(await stateOf(made, known), "draft");
});

test("a purchase is billed in the period in which it was issued, and its usage in its own", async (context) => {
  const made = await books(context);
  taken(await grantCredits(made, golden, "tester"));
  taken(await record(made, [{ ...used, quantity: 1_000_000 }], "call"));
  goTo(made, "2026-04-02T00:00:00Z");
  taken(await close(made, "2026-03", "tester"));
  await finalizePeriod(made, "2026-03", "tester");
  assert.deepEqual(await billedIn(made, "2026-03", "31"), ["invoice m/input-tokens"]);
  assert.deepEqual(await billedIn(made, "2026-04", "30"), ["invoice wallet/credits"]);
});

test("a credit note of usage is billed in the period in which it was issued, and its invoice in its own", async (context) => {
  const made = await books(context);
  taken(await record(made, [{ ...used, quantity: 1_000_000 }], "call"));
  goTo(made, "2026-04-02T00:00:00Z");
  taken(await close(made, "2026-03", "tester"));
  await finalizePeriod(made, "2026-03", "tester");
  const { id } = await made.db.selectFrom("invoices").select("id").executeTakeFirstOrThrow();
  goTo(made, "2026-05-20T00:00:00Z");
  taken(await credit(made, { invoice: id, reason: "Outage", what: "all" }, "tester"));
  assert.deepEqual(await billedIn(made, "2026-03", "31"), ["invoice m/input-tokens"]);
  assert.deepEqual(await billedIn(made, "2026-04", "30"), []);
  assert.deepEqual(await billedIn(made, "2026-05", "31"), ["credit-note m/input-tokens"]);
});

async function billedIn({ db }: TestBooks, name: string, lastDay: string): Promise<readonly string[]> {
  const period = { name, startDate: `${name}-01`, endDate: `${name}-${lastDay}` };
  const found = await issuedDocuments(db, { billedIn: period, limit: 10 });
  return found.map(({ kind, document }) => `${kind} ${(JSON.parse(document) as Invoice).lines[0]!.sku}`);
}

test("the database keeps a purchase to its grant: one invoice, returned as a whole, and neither is changed", async (context) => {
  const made = await books(context);
  const { invoice } = taken(await grantCredits(made, golden, "tester"));
  await assert.rejects(sql`UPDATE invoices SET grant_id = NULL`.execute(made.db), /never changed/);
  const copied = sql`INSERT INTO invoices (id, organisation, period, currency, bill, net, tax, gross, residual, grant_id, created_at)
    SELECT 'inv_2', organisation, period, currency, bill, net, tax, gross, residual, grant_id, created_at FROM invoices
    WHERE id = ${invoice}`;
  await assert.rejects(copied.execute(made.db), /invoices_of_grants/);
  const part = sql`INSERT INTO wallet_movements (organisation, grant_id, kind, credits, at, reference, created_at)
    VALUES (${made.acme}, 'order-7', 'return', 10999, now(), 'x', now())`;
  await assert.rejects(part.execute(made.db), /returned as a whole/);
});
