import assert from "node:assert/strict";
import { test } from "node:test";
import { readBook } from "../ledger/index.ts";
import { gapsIn } from "./price-gaps.ts";

const priced = (...kinds: readonly string[]) => kinds.map((kind) => ({ sku: kind, unitPrice: "0.01" }));
const all = ["*/input-tokens", "*/cached-read-tokens", "*/output-tokens", "*/reasoning-tokens"];

function gapsOf(more: object, at = "2026-04-02"): readonly string[] {
  const read = readBook({ currency: "EUR", ...more });
  if (read.outcome === "invalid") throw new Error(JSON.stringify(read.problems));
  return gapsIn(read.book, Date.parse(at));
}

test("a kind of tokens without a price is told of the version that lacks it, whatever another one has", () => {
  const versions = [
    { version: "1", effectiveFrom: "2026-01-01", prices: priced(...all) },
    {
      version: "2",
      effectiveFrom: "2026-05-01",
      prices: priced("*/input-tokens", "m/output-tokens", "m/reasoning-tokens"),
    },
  ];
  const had = "has no price in version 2, and had one in version 1: what is used of it from then on stays unrated";
  const told = ["*/cached-read-tokens", "*/output-tokens", "*/reasoning-tokens"].map((sku) => `${sku} ${had}`);
  assert.deepEqual(gapsOf({ versions }), told);
  // A version that is over prices nothing more.
  assert.deepEqual(
    gapsOf({ versions: versions.toReversed().map((each, index) => ({ ...each, ...dates[index] })) }),
    [],
  );
});

const dates = [{ effectiveFrom: "2026-01-01" }, { effectiveFrom: "2026-02-01" }];

test("a contract has the list behind it, unless it is in a currency of its own", () => {
  const versions = [{ version: "1", effectiveFrom: "2026-01-01", prices: priced(...all) }];
  const contract = (currency: string) => ({
    contract: "c",
    customer: "acme",
    currency,
    versions: [{ version: "1", effectiveFrom: "2026-01-01", prices: priced("m/input-tokens", "m/output-tokens") }],
  });
  assert.deepEqual(gapsOf({ versions, contracts: [contract("EUR")] }), []);
  assert.deepEqual(
    gapsOf({ versions, contracts: [contract("JPY")] }).map((gap) => gap.replace(/:.*/, "")),
    ["m/cached-read-tokens has no price in contract c/1", "m/reasoning-tokens has no price in contract c/1"],
  );
});

const h100 = { sku: "h100/accelerator-seconds", unitPrice: "1" };

test("what a later version no longer prices is told by name, of lists and of contracts in a currency of their own", () => {
  const prices = [...priced("m/embedding-tokens", "n/seats"), h100];
  const both = (later: readonly object[]) => [
    { version: "1", effectiveFrom: "2026-01-01", prices },
    { version: "2", effectiveFrom: "2026-06-01", prices: later },
  ];
  const contract = (currency: string) => ({ contract: "c", customer: "acme", currency, versions: both([h100]) });
  // The same price by "*" is none that was left out; a third version leaves out nothing that the second one had.
  const versions = [
    ...both(priced("*/embedding-tokens")),
    { version: "3", effectiveFrom: "2026-07-01", prices: priced("m/embedding-tokens", "*/embedding-tokens") },
  ];
  const had = (sku: string, version: string, before: string) =>
    `${sku} has no price in ${version}, and had one in ${before}: what is used of it from then on stays unrated`;
  const ofList = ["n/seats", "h100/accelerator-seconds"].map((sku) => had(sku, "version 2", "version 1"));
  assert.deepEqual(gapsOf({ versions, contracts: [contract("EUR")] }), ofList);
  assert.deepEqual(gapsOf({ versions, contracts: [contract("JPY")] }), [
    ...ofList,
    ...["m/embedding-tokens", "n/seats"].map((sku) => had(sku, "contract c/2", "contract c/1")),
  ]);
  assert.deepEqual(gapsOf({ versions }, "2026-07-02"), []);
});

test("of many SKUs that are left out the first ones are named, and the rest is counted", () => {
  const many = Array.from({ length: 60 }, (_, at) => `p${at}/seats`);
  const versions = [
    { version: "1", effectiveFrom: "2026-01-01", prices: priced(...many) },
    { version: "2", effectiveFrom: "2026-06-01", prices: priced("p0/seats") },
  ];
  const told = gapsOf({ versions });
  assert.equal(told.length, 51);
  assert.match(told.at(-1)!, /^9 more SKUs have no price in a version/);
});
