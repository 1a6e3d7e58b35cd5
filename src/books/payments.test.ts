import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test, type TestContext } from "node:test";
import type { InvoiceId, OrganisationId } from "../base/index.ts";
import { goldenBuyer, goldenIssuer, goldenPrices } from "../invoicing/testing.ts";
import { dump, findPayments, invoicesPage, issuedDocuments, restore } from "../store/index.ts";
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
  refund,
  trialBalance,
  why,
} from "./index.ts";
import { booksIn, taken, type TestBooks, testBooks } from "./testing.ts";

let temporary: TemporaryPostgres;

before(async () => {
  temporary = await temporaryPostgres();
});

after(() => temporary.remove());

interface Owed {
  readonly books: TestBooks;
  readonly invoice: InvoiceId;
}

/** A final invoice of March, of 106.00 CNY: 100.00 and 6 % of tax. */
async function owed(context: TestContext): Promise<Owed> {
  const books = await testBooks(temporary, { issuer: goldenIssuer });
  context.after(() => books.close());
  const acme = (await books.organisation("acme")) as OrganisationId;
  await books.applyPrices({
    currency: "CNY",
    timeZone: "Asia/Shanghai",
    versions: [
      { version: "2026", effectiveFrom: "2026-01-01", prices: [...goldenPrices, { sku: "seats", unitPrice: "10" }] },
    ],
    jurisdiction: "CN",
    taxes: [{ jurisdiction: "CN", percent: 6 }],
  });
  taken(await applyParty(books, acme, goldenBuyer, "tester"));
  const used = { id: "1", source: "/s", customer: "acme", sku: "seats", quantity: 10, time: "2026-03-10T12:00:00Z" };
  taken(await record(books, [used], "call"));
  taken(await close(books, "2026-03", "tester"));
  const { id } = await books.db.selectFrom("invoices").select("id").executeTakeFirstOrThrow();
  taken(await finalize(books, id, "tester"));
  return { books, invoice: id };
}

function codeOf(result: object): string {
  return "code" in result ? `${String(result.code)} ${"param" in result ? String(result.param) : ""}`.trim() : "done";
}

/** How an invoice stands, as it is listed, and what the whole ledger has of it. */
async function standing({ books, invoice }: Owed): Promise<string> {
  const [row] = await invoicesPage(books.db, { id: invoice, limit: 1 });
  const { "cash CNY": cash = "0", "receivables CNY": receivables = "0" } = await books.balances();
  assert.deepEqual([row!.paid, row!.open], [cash, receivables]);
  const { totals } = taken(await trialBalance(books));
  for (const { debit, credit: credited } of totals) assert.equal(debit, credited);
  return `${row!.state}, ${row!.paid} paid, ${row!.open} open`;
}

const creditOf = ({ invoice }: Owed, amount: string) => ({
  invoice,
  reason: "Outage",
  what: [{ line: "1", amount }],
});

test("an invoice is paid in parts, each posted once, and is paid when nothing is open", async (context) => {
  const owing = await owed(context);
  const { books, invoice } = owing;
  const part = { invoice, id: "wire-1", amount: "40" };
  const first = taken(await pay(books, part, "tester"));
  assert.deepEqual(first, {
    invoice,
    id: "wire-1",
    amount: "40.00",
    currency: "CNY",
    state: "final",
    paid: "40.00",
    open: "66.00",
  });
  const again = await Promise.all(["40", "40.00", "40"].map((amount) => pay(books, { ...part, amount }, "another")));
  for (const each of again) assert.deepEqual(each, first);
  for (const more of [{ amount: "41" }, { amount: undefined }, { date: "2026-04-01" }]) {
    assert.equal(codeOf(await pay(books, { ...part, ...more }, "t")), "payment_conflict id");
  }
  assert.equal(codeOf(await refund(books, part, "t")), "payment_conflict id");
  for (const amount of ["66.01", "0", "-1", "1.001", "much"]) {
    const refused = await pay(books, { invoice, amount }, "t");
    assert.equal(
      codeOf(refused),
      `${amount === "66.01" ? "payment_exceeds_invoice" : "invalid_request"} amount`,
      amount,
    );
  }
  assert.equal(await standing(owing), "final, 40 paid, 66 open");
  // Without an id it is another one.
  taken(await pay(books, { invoice, amount: "1" }, "t"));
  const rest = taken(await pay(books, { invoice }, "t"));
  assert.deepEqual([rest.amount, rest.state, rest.open], ["65.00", "paid", "0.00"]);
  assert.deepEqual(await pay(books, { invoice, id: "unheard" }, "another"), rest);
  assert.deepEqual({ ...first, state: "paid", paid: "106.00", open: "0.00" }, await pay(books, part, "t"));
  assert.equal(codeOf(await pay(books, { invoice, amount: "0.01" }, "t")), "payment_exceeds_invoice amount");
  assert.equal(codeOf(await makeVoid(books, { invoice, reason: "x" }, "t")), "invoice_state invoice");
  assert.equal(await standing(owing), "paid, 106 paid, 0 open");
});

test("payments at once are never more than is owed", async (context) => {
  const owing = await owed(context);
  const { books, invoice } = owing;
  const all = await Promise.all(Array.from({ length: 8 }, () => pay(books, { invoice, amount: "30" }, "t")));
  assert.deepEqual(all.map(codeOf).toSorted(), [
    ...Array.from({ length: 3 }, () => "done"),
    ...Array.from({ length: 5 }, () => "payment_exceeds_invoice amount"),
  ]);
  assert.equal(await standing(owing), "final, 90 paid, 16 open");
});

test("a part payment and a credit of the rest leave nothing open; what is paid is not made void", async (context) => {
  const owing = await owed(context);
  const { books, invoice } = owing;
  taken(await pay(books, { invoice, amount: "53.00" }, "t"));
  const refused = await makeVoid(books, { invoice, reason: "x" }, "t");
  assert.match(JSON.stringify(refused), /invoice_state.*come to 53\.00 CNY/);
  taken(await credit(books, creditOf(owing, "20"), "t"));
  assert.equal(await standing(owing), "final, 53 paid, 31.8 open");
  taken(await credit(books, creditOf(owing, "30"), "t"));
  assert.equal(await standing(owing), "paid, 53 paid, 0 open");
  assert.equal(taken(await pay(books, { invoice }, "t")).amount, "53.00");
});

test("what a credit note leaves owed to the customer goes back, and no more", async (context) => {
  const owing = await owed(context);
  const { books, invoice } = owing;
  assert.equal(codeOf(await refund(books, { invoice }, "t")), "refund_exceeds_invoice invoice");
  taken(await pay(books, { invoice }, "t"));
  assert.equal(codeOf(await refund(books, { invoice, amount: "0.01" }, "t")), "refund_exceeds_invoice amount");
  taken(await credit(books, creditOf(owing, "50"), "t"));
  assert.equal(await standing(owing), "paid, 106 paid, -53 open");
  assert.equal(codeOf(await refund(books, { invoice, amount: "53.01" }, "t")), "refund_exceeds_invoice amount");
  const part = taken(await refund(books, { invoice, amount: "3", id: "back-1" }, "t"));
  assert.deepEqual([part.amount, part.paid, part.open], ["3.00", "103.00", "-50.00"]);
  assert.deepEqual(await refund(books, { invoice, amount: "3.00", id: "back-1" }, "another"), part);
  assert.equal(codeOf(await refund(books, { invoice, amount: "4", id: "back-1" }, "t")), "payment_conflict id");
  assert.equal(taken(await refund(books, { invoice }, "t")).amount, "50.00");
  assert.equal(await standing(owing), "paid, 53 paid, 0 open");
  assert.equal(codeOf(await refund(books, { invoice }, "t")), "refund_exceeds_invoice invoice");
});

test("a payment that did not last is open again, as a whole and once", async (context) => {
  const owing = await owed(context);
  const { books, invoice } = owing;
  taken(await pay(books, { invoice, id: "wire-1", amount: "100" }, "t"));
  taken(await pay(books, { invoice, id: "wire-2" }, "t"));
  const bounced = { invoice, payment: "wire-1", id: "bounced" };
  assert.equal(codeOf(await refund(books, { ...bounced, amount: "5" }, "t")), "invalid_request amount");
  assert.equal(codeOf(await refund(books, { ...bounced, payment: "none" }, "t")), "not_found payment");
  const back = taken(await refund(books, bounced, "t"));
  assert.deepEqual([back.amount, back.state, back.open], ["100.00", "final", "100.00"]);
  assert.deepEqual(await refund(books, bounced, "another"), back);
  assert.equal(codeOf(await refund(books, { ...bounced, id: "x" }, "t")), "refund_exceeds_invoice payment");
  assert.equal(codeOf(await refund(books, { ...bounced, payment: "bounced", id: "x" }, "t")), "not_found payment");
  taken(await pay(books, { invoice }, "t"));
  assert.equal(await standing(owing), "paid, 106 paid, 0 open");
});

test("a payment that did not last is open again also of what went back to the customer since", async (context) => {
  const owing = await owed(context);
  const { books, invoice } = owing;
  taken(await pay(books, { invoice, id: "wire-1" }, "t"));
  taken(await credit(books, creditOf(owing, "50"), "t"));
  taken(await refund(books, { invoice }, "t"));
  taken(await refund(books, { invoice, payment: "wire-1" }, "t"));
  // Half of the invoice, and what was paid back of money that never was.
  assert.equal(await standing(owing), "final, -53 paid, 106 open");
  assert.equal(codeOf(await makeVoid(books, { invoice, reason: "x" }, "t")), "invoice_state invoice");
  taken(await pay(books, { invoice }, "t"));
  assert.equal(await standing(owing), "paid, 53 paid, 0 open");
});

test("an invoice whose one payment did not last may be made void, and a purchase that is taken back is refunded", async (context) => {
  const owing = await owed(context);
  const { books, invoice } = owing;
  taken(await pay(books, { invoice, id: "wire-1" }, "t"));
  taken(await refund(books, { invoice, payment: "wire-1" }, "t"));
  taken(await makeVoid(books, { invoice, reason: "never ordered" }, "t"));
  for (const asked of [pay(books, { invoice }, "t"), refund(books, { invoice }, "t")]) {
    assert.equal(codeOf(await asked), "invoice_state invoice");
  }
  assert.equal(await standing(owing), "void, 0 paid, 0 open");
  const grant = { organisation: "acme", credits: "100", paid: "100", received: true };
  const bought = taken(await grantCredits(books, grant, "seller")).invoice!;
  const [received] = await findPayments(books.db, bought);
  assert.deepEqual([received!.kind, Number(received!.amount), received!.by], ["payment", 106, "seller"]);
  taken(await credit(books, { invoice: bought, reason: "x", what: "all" }, "t"));
  assert.equal(taken(await refund(books, { invoice: bought }, "t")).amount, "106.00");
  assert.equal(await standing({ books, invoice: bought }), "paid, 0 paid, 0 open");
});

test("a payment is dated with its day where that is open, is told beside its posting, and changes no document", async (context) => {
  const owing = await owed(context);
  const { books, invoice } = owing;
  const documents = await issuedDocuments(books.db, { limit: 10 });
  const march = taken(await trialBalance(books, "2026-03"));
  books.clock.advance(10 * 86_400_000);
  assert.equal(codeOf(await pay(books, { invoice, amount: "1", date: "2026-04-13" }, "t")), "invalid_request date");
  for (const [at, date] of ["2026-04-10", "2026-03-20", "2020-01-01", undefined].entries()) {
    taken(await pay(books, { invoice, id: `wire-${at}`, amount: "1", date }, "teller"));
  }
  taken(await refund(books, { invoice, payment: "wire-1", id: "bounced", date: "2026-04-11" }, "teller"));
  const rows = await findPayments(books.db, invoice);
  assert.deepEqual(
    rows.map(({ date, at }) => `${date} ${at.toISOString()}`),
    [
      // Midnight in Shanghai; the invoice was made on 2 April, when March was closed.
      "2026-04-10 2026-04-09T16:00:00.000Z",
      "2026-03-20 2026-04-02T00:00:00.000Z",
      "2020-01-01 2026-04-02T00:00:00.000Z",
      "null 2026-04-12T00:00:00.000Z",
      "2026-04-11 2026-04-10T16:00:00.000Z",
    ],
  );
  const posted = await books.db
    .selectFrom("ledgerTransactions")
    .select("number")
    .where("kind", "=", "refund")
    .execute();
  const reasons = taken(await why(books, `${posted[0]!.number}.1`));
  assert.deepEqual(
    [reasons.transaction.kind, reasons.invoice, reasons.payment?.id, reasons.payment?.payment, reasons.payment?.by],
    ["refund", invoice, "bounced", "wire-1", "teller"],
  );
  assert.deepEqual(
    [reasons.posting.account, reasons.posting.amount, reasons.lines.map(({ sku }) => sku)],
    ["cash", "-1", ["seats"]],
  );
  assert.equal(taken(await why(books, "1.1")).payment, null);
  assert.deepEqual(await issuedDocuments(books.db, { limit: 10 }), documents);
  assert.deepEqual(await trialBalance(books, "2026-03"), march);
});

test("a backup has payments and refunds, whatever came behind them, and what is asked for again is known", async (context) => {
  const owing = await owed(context);
  const { books, invoice } = owing;
  const first = { invoice, id: "wire-1", amount: "100" };
  taken(await pay(books, first, "t"));
  taken(await pay(books, { invoice }, "t"));
  taken(await credit(books, creditOf(owing, "50"), "t"));
  taken(await refund(books, { invoice, id: "back" }, "t"));
  taken(await refund(books, { invoice, payment: "wire-1" }, "t"));
  const folder = await mkdtemp(join(tmpdir(), "bailiwick-payments-"));
  context.after(() => rm(folder, { recursive: true, force: true }));
  const log = (): void => undefined;
  const { connection, clock, installation } = books;
  assert.equal((await dump({ connection, to: join(folder, "dump"), clock, log })).outcome, "dumped");
  const copy = await temporary.emptyDatabase();
  assert.equal((await restore({ connection: copy, from: join(folder, "dump"), log })).outcome, "restored");
  const restored = await booksIn({ connection: copy, installation }, { issuer: goldenIssuer });
  context.after(() => restored.close());
  assert.equal(await standing({ books: restored, invoice }), await standing(owing));
  assert.deepEqual(await findPayments(restored.db, invoice), await findPayments(books.db, invoice));
  assert.equal(taken(await pay(restored, first, "another")).amount, "100.00");
  assert.equal(taken(await pay(restored, { invoice }, "t")).open, "0.00");
});
