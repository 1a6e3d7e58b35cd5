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
  const told = ["*/cached-read-tokens has no price in version 2: what is used of it stays unrated"];
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
