import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Exact, formatExact, ManualClock, parseAmount } from "../base/index.ts";
import { bound, Budgets, listBook, listPrices, rate } from "./index.ts";

const november = Date.parse("2026-11-10T12:00:00Z");
const book = listPrices(
  listBook([
    {
      version: "1",
      effectiveFrom: "2026-01-01",
      currency: "EUR",
      models: { "*": { inputPerMillion: "0.8", outputPerMillion: "2" } },
    },
    {
      version: "2",
      effectiveFrom: "2026-12-01",
      currency: "EUR",
      models: {
        a: { inputPerMillion: "1", cachedInputPerMillion: "0.1", outputPerMillion: "3", reasoningPerMillion: "4" },
      },
    },
  ]),
);

test("the version in force counts, its own name before any other, and no price is none", () => {
  assert.equal(book.at(Date.parse("2025-12-31T23:59:59Z"), "a"), undefined);
  assert.equal(book.at(november, "a")?.version, "1");
  assert.equal(book.at(Date.parse("2026-12-01T00:00:00Z"), "a")?.version, "2");
  assert.equal(book.at(Date.parse("2026-12-01T00:00:00Z"), "b"), undefined);
});

test("each kind of token has its price, and nothing is rounded", () => {
  const price = book.at(Date.parse("2026-12-24"), "a")!;
  const cost = rate({ inputTokens: 10, cachedInputTokens: 4, outputTokens: 7, reasoningTokens: 2 }, price);
  assert.equal(formatExact(cost), "0.0000294");
});

test("a million events of a thousand tokens cost the same as their sum", () => {
  const price = listPrices(
    listBook([
      {
        version: "1",
        effectiveFrom: "2026-01-01",
        currency: "EUR",
        models: { "*": { inputPerMillion: "0.8", outputPerMillion: "0" } },
      },
    ]),
  ).at(november, "a")!;
  const one = rate({ inputTokens: 1_000, cachedInputTokens: 0, outputTokens: 0, reasoningTokens: 0 }, price);
  assert.equal(formatExact(one * 1_000_000n), "800");
});

test("no usage within its bound costs more than the bound", () => {
  const tokens = fc.nat(1_000_000);
  const decimal = fc
    .nat(10_000_000)
    .map((units) => `${Math.floor(units / 1_000)}.${String(units % 1_000).padStart(3, "0")}`);
  fc.assert(
    fc.property(
      tokens,
      tokens,
      fc.nat(),
      fc.nat(),
      decimal,
      decimal,
      decimal,
      decimal,
      (input, output, cut1, cut2, ...prices) => {
        const [inputPerMillion, cachedInputPerMillion, outputPerMillion, reasoningPerMillion] = prices;
        const price = listPrices(
          listBook([
            {
              version: "1",
              effectiveFrom: "2026-01-01",
              currency: "EUR",
              models: { "*": { inputPerMillion, cachedInputPerMillion, outputPerMillion, reasoningPerMillion } },
            },
          ]),
        ).at(november, "m")!;
        const usage = {
          inputTokens: input,
          cachedInputTokens: cut1 % (input + 1),
          outputTokens: output,
          reasoningTokens: cut2 % (output + 1),
        };
        assert.ok(rate(usage, price) <= bound({ inputTokens: input, outputTokens: output }, price));
      },
    ),
  );
});

test("however requests are reserved, settled and released, no budget is ever exceeded", () => {
  const step = fc.record({ scope: fc.nat(2), bound: fc.bigInt(0n, 40n), used: fc.nat(100), end: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const budgets = new Budgets(new ManualClock(november), "EUR");
      const unit = 10n ** 18n;
      const scopes = (key: number) => [
        { id: `key_${key}`, level: "key", monthlyBudget: parseAmount("60") },
        { id: "prj_1", level: "project", monthlyBudget: parseAmount("100") },
        { id: "org_1", level: "organisation", monthlyBudget: undefined },
      ];
      const open: (() => void)[] = [];
      for (const { scope, bound, used, end } of steps) {
        const reservation = budgets.reserve(scopes(scope), (bound * unit) as Exact);
        if (reservation.outcome === "reserved") {
          open.push(() =>
            used % 3 === 0
              ? reservation.release()
              : reservation.settle(((bound * unit * BigInt(used)) / 100n) as Exact),
          );
        } else assert.equal(reservation.code, "budget_exceeded");
        if (end) open.shift()?.();
      }
      for (const finish of open) finish();
      assert.ok(budgets.spent("prj_1") <= 100n * unit);
      for (const key of [0, 1, 2]) assert.ok(budgets.spent(`key_${key}`) <= 60n * unit);
      assert.equal(budgets.spent("org_1"), budgets.spent("prj_1"));
    }),
  );
});

test("a thousand requests at once get no more than the budget holds, and a new month begins anew", () => {
  const clock = new ManualClock(november);
  const budgets = new Budgets(clock, "EUR");
  budgets.seed("key_1", (5n * 10n ** 18n) as Exact);
  const scopes = [{ id: "key_1", level: "key", monthlyBudget: parseAmount("10") }];
  const outcomes = Array.from({ length: 1_000 }, () => budgets.reserve(scopes, (10n ** 18n) as Exact).outcome);
  assert.equal(outcomes.filter((outcome) => outcome === "reserved").length, 5);
  const refused = budgets.reserve(scopes, (10n ** 15n) as Exact);
  assert.equal(
    refused.outcome === "refused" && refused.message,
    "This request could cost up to 0.001 EUR. The key's monthly budget is 10 EUR: 5 EUR is spent, 5 EUR is reserved " +
      "for requests that run. A lower `max_tokens` lowers what a request can cost.",
  );
  clock.advance(30 * 86_400_000);
  assert.equal(budgets.spent("key_1"), 0n);
});

test("what runs over the end of a month counts in the month that it ends in, to the millisecond", () => {
  const clock = new ManualClock(Date.parse("2026-12-31T23:59:59.998Z"));
  const budgets = new Budgets(clock, "EUR");
  const scopes = [{ id: "key_1", level: "key", monthlyBudget: parseAmount("1") }];
  const unit = (10n ** 18n) as Exact;
  const [old, over] = [budgets.reserve(scopes, (unit / 2n) as Exact), budgets.reserve(scopes, (unit / 2n) as Exact)];
  assert.ok(old.outcome === "reserved" && over.outcome === "reserved");
  clock.advance(1);
  old.settle((unit / 2n) as Exact);
  assert.equal(budgets.reserve(scopes, unit).outcome, "refused");
  clock.advance(1);
  over.settle((unit / 4n) as Exact);
  assert.equal(budgets.spent("key_1"), unit / 4n);
  assert.equal(budgets.reserve(scopes, ((unit * 3n) / 4n) as Exact).outcome, "reserved");
  assert.equal(budgets.reserve(scopes, 1n as Exact).outcome, "refused");
});

test("a reservation ends once", () => {
  const reservation = new Budgets(new ManualClock(november), "EUR").reserve([], 1n as Exact);
  assert.ok(reservation.outcome === "reserved");
  reservation.release();
  assert.throws(() => reservation.settle(1n as Exact));
});
