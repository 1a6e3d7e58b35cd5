import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import fc from "fast-check";
import { formatAmount, parseAmount, type Tier, tiers } from "../base/index.ts";
import { billDocument, type BillDocument, billsOf, parseQuantity, readBook, UsageSums } from "../ledger/index.ts";
import { rich as document } from "../ledger/testing.ts";
import { type TemporaryPostgres, temporaryPostgres } from "../store/testing.ts";
import { close, dropUnrated, record, trialBalance, unrated } from "./index.ts";
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
