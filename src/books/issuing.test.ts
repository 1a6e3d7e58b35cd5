import assert from "node:assert/strict";
import { after, before, test, type TestContext } from "node:test";
import type { OrganisationId } from "../base/index.ts";
import { goldenParties, goldenPrices, goldenUsage } from "../invoicing/testing.ts";
import { issuedDocuments } from "../store/index.ts";
import { type TemporaryPostgres, temporaryPostgres } from "../store/testing.ts";
import {
  accounts,
  applyParty,
  close,
  credit,
  finalize,
  finalizePeriod,
  makeVoid,
  pay,
  record,
  trialBalance,
} from "./index.ts";
import { taken, type TestBooks, testBooks } from "./testing.ts";

let temporary: TemporaryPostgres;

before(async () => {
  temporary = await temporaryPostgres();
});

after(() => temporary.remove());

const { seller, payment, buyers } = goldenParties;
const issuer = { seller, payment, dueDays: 30, numbers: { invoice: "INV", creditNote: "CN" } };
const { customer: _, ...party } = buyers[0]!;
const account = "revenue/accelerator-time";

/** A closed March in which each customer has used golden A; `known`: how many of them have said who they are. */
async function closedMarch(
  context: TestContext,
  customers: readonly string[],
  { known = customers.length, sells = true }: { known?: number; sells?: boolean } = {},
): Promise<{ readonly books: TestBooks; readonly ids: readonly string[] }> {
  const books = await testBooks(temporary, sells ? { issuer } : {});
  context.after(() => books.close());
  const organisations: OrganisationId[] = [];
  for (const customer of customers) organisations.push((await books.organisation(customer)) as OrganisationId);
  await books.applyPrices({
    currency: "CNY",
    versions: [{ version: "2026", effectiveFrom: "2026-01-01", prices: goldenPrices }],
    jurisdiction: "CN",
    taxes: [{ jurisdiction: "CN", percent: 6 }],
  });
  for (const id of organisations.slice(0, known)) taken(await applyParty(books, id, party, "tester"));
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
  assert.deepEqual([invoice.seller.name, invoice.buyer.name], [seller.name, party.name]);
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
  assert.deepEqual(await pay(books, id), { invoice: id, amount: "1921.49", currency: "CNY" });
  assert.deepEqual(await pay(books, id), { invoice: id, amount: "1921.49", currency: "CNY" });
  assert.equal(await stateOf(books, id), "paid");
  const balances = await books.balances();
  assert.deepEqual([balances["cash CNY"], balances["receivables CNY"]], ["1921.49", "0"]);
  assert.equal(codeOf(await makeVoid(books, { invoice: id, reason: "x" }, "t")), "invoice_state");
});

test("an invoice is made void by a credit note of all that is left, and owes nothing", async (context) => {
  const { books, ids } = await closedMarch(context, ["acme"]);
  taken(await finalize(books, ids[0]!, "tester"));
  taken(await credit(books, { invoice: ids[0]!, reason: "x", what: [{ line: "1", amount: "1.01" }] }, "t"));
  taken(await makeVoid(books, { invoice: ids[0]!, reason: "never ordered" }, "tester"));
  assert.equal(await stateOf(books, ids[0]!), "void");
  const balances = await books.balances();
  for (const [name, balance] of Object.entries(balances)) {
    // What rounding took away was never on the invoice.
    if (!/^(rounding-residual|revenue\/ai-inference)/.test(name)) assert.equal(balance, "0", name);
  }
  assert.deepEqual(await numbersIn(books), ["CN-2026-000001", "CN-2026-000002", "INV-2026-000001"]);
  assert.equal(codeOf(await pay(books, ids[0]!)), "invoice_state");
});

test("what nobody has said is named, and takes no number", async (context) => {
  const { books, ids } = await closedMarch(context, ["a", "b", "c"], { known: 2 });
  const { issued, refused, refusals } = await finalizePeriod(books, "2026-03", "tester");
  assert.deepEqual([issued.length, refusals, refused.length], [2, 1, 1]);
  assert.match(refused[0]!.message, /the party of c \(/);
  assert.equal(await stateOf(books, refused[0]!.invoice), "draft");
  assert.ok(ids.includes(refused[0]!.invoice));
  taken(await applyParty(books, (await books.organisation("c")) as never, party, "tester"));
  assert.equal(taken(await finalize(books, refused[0]!.invoice, "tester")).number, "INV-2026-000003");
  const unsold = await closedMarch(context, ["a"], { known: 0, sells: false });
  const without = await finalize(unsold.books, unsold.ids[0]!, "tester");
  assert.match(String("message" in without && without.message), /billing\.seller.*party of/);
  assert.deepEqual(await numbersIn(unsold.books), []);
  assert.equal(codeOf(await applyParty(books, "org_1", { country: "france" }, "t")), "invalid_request");
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

test("the chart of accounts has the taxes of the price book before any is owed", async (context) => {
  const books = await testBooks(temporary);
  context.after(() => books.close());
  await books.applyPrices({ currency: "CNY", versions: [], taxes: [{ jurisdiction: "CN", percent: 6 }] });
  assert.ok((await accounts(books)).some(({ account: name }) => name === "tax-payable/CN"));
});
