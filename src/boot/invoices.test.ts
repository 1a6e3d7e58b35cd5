import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { refuse } from "../base/index.ts";
import { testBooks } from "../books/testing.ts";
import { type TemporaryPostgres, temporaryPostgres } from "../store/testing.ts";
import { invoiceOperations } from "./invoices.ts";

let temporary: TemporaryPostgres;

before(async () => {
  temporary = await temporaryPostgres();
});

after(() => temporary.remove());

test("a name that is no period of the price book is refused wherever invoices are asked for by one, and has no empty answer", async (context) => {
  const books = await testBooks(temporary);
  context.after(() => books.close());
  await books.applyPrices({
    currency: "EUR",
    period: "quarter",
    versions: [{ version: "1", effectiveFrom: "2020-01-01", prices: [{ sku: "c/x", unitPrice: "1" }] }],
  });
  const none = () => Promise.resolve(refuse("not_found", "There is none."));
  const operations = invoiceOperations({ ledger: books, store: books, tenancy: { showOrganisation: none } });
  const page = { limit: 10, after: undefined };
  const all = { invoice: undefined, number: undefined, period: undefined, billedIn: undefined, kind: undefined };
  const asked = async (period: string) => [
    await operations.invoices({ organisation: undefined, period }, page),
    await operations.finalizePeriod(period, "me"),
    await operations.documents({ ...all, period }, page),
    await operations.documents({ ...all, billedIn: period }, page),
  ];
  const params: (string | undefined)[] = [];
  for (const answer of await asked("2026-02")) {
    assert.ok("code" in answer && answer.code === "invalid_request");
    assert.match(
      answer.message,
      /^"2026-02" is no period of the price book: its periods are quarters, such as 2026-Q1\.$/,
    );
    params.push(answer.param);
  }
  assert.deepEqual(params, ["period", "period", "period", "billedIn"]);
  for (const answer of await asked("2026-Q1")) assert.ok(!("code" in answer));
});
