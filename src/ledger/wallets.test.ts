import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Exact } from "../base/index.ts";
import { Wallets } from "./wallets.ts";

const exact = (units: number): Exact => BigInt(units) as Exact;
const known = (balance: number, available = balance) => [
  { organisation: "org_A", balance: BigInt(balance), available: BigInt(available) },
];
const nothing = () => false;

test("a prepaid organisation runs what its wallet can pay for, with everything that runs set aside", () => {
  const wallets = new Wallets(() => "EUR");
  assert.equal(wallets.reserve("org_A", exact(10 ** 9)).outcome, "reserved");
  const other = new Wallets(() => "EUR");
  other.follow(known(10), nothing);
  const first = other.reserve("org_A", exact(6));
  assert.ok(first.outcome === "reserved");
  const refused = other.reserve("org_A", exact(5));
  assert.ok(refused.outcome === "refused");
  assert.equal(refused.code, "wallet_exhausted");
  assert.match(
    refused.message,
    /up to 0\.000000000000000005 EUR.*EUR wallet of org_A has a balance of 0\.00000000000000001 EUR/,
  );
  assert.match(refused.message, /0\.000000000000000006 EUR is reserved/);
  assert.deepEqual(other.takeRefused(), [{ id: "org_A", bound: 5n, left: 4n }]);
  assert.deepEqual(other.takeRefused(), []);
  first.settle(exact(2), { segment: 1, offset: 0 });
  assert.equal(other.reserve("org_A", exact(8)).outcome, "reserved");
  assert.throws(() => first.release(), /ends once/);
});

test("what the books know of is counted once", () => {
  const wallets = new Wallets(() => "EUR");
  wallets.seed("org_A", exact(3), { segment: 1, offset: 5 });
  wallets.follow(known(10), ({ offset }) => offset < 5);
  assert.equal(wallets.reserve("org_A", exact(8)).outcome, "refused");
  wallets.follow(known(10, 7), ({ offset }) => offset < 6);
  assert.equal(wallets.reserve("org_A", exact(7)).outcome, "reserved");
  wallets.follow([], nothing);
  assert.equal(wallets.isPrepaid("org_A"), false);
});

test("however requests begin, end, are shipped and billed, no more is used than there was", () => {
  const step = fc.record({
    kind: fc.constantFrom("begin", "end", "fail", "ship"),
    bound: fc.integer({ min: 1, max: 40 }),
  });
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 200 }), fc.array(step, { maxLength: 60 }), (credits, steps) => {
      const wallets = new Wallets(() => "EUR");
      wallets.follow(known(credits), nothing);
      const running: { bound: number; end: Extract<ReturnType<Wallets["reserve"]>, { outcome: "reserved" }> }[] = [];
      let [used, offset, shipped, shippedUsed] = [0, 0, 0, 0];
      for (const { kind, bound } of steps) {
        if (kind === "begin") {
          const begun = wallets.reserve("org_A", exact(bound));
          if (begun.outcome === "reserved") running.push({ bound, end: begun });
        } else if (kind === "ship") {
          [shipped, shippedUsed] = [offset, used];
          wallets.follow(known(credits, credits - shippedUsed), (place) => place.offset < shipped);
        } else {
          const ended = running.shift();
          if (ended === undefined) continue;
          if (kind === "fail") ended.end.release();
          else {
            const cost = Math.min(bound, ended.bound);
            ended.end.settle(exact(cost), { segment: 0, offset: offset++ });
            used += cost;
          }
        }
        assert.ok(used + running.reduce((sum, each) => sum + each.bound, 0) <= credits);
      }
    }),
  );
});
