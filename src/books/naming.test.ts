import assert from "node:assert/strict";
import { after, before, test, type TestContext } from "node:test";
import { type TemporaryPostgres, temporaryPostgres } from "../store/testing.ts";
import { applyPriceBook, showPriceBook } from "./index.ts";
import { taken, type TestBooks, testBooks } from "./testing.ts";

let temporary: TemporaryPostgres;

before(async () => {
  temporary = await temporaryPostgres();
});

after(() => temporary.remove());

const book = (...customers: readonly string[]) => ({
  currency: "EUR",
  versions: [{ version: "1", effectiveFrom: "2026-01-01", prices: [{ sku: "m/input-tokens", unitPrice: "0.01" }] }],
  customers: customers.map((customer) => ({ customer, jurisdiction: "DE", reverseCharge: true })),
});

async function opened(context: TestContext): Promise<TestBooks> {
  const books = await testBooks(temporary);
  context.after(() => books.close());
  return books;
}

async function rename({ db }: TestBooks, id: string, name: string): Promise<void> {
  await db
    .updateTable("organisations")
    .set({ name })
    .where("id", "=", id as never)
    .execute();
}

const namesIn = ({ document }: { document: Record<string, unknown> }) =>
  (document["customers"] as { customer: string }[]).map(({ customer }) => customer);

test("a price book is shown with the names of today, and what is shown can be applied", async (context) => {
  const books = await opened(context);
  const globex = await books.organisation("globex");
  const acme = await books.organisation("acme");
  taken(await applyPriceBook(books, { basedOn: 0, document: book("globex", acme), by: "me" }));
  await rename(books, globex, "globex-2");
  await rename(books, acme, "acme-2");
  const shown = taken(await showPriceBook(books));
  // Whom it calls by the id it means by the id.
  assert.deepEqual(namesIn(shown), ["globex-2", acme]);
  assert.deepEqual(shown.customers, { "globex-2": globex, [acme]: acme });
  const applied = taken(await applyPriceBook(books, { basedOn: 1, document: shown.document, by: "me" }));
  assert.deepEqual(applied.customers, shown.customers);
  const old = await applyPriceBook(books, { basedOn: applied.version, document: book("globex"), by: "me" });
  assert.match(JSON.stringify(old), /there is no organisation \\"globex\\"/);
});

test("terms go over to another organisation of the same name only where that is said", async (context) => {
  const books = await opened(context);
  const old = await books.organisation("globex");
  taken(await applyPriceBook(books, { basedOn: 0, document: book("globex"), by: "me" }));
  await rename(books, old, "globex-2");
  const gone = await applyPriceBook(books, { basedOn: 1, document: book("globex"), by: "me" });
  assert.match(JSON.stringify(gone), /no organisation \\"globex\\": who was called so is \\"globex-2\\" now/);
  const other = books.ids.mint("org");
  await books.db
    .insertInto("organisations")
    .values({ id: other, name: "globex", createdAt: new Date(books.clock.nowMs()) })
    .execute();
  const moved = await applyPriceBook(books, { basedOn: 1, document: book("globex"), by: "me" });
  assert.match(JSON.stringify(moved), new RegExp(`was ${old}, which is .*globex-2.* now, and is ${other} by now`));
  assert.deepEqual(taken(await showPriceBook(books)).customers, { "globex-2": old });
  const both = taken(await applyPriceBook(books, { basedOn: 1, document: book("globex", "globex-2"), by: "me" }));
  assert.deepEqual(both.customers, { globex: other, "globex-2": old });
  const byId = taken(await applyPriceBook(books, { basedOn: 2, document: book(other), by: "me" }));
  assert.deepEqual(byId.customers, { [other]: other });
});
