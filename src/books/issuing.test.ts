import assert from "node:assert/strict";
import { after, before, test, type TestContext } from "node:test";
import { sql } from "kysely";
import { ManualClock, type OrganisationId } from "../base/index.ts";
import { linePeriods } from "../invoicing/index.ts";
import { goldenBuyer, goldenIssuer, goldenPrices, goldenUsage } from "../invoicing/testing.ts";
import { issuedDocuments } from "../store/index.ts";
import { type TemporaryPostgres, temporaryPostgres } from "../store/testing.ts";
import {
  accounts,
  applyParty,
  applyPriceBook,
  close,
  credit,
  entries,
  finalize,
  finalizePeriod,
  makeVoid,
  pay,
  preview,
  record,
  trialBalance,
  why,
} from "./index.ts";
import { taken, type TestBooks, testBooks } from "./testing.ts";

let temporary: TemporaryPostgres;

before(async () => {
  temporary = await temporaryPostgres();
});

after(() => temporary.remove());

const account = "revenue/accelerator-time";

/** A closed March in which each customer has used golden A; `known`: how many of them have said who they are. */
async function closedMarch(
  context: TestContext,
  customers: readonly string[],
  { known = customers.length, sells = true }: { known?: number; sells?: boolean } = {},
): Promise<{ readonly books: TestBooks; readonly ids: readonly string[] }> {
  const books = await testBooks(temporary, sells ? { issuer: goldenIssuer } : {});
  context.after(() => books.close());
  const organisations: OrganisationId[] = [];
  for (const customer of customers) organisations.push((await books.organisation(customer)) as OrganisationId);
  await books.applyPrices({
    currency: "CNY",
    versions: [{ version: "2026", effectiveFrom: "2026-01-01", prices: goldenPrices }],
    jurisdiction: "CN",
    taxes: [{ jurisdiction: "CN", percent: 6 }],
  });
  for (const id of organisations.slice(0, known)) taken(await applyParty(books, id, goldenBuyer, "tester"));
  const records = customers.flatMap((customer) =>
    Object.entries(goldenUsage).map(([sku, quantity]) => {
      return { id: sku, source: "/s", customer, time: "2026-03-10T12:00:00Z", sku, quantity };
    }),
  );
  taken(await record(books, records, "call"));
  taken(await close(books, "2026-03", "tester"));
  const rows = await books.db.selectFrom("invoices").select("id").orderBy("id").execute();
  return { books, ids: rows.map(({ id }) => id) };
}

async function stateOf({ db }: TestBooks, id: string): Promise<string> {
  const { state } = await db
    .selectFrom("invoices")
    .select("state")
    .where("id", "=", id as never)
    .executeTakeFirstOrThrow();
  return state;
}

async function numbersIn({ db }: TestBooks): Promise<readonly string[]> {
  return (await issuedDocuments(db, { limit: 1_000 })).map(({ number }) => number).toSorted();
}

function codeOf(result: object): unknown {
  return "code" in result ? result.code : "not refused";
}

test("golden A: a draft becomes final once, credited by numbers of its own, paid by what is left", async (context) => {
  const { books, ids } = await closedMarch(context, ["acme"]);
  const id = ids[0]!;
  assert.equal(codeOf(await credit(books, { invoice: id, reason: "x", what: "all" }, "t")), "invoice_state");
  const invoice = taken(await finalize(books, id, "tester"));
  assert.deepEqual(
    [invoice.number, invoice.issueDate, invoice.dueDate],
    ["INV-2026-000001", "2026-04-02", "2026-05-02"],
  );
  assert.deepEqual([invoice.totals.net, invoice.totals.tax, invoice.totals.payable], ["1912.73", "114.76", "2027.49"]);
  assert.deepEqual([invoice.seller.name, invoice.buyer.name], [goldenIssuer.seller.name, goldenBuyer.name]);
  assert.match(invoice.lines[0]!.usage!.receipts!, /usage\/metered\?invoice=inv_\w+&line=1$/);
  assert.deepEqual(await finalize(books, id, "another"), invoice);
  const part = { account, net: "100.00" };
  const note = taken(await credit(books, { invoice: id, reason: "Outage", what: part }, "tester"));
  assert.deepEqual([note.kind, note.number, note.totals.gross], ["credit-note", "CN-2026-000001", "106.00"]);
  const posted = await books.db
    .selectFrom("ledgerPostings")
    .innerJoin("ledgerTransactions", "number", "transaction")
    .select(["account", "amount"])
    .where("kind", "=", "credit")
    .orderBy("line")
    .execute();
  assert.deepEqual(
    posted.map((each) => `${each.account} ${Number(each.amount)}`),
    [`${account} 100`, "tax-payable/CN 6", "receivables -106"],
  );
  for (const net of ["375.21", "0", "-1", "1.001", "all"]) {
    const refused = await credit(books, { invoice: id, reason: "x", what: { account, net } }, "t");
    assert.equal(codeOf(refused), net === "375.21" ? "credit_exceeds_invoice" : "invalid_request", net);
  }
  const paid = taken(await pay(books, { invoice: id }, "tester"));
  assert.deepEqual(
    [paid.amount, paid.currency, paid.state, paid.paid, paid.open],
    ["1921.49", "CNY", "paid", "1921.49", "0.00"],
  );
  assert.deepEqual(await pay(books, { invoice: id }, "another"), paid);
  assert.equal(await stateOf(books, id), "paid");
  const balances = await books.balances();
  assert.deepEqual([balances["cash CNY"], balances["receivables CNY"]], ["1921.49", "0"]);
  assert.equal(codeOf(await makeVoid(books, { invoice: id, reason: "x" }, "t")), "invoice_state");
});

test("a credit that is asked for again is given once, and another one under its id is refused", async (context) => {
  const { books, ids } = await closedMarch(context, ["acme"]);
  const invoice = ids[0]!;
  taken(await finalize(books, invoice, "tester"));
  const line = (amount: string, more: object = {}) => ({
    id: "outage",
    invoice,
    reason: "x",
    what: [{ line: "1", amount }],
    ...more,
  });
  const note = taken(await credit(books, line("1"), "t"));
  const again = await Promise.all(["1", "1.00", "1"].map((amount) => credit(books, line(amount), "another")));
  for (const each of again) assert.deepEqual(each, note);
  for (const other of [line("2"), line("1", { reason: "y" }), line("1", { what: "all" })]) {
    assert.equal(codeOf(await credit(books, other, "t")), "credit_conflict");
  }
  // Without an id, or under another one, it is another one.
  taken(await credit(books, line("1", { id: undefined }), "t"));
  taken(await credit(books, line("1", { id: "outage-2" }), "t"));
  assert.deepEqual(await numbersIn(books), ["CN-2026-000001", "CN-2026-000002", "CN-2026-000003", "INV-2026-000001"]);
  taken(await makeVoid(books, { invoice, reason: "never ordered" }, "tester"));
  assert.deepEqual(await credit(books, line("1"), "t"), note);
});

test("an invoice is made void by a credit note of all that is left, and owes nothing", async (context) => {
  const { books, ids } = await closedMarch(context, ["acme"]);
  taken(await finalize(books, ids[0]!, "tester"));
  taken(await credit(books, { invoice: ids[0]!, reason: "x", what: [{ line: "1", amount: "1.01" }] }, "t"));
  const note = taken(await makeVoid(books, { invoice: ids[0]!, reason: "never ordered" }, "tester"));
  assert.deepEqual(await makeVoid(books, { invoice: ids[0]!, reason: "asked again" }, "another"), note);
  assert.equal(await stateOf(books, ids[0]!), "void");
  const balances = await books.balances();
  for (const [name, balance] of Object.entries(balances)) {
    // What rounding took away was never on the invoice.
    if (!/^(rounding-residual|revenue\/ai-inference)/.test(name)) assert.equal(balance, "0", name);
  }
  assert.deepEqual(await numbersIn(books), ["CN-2026-000001", "CN-2026-000002", "INV-2026-000001"]);
  assert.equal(codeOf(await pay(books, { invoice: ids[0]! }, "t")), "invoice_state");
});

test("what nobody has said is named, and takes no number", async (context) => {
  const { books, ids } = await closedMarch(context, ["a", "b", "c"], { known: 2 });
  const { issued, refused, refusals, before } = await finalizePeriod(books, "2026-03", "tester");
  assert.deepEqual([issued.length, refusals, refused.length, before], [2, 1, 1, 0]);
  const again = await finalizePeriod(books, "2026-03", "tester");
  assert.deepEqual([again.issued.length, again.refusals, again.before], [0, 1, 2]);
  assert.match(refused[0]!.message, /the party of c \(/);
  assert.equal(await stateOf(books, refused[0]!.invoice), "draft");
  assert.ok(ids.includes(refused[0]!.invoice));
  taken(await applyParty(books, (await books.organisation("c")) as never, goldenBuyer, "tester"));
  assert.equal(taken(await finalize(books, refused[0]!.invoice, "tester")).number, "INV-2026-000003");
  const unsold = await closedMarch(context, ["a"], { known: 0, sells: false });
  const without = await finalize(unsold.books, unsold.ids[0]!, "tester");
  assert.match(String("message" in without && without.message), /billing\.seller.*party of/);
  assert.deepEqual(await numbersIn(unsold.books), []);
  assert.equal(codeOf(await applyParty(books, "org_1", { country: "france" }, "t")), "invalid_request");
});

/** Everything that the database holds, table by table. */
async function contentsOf({ db }: TestBooks): Promise<Record<string, string>> {
  const { rows: tables } = await sql<{ name: string }>`
    SELECT quote_ident(tablename) AS name FROM pg_tables WHERE schemaname = 'public' ORDER BY 1`.execute(db);
  assert.ok(tables.length > 10);
  const contents: Record<string, string> = {};
  for (const { name } of tables) {
    const { rows } = await sql<{ text: string | null }>`
      SELECT string_agg(each::text, chr(10) ORDER BY each::text) AS text FROM ${sql.raw(name)} each`.execute(db);
    contents[name] = rows[0]!.text ?? "";
  }
  return contents;
}

test("a preview says what the invoice then says, takes no number, and leaves the books as they are", async (context) => {
  const { books, ids } = await closedMarch(context, ["acme", "b"]);
  const before = await contentsOf(books);
  const shown = taken(await preview(books, ids[0]!));
  assert.deepEqual([shown.kind, shown.number, shown.missing], ["draft", null, []]);
  assert.deepEqual(await contentsOf(books), before);
  taken(await finalize(books, ids[1]!, "tester"));
  const { kind: _kind, number, ...invoice } = taken(await finalize(books, ids[0]!, "tester"));
  assert.equal(number, "INV-2026-000002");
  const { kind: _draft, number: _none, customerName, net, missing: _missing, ...told } = shown;
  assert.deepEqual(told, invoice);
  assert.deepEqual([["acme", "b"].includes(customerName), net], [true, invoice.totals.net]);
  assert.equal(codeOf(await preview(books, ids[0]!)), "invoice_state");
  assert.equal(codeOf(await preview(books, "inv_none")), "not_found");
});

test("a preview shows what is known, and says what is not", async (context) => {
  const { books, ids } = await closedMarch(context, ["acme"], { known: 0, sells: false });
  const { seller, buyer, customerName, totals, missing } = taken(await preview(books, ids[0]!));
  assert.deepEqual([seller, buyer, customerName, totals?.gross], [null, null, "acme", "2027.49"]);
  assert.equal(missing.length, 1);
  assert.match(missing[0]!, /^What is missing: the seller \(setting `billing\.seller`\), and the party of acme \(/);
  const { vatId: _vatId, ...unregistered } = goldenIssuer.seller;
  const selling = { ...books, issuer: { ...goldenIssuer, seller: unregistered } };
  taken(await applyParty(selling, (await books.organisation("acme")) as never, goldenBuyer, "tester"));
  assert.deepEqual(taken(await preview(selling, ids[0]!)).missing, [
    "The seller has neither a vatId nor a taxRegistration.",
  ]);
});

test("whoever issues at once, and whatever fails between, numbers have no gap and are there once", async (context) => {
  const customers = Array.from({ length: 12 }, (_each, at) => `c${at}`);
  const { books, ids } = await closedMarch(context, customers, { known: 9 });
  await Promise.all(ids.flatMap((id) => [finalize(books, id, "one"), finalize(books, id, "two")]));
  const expected = Array.from({ length: 9 }, (_each, at) => `INV-2026-${String(at + 1).padStart(6, "0")}`);
  assert.deepEqual(await numbersIn(books), expected);
  const drafts = await books.db.selectFrom("invoices").select("id").where("state", "=", "draft").execute();
  assert.equal(drafts.length, 3);
  const { totals } = taken(await trialBalance(books));
  assert.ok(totals.every(({ debit, credit: credited }) => debit === credited));
});

test("the database keeps what was issued as it was, and each invoice on its way", async (context) => {
  const { books, ids } = await closedMarch(context, ["acme"]);
  const set = (state: "final" | "paid") =>
    books.db
      .updateTable("invoices")
      .set({ state })
      .where("id", "=", ids[0]! as never)
      .execute();
  await assert.rejects(set("final"), /final once its document is there/);
  await assert.rejects(set("paid"), /draft does not become paid/);
  taken(await finalize(books, ids[0]!, "tester"));
  await assert.rejects(books.db.updateTable("invoiceDocuments").set({ document: "{}" }).execute(), /never changed/);
  await assert.rejects(books.db.deleteFrom("invoiceDocuments").execute(), /never changed/);
});

test("what is credited comes out of the account that the bill went into, whoever is a part of the group by now", async (context) => {
  const { books, ids } = await closedMarch(context, ["acme"]);
  taken(await finalize(books, ids[0]!, "tester"));
  const within = { ...books, internal: ["acme"] };
  const intersegment = { account: "intersegment/accelerator-time", net: "1.00" };
  const refused = await credit(within, { invoice: ids[0]!, reason: "x", what: intersegment }, "t");
  assert.equal(codeOf(refused), "credit_exceeds_invoice");
  taken(await credit(within, { invoice: ids[0]!, reason: "x", what: { account, net: "1.00" } }, "t"));
  taken(await credit(within, { invoice: ids[0]!, reason: "x", what: [{ line: "1", amount: "1.00" }] }, "t"));
  const internal = Object.keys(await books.balances()).filter((name) => name.startsWith("intersegment"));
  assert.deepEqual(internal, []);
});

test("a clock that was set back into a closed month credits and pays in the open one", async (context) => {
  const { books, ids } = await closedMarch(context, ["acme", "other"]);
  taken(await finalizePeriod(books, "2026-03", "tester"));
  const before = taken(await trialBalance(books, "2026-03"));
  books.clock.advance(-5 * 86_400_000);
  taken(await credit(books, { invoice: ids[0]!, reason: "x", what: { account, net: "1.00" } }, "t"));
  taken(await pay(books, { invoice: ids[0]! }, "t"));
  taken(await makeVoid(books, { invoice: ids[1]!, reason: "x" }, "t"));
  assert.deepEqual(await trialBalance(books, "2026-03"), before);
  const posted = await books.db
    .selectFrom("ledgerTransactions")
    .select(["period", "at"])
    .where("kind", "in", ["credit", "payment"])
    .execute();
  assert.deepEqual(
    posted.map(({ period, at }) => `${period} ${at.toISOString()}`),
    Array.from({ length: 3 }, () => "2026-04 2026-04-01T00:00:00.000Z"),
  );
});

const march = (more: object) => ({
  currency: "CNY",
  versions: [{ version: "2026", effectiveFrom: "2026-01-01", prices: goldenPrices }],
  jurisdiction: "CN",
  ...more,
});

test("a draft that closed without a rate of tax becomes final with the one that is known by then", async (context) => {
  const books = await testBooks(temporary, { issuer: goldenIssuer });
  context.after(() => books.close());
  for (const customer of ["acme", "b"]) {
    const id = (await books.organisation(customer)) as OrganisationId;
    taken(await applyParty(books, id, goldenBuyer, "tester"));
    const records = Object.entries(goldenUsage).map(([sku, quantity]) => {
      return { id: sku, source: "/s", customer, time: "2026-03-10T12:00:00Z", sku, quantity };
    });
    await books.applyPrices(march({ customers: [{ customer: "b", jurisdiction: "US" }] }));
    taken(await record(books, records, "call"));
  }
  const closed = taken(await close(books, "2026-03", "tester"));
  assert.deepEqual(
    closed.warnings.map((warning) => warning.slice(0, 43)),
    ["no rate of tax is known for acme, b: none w"],
  );
  const drafts = await books.db.selectFrom("invoices").select(["id", "organisation"]).orderBy("id").execute();
  const idOf = async (name: string): Promise<string> => {
    const organisation = await books.organisation(name);
    return drafts.find((each) => each.organisation === organisation)!.id;
  };
  const [acme, b] = [await idOf("acme"), await idOf("b")];
  assert.equal(codeOf(await finalize(books, acme, "t")), "invoice_incomplete");
  const untold = taken(await preview(books, acme));
  assert.deepEqual([untold.net, untold.tax, untold.totals, untold.missing.length], ["1912.73", null, null, 1]);
  assert.match(untold.missing[0]!, /No rate of tax is known/);
  const apply = async (basedOn: number, taxes: readonly object[]) => {
    const document = march({ taxes, customers: [{ customer: "b", jurisdiction: "US" }] });
    taken(await applyPriceBook(books, { basedOn, document, by: "me" }));
  };
  const rates = [
    { jurisdiction: "CN", percent: 6 },
    // Not yet in March: a rate is that of the period's end.
    { jurisdiction: "US", percent: 9, effectiveFrom: "2026-04-01" },
  ];
  await apply(2, rates);
  const before = await books.balances();
  assert.equal(taken(await preview(books, acme)).totals?.gross, "2027.49");
  const invoice = taken(await finalize(books, acme, "t"));
  assert.deepEqual(
    [invoice.number, invoice.totals.tax, invoice.totals.gross],
    ["INV-2026-000001", "114.76", "2027.49"],
  );
  assert.equal(codeOf(await finalize(books, b, "t")), "invoice_incomplete");
  await apply(3, [{ jurisdiction: "US", percent: 0 }]);
  const untaxed = taken(await finalize(books, b, "t"));
  assert.deepEqual([untaxed.tax.category, untaxed.totals.gross], ["Z", "1912.73"]);
  // March is closed: what is owed more is posted today.
  const posted = await books.db
    .selectFrom("ledgerPostings")
    .innerJoin("ledgerTransactions", "number", "transaction")
    .select(["account", "amount", "period"])
    .where("kind", "=", "tax")
    .orderBy("line")
    .execute();
  assert.deepEqual(
    posted.map(({ account, amount, period }) => `${period} ${account} ${Number(amount)}`),
    ["2026-04 receivables 114.76", "2026-04 tax-payable/CN -114.76"],
  );
  const receivables = [before, await books.balances()].map((each) => each["receivables CNY"]);
  assert.deepEqual(receivables, ["3825.46", "3940.22"]);
  const again = taken(await close(books, "2026-03", "tester"));
  assert.deepEqual([again.warnings, again.totals[0]!.tax, again.totals[0]!.gross], [[], "114.76", "3940.22"]);
  assert.deepEqual(await finalize(books, acme, "t"), invoice);
  assert.equal(taken(await pay(books, { invoice: acme }, "t")).amount, "2027.49");
  // What is final is not taxed again.
  const change = books.db
    .updateTable("invoices")
    .set({ tax: "0", gross: "1912.73" })
    .where("id", "=", acme as never);
  await assert.rejects(change.execute(), /what an invoice says is never changed/);
});

test("a final invoice has the price book's prices by the hour, and of usage that came late when it was used", async (context) => {
  const books = await testBooks(temporary, { issuer: goldenIssuer });
  context.after(() => books.close());
  const organisation = (await books.organisation("acme")) as OrganisationId;
  const sku = "h100/accelerator-seconds";
  await books.applyPrices({
    currency: "CNY",
    versions: [{ version: "2026", effectiveFrom: "2026-01-01", prices: [{ sku, pricePerHour: "2.50" }] }],
    contracts: [
      {
        contract: "c",
        customer: "acme",
        versions: [{ version: "1", effectiveFrom: "2026-01-01", discountPercent: "12.5" }],
      },
    ],
    jurisdiction: "CN",
    taxes: [{ jurisdiction: "CN", percent: 6 }],
  });
  taken(await applyParty(books, organisation, goldenBuyer, "tester"));
  const use = async (id: string, time: string, quantity: string): Promise<void> => {
    taken(await record(books, [{ id, source: "/s", customer: "acme", time, sku, quantity }], "call"));
  };
  await use("1", "2026-03-10T12:00:00Z", "100003");
  taken(await close(books, "2026-03", "tester"));
  await use("late", "2026-03-11T12:00:00Z", "7777");
  await use("2", "2026-04-01T12:00:00Z", "50001");
  books.clock.advance(40 * 86_400_000);
  taken(await close(books, "2026-04", "tester"));
  const drafts = await books.db.selectFrom("invoices").select("id").orderBy("period").execute();
  const told: unknown[] = [];
  for (const { id } of drafts) {
    const { lines, period, timeZone } = taken(await finalize(books, id, "tester"));
    const periodOf = linePeriods({ period, timeZone });
    for (const line of lines) told.push([line.quantity, line.price, periodOf(line)!.startDate]);
  }
  const price = { amount: "2.5", baseQuantity: "3600", isExact: true };
  assert.deepEqual(told, [
    ["100003", price, "2026-03-01"],
    ["7777", price, "2026-03-01"],
    ["50001", price, "2026-04-01"],
  ]);
});

test("the chart of accounts has the taxes of the price book before any is owed", async (context) => {
  const books = await testBooks(temporary);
  context.after(() => books.close());
  await books.applyPrices({ currency: "CNY", versions: [], taxes: [{ jurisdiction: "CN", percent: 6 }] });
  assert.ok((await accounts(books)).some(({ account: name }) => name === "tax-payable/CN"));
});

test("a posting names the document that it belongs to, and of two credit notes of one amount each its own", async (context) => {
  const { books, ids } = await closedMarch(context, ["acme", "bolt"]);
  const [id, other] = ids as [string, string];
  const told = async () => {
    const { items } = taken(await entries(books, { period: undefined }, { limit: 100, after: undefined }));
    return items
      .filter(({ kind, reference }) => kind !== "accrual" && reference === id)
      .map(({ kind, documentNumber }) => `${kind} ${documentNumber}`);
  };
  assert.deepEqual(await told(), ["reversal null", "bill null"]);
  for (const each of [other, id]) taken(await finalize(books, each, "tester"));
  const back = async (invoice: string, net: string, at = books) =>
    taken(await credit(at, { invoice, reason: "Outage", what: { account, net } }, "tester")).number;
  const numbers = [
    await back(id, "100.00"),
    await back(id, "30.00"),
    await back(other, "100.00"),
    await back(id, "100.00"),
  ];
  assert.deepEqual(
    numbers,
    [1, 2, 3, 4].map((each) => `CN-2026-00000${each}`),
  );
  // The next year's numbers begin again.
  const later = { ...books, clock: new ManualClock(Date.parse("2027-01-02T00:00:00Z")) };
  assert.equal(await back(id, "100.00", later), "CN-2027-000001");
  assert.deepEqual(await told(), [
    "reversal INV-2026-000002",
    "bill INV-2026-000002",
    "credit CN-2026-000001",
    "credit CN-2026-000002",
    "credit CN-2026-000004",
    "credit CN-2027-000001",
  ]);
  const posted = await books.db
    .selectFrom("ledgerTransactions")
    .select("number")
    .where("kind", "=", "credit")
    .where("reference", "=", id)
    .orderBy("number")
    .execute();
  const why3 = taken(await why(books, `${posted[2]!.number}.1`));
  assert.deepEqual([why3.transaction.documentNumber, why3.invoice], ["CN-2026-000004", id]);
});
