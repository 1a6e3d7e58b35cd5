import assert from "node:assert/strict";
import { test } from "node:test";
import { listBook } from "./list-book.ts";
import { listPrices } from "./list-prices.ts";
import { readBook } from "./reading.ts";

const priced = (...skus: readonly string[]) => skus.map((sku) => ({ sku, unitPrice: "0.01" }));
const version = { version: "1", effectiveFrom: "2026-01-01" };

test("what a bill has no price for is told, whatever the request is listed at, by its customer's own terms", () => {
  const contract = {
    contract: "c",
    customer: "acme",
    versions: [{ ...version, prices: priced("m/cached-read-tokens") }],
  };
  const abroad = { ...contract, contract: "d", customer: "tokyo", currency: "JPY" };
  const read = readBook({
    currency: "EUR",
    versions: [{ ...version, prices: priced("*/input-tokens", "*/output-tokens", "m/reasoning-tokens") }],
    contracts: [contract, abroad],
  });
  assert.ok(read.outcome === "read");
  const prices = listPrices(read.book);
  const atMs = Date.parse("2026-03-10");
  assert.ok(prices.at(atMs, "m"));
  const of = (customer: string, model = "m", isEmbedding = false) =>
    prices.unpriced(atMs, { customer, model, isEmbedding });
  assert.deepEqual(
    [of("other"), of("acme"), of("acme", "n"), of("tokyo"), of("other", "m", true)],
    ["m/cached-read-tokens", undefined, "n/cached-read-tokens", "m/input-tokens", "m/embedding-tokens"],
  );
});

test("the settings' prices are those of each kind", () => {
  const models = { "*": { inputPerMillion: "1", outputPerMillion: "2" } };
  const prices = listPrices(listBook([{ version: "1", effectiveFrom: "2026-01-01", currency: "EUR", models }]));
  for (const isEmbedding of [true, false])
    assert.equal(prices.unpriced(Date.parse("2026-03-10"), { customer: "a", model: "m", isEmbedding }), undefined);
});
