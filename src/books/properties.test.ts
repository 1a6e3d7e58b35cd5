import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import fc from "fast-check";
import { formatAmount, type OrganisationId, parseAmount, type Tier, tiers } from "../base/index.ts";
import { goldenBuyer, goldenIssuer } from "../invoicing/testing.ts";
import { billDocument, type BillDocument, billsOf, parseQuantity, readBook, UsageSums } from "../ledger/index.ts";
import { rich as document } from "../ledger/testing.ts";
import { invoicesPage } from "../store/index.ts";
import { type TemporaryPostgres, temporaryPostgres } from "../store/testing.ts";
import {
  applyParty,
  close,
  credit,
  dropUnrated,
  finalizePeriod,
  makeVoid,
  pay,
  record,
  refund,
  trialBalance,
  unrated,
} from "./index.ts";
import { resolved } from "./prices.ts";
import { settlementOf, shipServed, taken, type TestBooks, testBooks } from "./testing.ts";

let temporary: TemporaryPostgres;

before(async () => {
  temporary = await temporaryPostgres();
});

after(() => temporary.remove());

const months = ["2026-01", "2026-02", "2026-03"];

interface Used {
  readonly customer: string;
  readonly sku: string;
  readonly atMs: number;
  readonly quantity: number;
  readonly batch: boolean;
}

const used: fc.Arbitrary<Used> = fc.record({
  customer: fc.constantFrom("a", "b"),
  sku: fc.constantFrom("m/input-tokens", "m/output-tokens", "n/input-tokens", "n/nothing"),
  atMs: fc.integer({ min: Date.UTC(2026, 0, 2), max: Date.UTC(2026, 2, 31) }),
  quantity: fc.nat(5_000_000),
  batch: fc.boolean(),
});

async function opened(): Promise<TestBooks> {
  const books = await testBooks(temporary);
  for (const name of ["a", "b"]) await books.organisation(name);
  await books.applyPrices(document);
  return books;
}

/** Bills as the naive way makes them: everything in memory, each month at once. */
async function naive(books: TestBooks, events: readonly Used[]): Promise<readonly BillDocument[]> {
  const ids = { a: await books.organisation("a"), b: await books.organisation("b") };
  const read = readBook(resolved({ document, customers: ids }));
  assert.ok(read.outcome === "read");
  const sums = new UsageSums(read.book);
  for (const { customer, quantity, batch, ...rest } of events) {
    const whose = ids[customer as "a" | "b"];
    sums.add({ ...rest, customer: whose, quantity: parseQuantity(String(quantity))!, isBatch: batch });
  }
  const periods = months.map((name) => read.book.calendar.periodOf(name)!);
  return billsOf(sums, { periods }).bills.map(billDocument);
}

async function balanced(books: TestBooks): Promise<void> {
  const { totals } = taken(await trialBalance(books));
  for (const { debit, credit } of totals) assert.equal(debit, credit);
  const rows = await books.db
    .selectFrom("usageSums")
    .select("accrued")
    .where("billedIn", "not in", await closed(books))
    .execute();
  const accrued = rows.reduce((sum, each) => sum + parseAmount(each.accrued)!, 0n);
  assert.equal((await books.balances())["unbilled-receivables EUR"] ?? "0", formatAmount(accrued));
}

async function closed(books: TestBooks): Promise<readonly string[]> {
  const rows = await books.db.selectFrom("ledgerPeriods").select("period").where("closedAt", "is not", null).execute();
  return ["", ...rows.map(({ period }) => period)];
}

const told = ({ atMs, ...rest }: Used, id: string) => ({
  ...rest,
  id,
  source: "/s",
  time: new Date(atMs).toISOString(),
});

test("whatever the order, the repetitions and the cuts: the bills of the naive way, and books that balance at every step", async () => {
  const draws = fc.infiniteStream(fc.nat(1_000_000));
  await fc.assert(
    fc.asyncProperty(fc.array(used, { minLength: 1, maxLength: 25 }), draws, async (events, chance) => {
      const draw = (below: number): number => chance.next().value! % below;
      const books = await opened();
      try {
        // Each event cut in two, the parts in any order, and some of them told again.
        const cut = events.flatMap((event, index) => {
          const part = draw(event.quantity + 1);
          return [
            told({ ...event, quantity: part }, `${index}a`),
            told({ ...event, quantity: event.quantity - part }, `${index}b`),
          ];
        });
        const waiting = [...cut, ...cut.filter(() => draw(3) === 0)];
        while (waiting.length > 0) {
          const some = Array.from(
            { length: Math.min(waiting.length, 1 + draw(20)) },
            () => waiting.splice(draw(waiting.length), 1)[0]!,
          );
          taken(await record(books, some, "call"));
          await balanced(books);
        }
        for (const month of months) {
          taken(await close(books, month, "me"));
          await balanced(books);
        }
        const made = await billedAsNaively(books, events);
        for (const { number } of await listed(books)) {
          if (draw(2) === 0) taken(await dropUnrated(books, { number, reason: "x", by: "me" }));
        }
        await balanced(books);
        await wholes(books, events, made);
      } finally {
        await books.close();
      }
    }),
    { numRuns: 4 },
  );
});

/** The bills that were made, which are those of the naive way. */
async function billedAsNaively(books: TestBooks, events: readonly Used[]): Promise<readonly BillDocument[]> {
  const key = ({ customer, period }: BillDocument): string => `${customer} ${period}`;
  const sorted = (bills: readonly BillDocument[]) => bills.toSorted((a, b) => (key(a) < key(b) ? -1 : 1));
  const rows = await books.db.selectFrom("invoices").select("bill").execute();
  const made = sorted(rows.map(({ bill }) => JSON.parse(bill) as BillDocument));
  assert.deepEqual(made, JSON.parse(JSON.stringify(sorted(await naive(books, events)))));
  return made;
}

async function listed(books: TestBooks, isDropped = false) {
  return taken(await unrated(books, { limit: 1_000, after: undefined }, { isDropped })).items;
}

/** Of each SKU, what was metered is invoiced, unrated or dropped once every month is closed. */
async function wholes(books: TestBooks, events: readonly Used[], made: readonly BillDocument[]): Promise<void> {
  const waiting = [...(await listed(books)), ...(await listed(books, true))].map(({ sku, quantity }) => {
    return { sku, quantity: Number(quantity) / 1e9 };
  });
  for (const sku of new Set(events.map((event) => event.sku))) {
    const lines = made.flatMap(({ lines }) => lines).filter((line) => line.sku === sku);
    const parts = [...lines, ...waiting.filter((each) => each.sku === sku)];
    const sum = parts.reduce((all, { quantity }) => all + Number(quantity), 0);
    assert.equal(
      sum,
      events.filter((event) => event.sku === sku).reduce((all, { quantity }) => all + quantity, 0),
    );
  }
}

interface Asked {
  readonly customer: string;
  readonly model: string;
  readonly atMs: number;
  readonly tier: Tier | null | undefined;
  readonly usage: { readonly inputTokens: number; readonly outputTokens: number };
}

// Few moments, so that requests that differ in nothing but their tier share a second.
const asked: fc.Arbitrary<Asked> = fc.record({
  customer: fc.constantFrom("a", "b"),
  model: fc.constantFrom("m", "n"),
  atMs: fc.constantFrom("2026-01-20T17:00:00.1Z", "2026-01-20T17:00:00.9Z", "2026-02-20T04:00:00Z").map(Date.parse),
  tier: fc.constantFrom(...tiers, null, undefined),
  usage: fc.record({ inputTokens: fc.nat(5_000_000), outputTokens: fc.nat(5_000) }),
});

/** What a request used, as other services would have told it. */
function usedBy({ customer, model, atMs, tier, usage }: Asked): readonly Used[] {
  const event = { customer, atMs, batch: tier === "batch" };
  return [
    { ...event, sku: `${model}/input-tokens`, quantity: usage.inputTokens },
    { ...event, sku: `${model}/output-tokens`, quantity: usage.outputTokens },
  ].filter(({ quantity }) => quantity > 0);
}

test("served requests of any tier, in any order, shipped in any cuts and again: the bills of the naive way", async () => {
  const draws = fc.infiniteStream(fc.nat(1_000_000));
  await fc.assert(
    fc.asyncProperty(fc.array(asked, { minLength: 1, maxLength: 20 }), draws, async (requests, chance) => {
      const draw = (below: number): number => chance.next().value! % below;
      const books = await opened();
      try {
        const ids = { a: await books.organisation("a"), b: await books.organisation("b") };
        const settled = requests.map(({ customer, tier, usage, ...rest }) =>
          settlementOf(books, {
            ...rest,
            organisation: ids[customer as "a" | "b"],
            usage: { ...usage, cachedInputTokens: 0, reasoningTokens: 0 },
            ...(tier !== undefined && { tier }),
          }),
        );
        const waiting = [...settled, ...settled.filter(() => draw(3) === 0)];
        for (let offset = 0; waiting.length > 0; offset++) {
          const some = Array.from(
            { length: Math.min(waiting.length, 1 + draw(8)) },
            () => waiting.splice(draw(waiting.length), 1)[0]!,
          );
          const from = offset === 0 ? undefined : { segment: 1, offset };
          await shipServed(books, some, { from, to: { segment: 1, offset: offset + 1 } });
          await balanced(books);
        }
        for (const month of months) taken(await close(books, month, "me"));
        await billedAsNaively(books, requests.flatMap(usedBy));
      } finally {
        await books.close();
      }
    }),
    { numRuns: 4 },
  );
});

test("where some of it comes after its month was closed, all bills together are what was used, to the cent", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(used, { minLength: 2, maxLength: 20 }), fc.nat(), async (events, seed) => {
      const books = await opened();
      try {
        const isLate = (index: number): boolean => (seed + index) % 3 === 0;
        const all = events.map((event, index) => told(event, String(index)));
        const prompt = all.filter((_, index) => !isLate(index));
        if (prompt.length > 0) taken(await record(books, prompt, "call"));
        taken(await close(books, "2026-01", "me"));
        taken(await close(books, "2026-02", "me"));
        const late = all.filter((_, index) => isLate(index));
        if (late.length > 0) taken(await record(books, late, "call"));
        await balanced(books);
        taken(await close(books, "2026-03", "me"));
        await balanced(books);
        const rows = await books.db.selectFrom("invoices").select(["organisation", "net"]).execute();
        for (const name of ["a", "b"]) {
          const id = await books.organisation(name);
          const sum = (nets: readonly string[]): bigint => nets.reduce((total, net) => total + parseAmount(net)!, 0n);
          const made = sum(rows.filter(({ organisation }) => organisation === id).map(({ net }) => net));
          const bills = (await naive(books, events)).filter(({ customer }) => customer === id);
          assert.equal(formatAmount(made), formatAmount(sum(bills.map(({ net }) => net))));
        }
      } finally {
        await books.close();
      }
    }),
    { numRuns: 4 },
  );
});

/** What somebody does about an invoice, with an amount in cents where it has one. */
interface Act {
  readonly does: "pay" | "pay all" | "credit" | "refund" | "refund all" | "return" | "void";
  readonly customer: "a" | "b";
  readonly cents: number;
  readonly id: string | undefined;
}

const act: fc.Arbitrary<Act> = fc.record({
  does: fc.oneof(
    { weight: 5, arbitrary: fc.constantFrom("pay", "credit", "return") },
    { weight: 4, arbitrary: fc.constantFrom("pay all", "refund", "refund all") },
    { weight: 1, arbitrary: fc.constant("void") },
  ),
  customer: fc.constantFrom("a", "b"),
  cents: fc.integer({ min: 1, max: 6 }).map((thousands) => thousands * 1_000 + 1),
  // Few, so that some are asked for again, and some for something else.
  id: fc.option(fc.constantFrom("1", "2", "3"), { nil: undefined, freq: 2 }),
});

/** An invoice as somebody would reckon it on paper, in cents. */
class Paper {
  readonly gross: number;
  readonly moved: {
    readonly id: string | undefined;
    readonly asked: string;
    readonly cents: number;
    isBack: boolean;
  }[] = [];
  credited = 0;
  state = "final";

  constructor(gross: number) {
    this.gross = gross;
  }

  get paid(): number {
    return this.moved.reduce((sum, { cents }) => sum + cents, 0);
  }

  get open(): number {
    return this.gross - this.credited - this.paid;
  }

  /** What becomes of it: "done", or why not. */
  does({ does, cents, id }: Act): string {
    const known = does !== "credit" && does !== "void" && this.#before(does, cents, id);
    if (known) return known;
    if (this.state === "void") return does === "void" ? "done" : "invoice_state";
    const outcomes: Record<Act["does"], () => string> = {
      pay: () => (cents > this.open ? "payment_exceeds_invoice" : this.#move(id, `pay ${cents}`, cents)),
      "pay all": () => (this.state === "paid" ? "done" : this.#move(id, "pay all", Math.max(0, this.open))),
      refund: () => (cents > this.#owed ? "refund_exceeds_invoice" : this.#move(id, `refund ${cents}`, -cents)),
      "refund all": () => (this.#owed <= 0 ? "refund_exceeds_invoice" : this.#move(id, "refund all", -this.#owed)),
      return: () => this.#return(id),
      credit: () => (cents > this.gross - this.credited ? "credit_exceeds_invoice" : this.#credit(cents)),
      void: () => this.#void(),
    };
    return outcomes[does]();
  }

  get #owed(): number {
    return Math.min(-this.open, this.paid);
  }

  #before(does: Act["does"], cents: number, id: string | undefined): string | undefined {
    const [name, asked] = does === "return" ? [returnOf(id), `return ${id}`] : [id, askedAs(does, cents)];
    const found = name === undefined ? undefined : this.moved.find((each) => each.id === name);
    return found && (found.asked === asked ? "done" : "payment_conflict");
  }

  #move(id: string | undefined, asked: string, cents: number): string {
    if (cents !== 0) this.moved.push({ id, asked, cents, isBack: false });
    this.state = this.open > 0 ? "final" : "paid";
    return "done";
  }

  #return(id: string | undefined): string {
    const payment = this.moved.find((each) => each.id === (id ?? "1") && each.cents > 0);
    if (payment === undefined) return "not_found";
    if (payment.isBack) return "refund_exceeds_invoice";
    payment.isBack = true;
    return this.#move(returnOf(id), `return ${id}`, -payment.cents);
  }

  #credit(cents: number): string {
    this.credited += cents;
    if (this.paid > 0 && this.open <= 0) this.state = "paid";
    return "done";
  }

  #void(): string {
    if (this.state === "paid" || this.paid !== 0) return "invoice_state";
    if (this.credited === this.gross) return "credit_exceeds_invoice";
    this.credited = this.gross;
    this.state = "void";
    return "done";
  }
}

function askedAs(does: Act["does"], cents: number): string {
  return does === "pay" || does === "refund" ? `${does} ${cents}` : does;
}

/** A return under an id is asked for again by it; without one it is another one. */
function returnOf(id: string | undefined): string | undefined {
  return id === undefined ? undefined : `return-${id}`;
}

function inCents(amount: string): number {
  return Number(parseAmount(amount)! / 10n ** 10n);
}

async function acted(books: TestBooks, invoice: string, { does, cents, id }: Act): Promise<string> {
  const amount = (cents / 100).toFixed(2);
  const asks: Record<Act["does"], () => Promise<object>> = {
    pay: () => pay(books, { invoice, id, amount }, "me"),
    "pay all": () => pay(books, { invoice, id }, "me"),
    refund: () => refund(books, { invoice, id, amount }, "me"),
    "refund all": () => refund(books, { invoice, id }, "me"),
    return: () => refund(books, { invoice, id: returnOf(id), payment: id ?? "1" }, "me"),
    credit: () => credit(books, { invoice, reason: "x", what: [{ line: "1", amount }] }, "me"),
    void: () => makeVoid(books, { invoice, reason: "x" }, "me"),
  };
  const answer = await asks[does]();
  return "code" in answer ? String(answer.code) : "done";
}

/** Invoices as they are listed, and the accounts that they come to. */
async function asOnPaper(books: TestBooks, papers: ReadonlyMap<string, Paper>): Promise<void> {
  await balanced(books);
  const rows = await invoicesPage(books.db, { limit: 10 });
  for (const { id, state, paid, open } of rows) {
    const paper = papers.get(id)!;
    assert.deepEqual([state, inCents(paid), inCents(open)], [paper.state, paper.paid, paper.open]);
  }
  const sumOf = (cents: (paper: Paper) => number): number =>
    [...papers.values()].reduce((sum, paper) => sum + cents(paper), 0);
  const balances = await books.balances();
  const told = ["cash", "receivables", "revenue/other"].map((account) => inCents(balances[`${account} EUR`] ?? "0"));
  assert.deepEqual(told, [
    sumOf(({ paid }) => paid),
    sumOf(({ open }) => open),
    sumOf((each) => each.credited - each.gross),
  ]);
}

test("whatever is paid, credited, refunded or does not last, in any order and again: as on paper, and books that balance", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(act, { minLength: 10, maxLength: 40 }), async (acts) => {
      const books = await testBooks(temporary, { issuer: goldenIssuer });
      try {
        const gross = { a: 10_000, b: 6_001 };
        for (const name of Object.keys(gross)) {
          taken(await applyParty(books, (await books.organisation(name)) as OrganisationId, goldenBuyer, "me"));
        }
        await books.applyPrices({
          currency: "EUR",
          versions: [{ version: "1", effectiveFrom: "2026-01-01", prices: [{ sku: "seats", unitPrice: "0.01" }] }],
          jurisdiction: "CN",
          taxes: [{ jurisdiction: "CN", percent: 0 }],
        });
        const records = Object.entries(gross).map(([customer, quantity]) =>
          told({ customer, sku: "seats", atMs: Date.UTC(2026, 2, 10), quantity, batch: false }, customer),
        );
        taken(await record(books, records, "call"));
        taken(await close(books, "2026-03", "me"));
        await finalizePeriod(books, "2026-03", "me");
        const invoices = { a: "", b: "" };
        const papers = new Map<string, Paper>();
        for (const { id, organisationName } of await invoicesPage(books.db, { limit: 10 })) {
          const customer = organisationName as Act["customer"];
          invoices[customer] = id;
          papers.set(id, new Paper(gross[customer]));
        }
        for (const each of acts) {
          const invoice = invoices[each.customer];
          const expected = papers.get(invoice)!.does(each);
          assert.equal(await acted(books, invoice, each), expected, JSON.stringify(each));
          await asOnPaper(books, papers);
        }
      } finally {
        await books.close();
      }
    }),
    { numRuns: 10 },
  );
});
