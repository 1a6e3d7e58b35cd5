import assert from "node:assert/strict";
import { test } from "node:test";
import { readBook, unboundedFor } from "../index.ts";

const atMs = Date.parse("2026-03-10T00:00:00Z");

/** What is said of acme, by a list's price of output and a contract. */
function reasons(output: object, contract?: object): readonly string[] {
  const prices = [
    { sku: "*/input-tokens", pricePerMillion: "1" },
    { sku: "m/output-tokens", ...output },
    { sku: "disk/storage-gib-hours", package: { size: 10, price: "1" } },
  ];
  const read = readBook({
    currency: "EUR",
    versions: [{ version: "1", effectiveFrom: "2026-01-01", prices }],
    contracts: contract === undefined ? [] : [{ contract: "c", customer: "acme", ...contract }],
  });
  assert.ok(read.outcome === "read", JSON.stringify(read));
  // Whoever has no contract is as bound as the list is.
  if (contract !== undefined) assert.deepEqual(unboundedFor(read.book, "other", atMs), []);
  return unboundedFor(read.book, "acme", atMs);
}

const listed = { pricePerMillion: "4" };

const agreed = (price: object, more: object = {}) => ({
  versions: [{ version: "1", effectiveFrom: "2026-02-01", prices: [price], ...more }],
});

test("what costs at most what it is listed at is bounded, however much of it is used", () => {
  assert.deepEqual(reasons(listed), []);
  const graduated = [{ upTo: 100, pricePerMillion: "1" }, { pricePerMillion: "4" }];
  assert.deepEqual(reasons({ graduated }), []);
  assert.deepEqual(
    reasons(listed, agreed({ sku: "*/output-tokens", pricePerMillion: "3.9" }, { commitment: "10" })),
    [],
  );
  assert.deepEqual(reasons(listed, agreed({ sku: "h100/accelerator-seconds", unitPrice: "9", minimum: "10" })), []);
  // What it cost once does not count any more.
  const past = agreed({ sku: "m/output-tokens", pricePerMillion: "400" }, { effectiveTo: "2026-03-10" });
  assert.deepEqual(reasons(listed, past), []);
});

for (const [what, price, said] of [
  ["a minimum", { ...listed, minimum: "10" }, /^m\/output-tokens has a minimum$/],
  ["a package", { package: { size: 1000, price: "1" } }, /^m\/output-tokens is priced by begun packages$/],
  [
    "volume that gets dearer",
    { volume: [{ upTo: 100, unitPrice: "1" }, { unitPrice: "2" }] },
    /^m\/output-tokens has tiers/,
  ],
  [
    "a fee of a tier",
    { graduated: [{ upTo: 100, unitPrice: "1", flatFee: "5" }, { unitPrice: "1" }] },
    /^m\/output-tokens has tiers/,
  ],
] as const) {
  test(`a list price with ${what} is not bounded by what a request is listed at`, () => {
    const told = reasons(price);
    assert.equal(told.length, 1);
    assert.match(told[0]!, said);
  });
}

for (const [what, contract, said] of [
  [
    "dearer tokens",
    agreed({ sku: "*/output-tokens", pricePerMillion: "4.1" }),
    /costs more by c than a request is listed at/,
  ],
  [
    "dearer reasoning",
    agreed({ sku: "m/reasoning-tokens", pricePerMillion: "5" }),
    /^m\/reasoning-tokens costs more by c/,
  ],
  [
    "dearer tokens from tomorrow on",
    { versions: [{ version: "1", effectiveFrom: "2026-03-11", prices: [{ sku: "*/input-tokens", unitPrice: "1" }] }] },
    /^m\/input-tokens costs more/,
  ],
  [
    "dearer embeddings, which are listed as input",
    agreed({ sku: "*/embedding-tokens", pricePerMillion: "2" }),
    /^m\/embedding-tokens costs more by c/,
  ],
  [
    "a minimum",
    agreed({ sku: "m/output-tokens", pricePerMillion: "1", minimum: "10" }),
    /^m\/output-tokens has a minimum/,
  ],
  [
    "another currency",
    { currency: "KWD", ...agreed({ sku: "m/output-tokens", pricePerMillion: "1" }) },
    /^c is billed in KWD, and requests are listed in EUR$/,
  ],
] as const) {
  test(`a contract with ${what} is not bounded by what a request is listed at`, () => {
    const told = reasons(listed, contract);
    assert.ok(told.length > 0);
    assert.ok(
      told.some((each) => said.test(each)),
      told.join(),
    );
  });
}
