import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Amount, formatAmount, formatExact, parseAmount, parseExact, readAmount } from "./index.ts";

const amount = fc.bigInt({ min: -(10n ** 29n), max: 10n ** 29n }).map((units) => units as Amount);

test("an amount's text reads back as the same amount, and is the shortest one", () => {
  fc.assert(
    fc.property(amount, (units) => {
      const text = formatAmount(units);
      assert.equal(parseAmount(text), units);
      assert.doesNotMatch(text, /\.\d*0$|\.$/);
    }),
  );
});

test("an exact product's text has its 18 decimals and no needless zero", () => {
  for (const [exact, text] of [
    [0n, "0"],
    [1n, "0.000000000000000001"],
    [10n ** 18n, "1"],
    [12_500_000_000_000_000_000n, "12.5"],
    [-3_250_000_000_000_000_000n, "-3.25"],
    [100n * 10n ** 18n, "100"],
    [10n ** 17n, "0.1"],
  ] as const) {
    assert.equal(formatExact(exact), text);
  }
  fc.assert(
    fc.property(amount, (units) => {
      // 10^6 exact units are one unit of an amount: the two ways of writing agree where both can.
      assert.equal(formatExact(units * 10n ** 6n), formatAmount(units));
      const positive = units < 0n ? units * -1n : BigInt(units);
      assert.equal(parseExact(formatExact(positive)), positive);
    }),
  );
});

test("what somebody writes is below 10^18, and what a sum came to is read however large it is", () => {
  assert.equal(parseAmount("1000000000000000000"), undefined);
  for (const text of ["1000000000000000000", "-99999999900000000000000000000.25", "0.000000000001"]) {
    assert.equal(formatAmount(readAmount(text)), text);
  }
  assert.equal(formatExact(parseExact("1000000000000000000.5")), "1000000000000000000.5");
  for (const text of ["", "1.", "1e3", "NaN", "0.0000000000001"]) assert.throws(() => readAmount(text), RangeError);
});
