import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Calendar } from "./calendar.ts";
import { charge, type ChargeModel, type Tier } from "./charge.ts";
import { currencies, minorUnitDecimals } from "./currency.ts";
import {
  add,
  compare,
  decimalText,
  type Fraction,
  fraction,
  multiply,
  none,
  parseFraction,
  round,
  subtract,
} from "./fraction.ts";
import { parseQuantity } from "./quantity.ts";
import { readBook } from "./reading.ts";

const hour = 3_600_000;

test("halves are rounded away from zero, or to the even neighbour", () => {
  for (const [text, up, even] of [
    ["0.005", 1n, 0n],
    ["0.015", 2n, 2n],
    ["0.0149999999", 1n, 1n],
    ["-0.005", -1n, 0n],
    ["-0.015", -2n, -2n],
    ["2.5", 250n, 250n],
  ] as const) {
    assert.equal(round(parseFraction(text)!, 2, "half-up"), up, text);
    assert.equal(round(parseFraction(text)!, 2, "half-even"), even, text);
  }
});

test("rounding is never off by more than half a unit, and a decimal's text is the number", () => {
  const whole = fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n });
  fc.assert(
    fc.property(whole, fc.bigInt({ min: 1n, max: 10n ** 9n }), fc.constantFrom(0, 2, 3), (a, b, decimals) => {
      const value = fraction(a, b);
      const unit = 10n ** BigInt(decimals);
      for (const rounding of ["half-up", "half-even"] as const) {
        const off = subtract(value, fraction(round(value, decimals, rounding), unit));
        assert.ok(compare(off, fraction(1n, unit * 2n)) <= 0 && compare(off, fraction(-1n, unit * 2n)) >= 0);
      }
      const exact = fraction(a, 10n ** 12n);
      assert.deepEqual(parseFraction(decimalText(exact)), exact);
    }),
  );
});

test("minor units are those of ISO 4217", () => {
  for (const [currency, decimals] of [
    ["JPY", 0],
    ["KRW", 0],
    ["EUR", 2],
    ["CNY", 2],
    ["KWD", 3],
    ["IQD", 3],
    ["CLF", 4],
    ["XAU", undefined],
    ["eur", undefined],
    ["toString", undefined],
  ] as const) {
    assert.equal(minorUnitDecimals(currency), decimals, currency);
  }
  const all = [...currencies()];
  assert.equal(new Set(all).size, all.length);
  // Whatever Intl names too is well written here; what it lacks is too new for its data.
  const known = new Set(Intl.supportedValuesOf("currency"));
  assert.deepEqual(
    all.filter(
      (code) =>
        !known.has(code) &&
        !["CHE", "CHW", "CLF", "COU", "MXV", "USN", "UYI", "UYW", "BOV", "XCG", "ZWG", "VED"].includes(code),
    ),
    [],
  );
});

test("quantities are decimals from 0, and nothing else is one", () => {
  assert.equal(parseQuantity("1000000001"), 1_000_000_001_000_000_000n);
  assert.equal(parseQuantity("0.5"), 500_000_000n);
  for (const text of ["", "-1", "1e3", "1.", ".5", "1,000", "NaN", "1".repeat(16), "0.0000000001", " 1"])
    assert.equal(parseQuantity(text), undefined, text);
});

test("a period begins and ends at midnight of its zone, on leap days and through summer time", () => {
  const utc = new Calendar("UTC", "month");
  assert.equal(utc.periodAt(Date.parse("2028-02-29T23:59:59.999Z")).name, "2028-02");
  assert.equal(utc.periodAt(Date.parse("2028-03-01T00:00:00Z")).name, "2028-03");
  assert.equal(utc.periodAt(Date.parse("2027-02-28T23:59:59.999Z")).name, "2027-02");
  const shanghai = new Calendar("Asia/Shanghai", "month");
  assert.equal(shanghai.periodAt(Date.parse("2028-02-29T15:59:59.999Z")).name, "2028-02");
  assert.equal(shanghai.periodAt(Date.parse("2028-02-29T16:00:00Z")).name, "2028-03");
  const paris = new Calendar("Europe/Paris", "month");
  const march = paris.periodOf("2026-03")!;
  assert.equal(march.endMs - march.startMs, (31 * 24 - 1) * hour);
  // Half of its days, though not half of its hours.
  const [part, whole] = paris.shareOf(march, march.startMs, paris.instantMs(Date.parse("2026-03-16T12:00Z")));
  assert.equal(part * 2n, whole);
  const year = new Calendar("America/New_York", "year").periodOf("2028")!;
  assert.equal(year.endMs - year.startMs, 366 * 24 * hour);
  assert.equal(new Calendar("UTC", "quarter").periodAt(Date.parse("2026-06-30")).name, "2026-Q2");
  for (const name of ["2026-13", "2026-Q2", "2026", "26-01"]) assert.equal(utc.periodOf(name), undefined, name);
});

test("a midnight that the clock leaps over is the moment of the leap, and one it shows twice the first", () => {
  // Beirut's summer of 2026 begins at midnight of the 29th of March.
  const beirut = new Calendar("Asia/Beirut", "month");
  assert.equal(beirut.instantMs(Date.parse("2026-03-29T00:00Z")), Date.parse("2026-03-28T22:00:00Z"));
  // Havana's ends at one o'clock, and goes back to midnight.
  const havana = new Calendar("America/Havana", "month");
  assert.equal(havana.instantMs(Date.parse("2026-11-01T00:00Z")), Date.parse("2026-11-01T04:00:00Z"));
});

test("periods follow one another without a gap, in every zone", () => {
  const moment = fc.integer({ min: Date.UTC(2000, 0), max: Date.UTC(2100, 0) });
  const zone = fc.constantFrom(
    "UTC",
    "Europe/Paris",
    "Asia/Kathmandu",
    "America/St_Johns",
    "Australia/Lord_Howe",
    "Pacific/Apia",
  );
  fc.assert(
    fc.property(moment, zone, fc.constantFrom("month", "quarter", "year"), (atMs, zone, length) => {
      const calendar = new Calendar(zone, length);
      const period = calendar.periodAt(atMs);
      assert.ok(period.startMs <= atMs && atMs < period.endMs);
      assert.equal(calendar.periodAt(period.endMs).startMs, period.endMs);
      assert.deepEqual(calendar.periodOf(period.name), period);
    }),
  );
});

const price = fc.bigInt({ min: 0n, max: 10n ** 14n }).map((units) => fraction(units, 10n ** 12n));
const bounds = fc.uniqueArray(fc.integer({ min: 1, max: 60 }), { minLength: 0, maxLength: 4 });

function tiersOf(upTo: readonly number[], prices: readonly Fraction[], fees: readonly Fraction[]): readonly Tier[] {
  const ends = [...upTo].sort((a, b) => a - b);
  return [...ends, undefined].map((end, index) => ({
    upTo: end === undefined ? undefined : fraction(BigInt(end)),
    unitPrice: prices[index]!,
    flatFee: fees[index]!,
  }));
}

const tiers = fc
  .tuple(bounds, fc.array(price, { minLength: 5, maxLength: 5 }), fc.array(price, { minLength: 5, maxLength: 5 }))
  .map(([upTo, prices, fees]) => tiersOf(upTo, prices, fees));

/** Unit by unit, as somebody would who has one at a time in hand. */
function naively(model: ChargeModel, units: number): Fraction {
  let sum = none;
  const reached = new Set<Tier>();
  if (model.kind === "unit") for (let unit = 0; unit < units; unit++) sum = add(sum, model.unitPrice);
  else if (model.kind === "package") {
    const size = Number(model.size.numerator / model.size.denominator);
    for (let unit = 0; unit < units; unit += size) sum = add(sum, model.price);
  } else {
    for (let unit = 1; unit <= units; unit++) {
      const ofUnit = model.kind === "graduated" ? unit : units;
      const tier = model.tiers.find(({ upTo }) => upTo === undefined || BigInt(ofUnit) <= upTo.numerator)!;
      sum = add(sum, tier.unitPrice);
      if (!reached.has(tier)) sum = add(sum, tier.flatFee);
      reached.add(tier);
    }
  }
  return sum;
}

const model: fc.Arbitrary<ChargeModel> = fc.oneof(
  price.map((unitPrice) => ({ kind: "unit" as const, unitPrice })),
  fc
    .tuple(fc.integer({ min: 1, max: 20 }), price)
    .map(([size, each]) => ({ kind: "package" as const, size: fraction(BigInt(size)), price: each })),
  tiers.map((each) => ({ kind: "graduated" as const, tiers: each })),
  tiers.map((each) => ({ kind: "volume" as const, tiers: each })),
);

test("every model charges what counting unit by unit comes to", () => {
  fc.assert(
    fc.property(model, fc.nat(80), (model, units) => {
      assert.deepEqual(charge(model, fraction(BigInt(units))), naively(model, units));
    }),
  );
});

test("a graduated charge never falls, and without flat fees nowhere leaps", () => {
  const quantity = fc.integer({ min: 0, max: 80_000 }).map((thousandths) => fraction(BigInt(thousandths), 1_000n));
  fc.assert(
    fc.property(tiers, quantity, quantity, (tiers, a, b) => {
      const [low, high] = compare(a, b) <= 0 ? [a, b] : [b, a];
      const withFees = { kind: "graduated" as const, tiers };
      assert.ok(compare(charge(withFees, low), charge(withFees, high)) <= 0);
      const plain = { kind: "graduated" as const, tiers: tiers.map((tier) => ({ ...tier, flatFee: none })) };
      const dearest = tiers.map(({ unitPrice }) => unitPrice).reduce((x, y) => (compare(x, y) < 0 ? y : x));
      const step = subtract(charge(plain, high), charge(plain, low));
      assert.ok(compare(step, multiply(dearest, subtract(high, low))) <= 0);
    }),
  );
});

const sku = { sku: "m/input-tokens", unitPrice: "1" };
const version = { version: "1", effectiveFrom: "2026-01-01", prices: [sku] };

function problemsOf(book: unknown): readonly string[] {
  const read = readBook(book);
  return read.outcome === "read" ? [] : read.problems.map(({ path, message }) => `${path}: ${message}`);
}

test("what is wrong with a price book is told with its place", () => {
  const withPrice = (price: unknown) => ({ currency: "EUR", versions: [{ ...version, prices: [price] }] });
  const cases: readonly (readonly [unknown, RegExp])[] = [
    [{}, /^currency: is required$/],
    [{ currency: "EUX" }, /^currency: "EUX" is no currency of ISO 4217; did you mean/],
    [{ currency: "EUR", timeZone: "Mars/Olympus" }, /^timeZone: there is no time zone "Mars\/Olympus"/],
    [{ currency: "EUR", versoins: [] }, /^versoins: is no key of a price book; did you mean versions\?$/],
    [withPrice({ ...sku, unitPrice: 0.8 }), /^versions\[0\]\.prices\[0\]\.unitPrice: must be a decimal in quotes/],
    [withPrice({ ...sku, unitPrice: "-1" }), /unitPrice: must be a decimal string from 0/],
    [withPrice({ ...sku, unitPrice: "0.0000000000001" }), /unitPrice: must be a decimal string from 0 with at most 12/],
    [withPrice({ sku: "m/input-tokens" }), /prices\[0\]: must have exactly one of .*, and has none$/],
    [withPrice({ ...sku, pricePerMillion: "1" }), /and has unitPrice and pricePerMillion$/],
    [
      withPrice({ sku: "m/input-tokens", pricePerHour: "1" }),
      /pricePerHour: m\/input-tokens is not metered in seconds/,
    ],
    [withPrice({ sku: "m*/input-tokens", unitPrice: "1" }), /prices\[0\]\.sku: a "\*" stands for the whole product/],
    [withPrice({ sku: "commitment/true-up", unitPrice: "1" }), /prices\[0\]\.sku: commitment\/true-up names what the/],
    [withPrice({ sku: "wallet/credits", unitPrice: "1" }), /prices\[0\]\.sku: wallet\/credits names what the books/],
    [withPrice({ ...sku, batchDiscountPercent: 101 }), /batchDiscountPercent: must be from 0 to 100$/],
    [withPrice({ ...sku, freeGrant: -5 }), /freeGrant: must be a quantity above 0/],
    [
      withPrice({ ...sku, offPeakDiscountPercent: 5 }),
      /^offPeak: is required where a price has an offPeakDiscountPercent$/,
    ],
    [
      withPrice({ sku: "m/x", graduated: [{ upTo: 5, unitPrice: "1" }] }),
      /graduated\[0\]\.upTo: the last tier has no end/,
    ],
    [
      withPrice({ sku: "m/x", volume: [{ unitPrice: "1" }, { unitPrice: "1" }] }),
      /volume\[0\]: every tier but the last/,
    ],
    [
      withPrice({ sku: "m/x", volume: [{ upTo: 5, unitPrice: "1" }, { upTo: 5, unitPrice: "1" }, { unitPrice: "1" }] }),
      /volume\[1\]\.upTo: is not above the tier before it$/,
    ],
    [{ currency: "EUR", versions: [{ ...version, prices: [sku, sku] }] }, /prices\[1\]\.sku: .* a second time$/],
    [{ currency: "EUR", versions: [{ ...version, effectiveFrom: "2026-02-30" }] }, /effectiveFrom: must be a day/],
    [
      { currency: "EUR", versions: [{ ...version, effectiveTo: "2026-01-01" }] },
      /effectiveTo: is not behind effectiveFrom/,
    ],
  ];
  for (const [book, message] of cases) {
    const found = problemsOf(book);
    assert.ok(
      found.some((problem) => message.test(problem)),
      `${message}: ${found.join("; ")}`,
    );
  }
  assert.deepEqual(problemsOf({ currency: "EUR", versions: [version] }), []);
});

test("versions that hold at once are refused, of the list and of a customer's contracts", () => {
  const overlap = /^versions\[\d\]\.effectiveFrom: version \S+ begins while version \S+ holds: they overlap$/;
  const second = { ...version, version: "2", effectiveFrom: "2026-06-01" };
  const problems = (versions: readonly unknown[]) => problemsOf({ currency: "EUR", versions });
  assert.deepEqual(problems([version, second]), []);
  assert.deepEqual(problems([{ ...version, effectiveTo: "2026-06-01" }, second]), []);
  // The same midnight, and one that comes later where the book's clock is behind UTC.
  assert.match(problems([version, { ...version, version: "2" }])[0]!, overlap);
  assert.match(problems([second, { ...version, effectiveTo: "2026-06-02" }])[0]!, overlap);
  assert.match(problems([{ ...version, effectiveTo: "2026-06-01T00:00:01Z" }, second])[0]!, overlap);
  const contract = (contract: string, more: object) => ({
    contract,
    customer: "acme",
    versions: [{ ...version, ...more }],
  });
  const contracts = (...contracts: readonly unknown[]) =>
    problemsOf({ currency: "EUR", versions: [version], contracts });
  assert.deepEqual(
    contracts(contract("a", { effectiveTo: "2026-03-01" }), contract("b", { effectiveFrom: "2026-03-01" })),
    [],
  );
  assert.match(
    contracts(contract("a", {}), contract("b", { effectiveFrom: "2026-03-01" }))[0]!,
    /contracts\[1\]: version 1 overlaps/,
  );
  assert.match(
    problems([version, { ...second, version: "1" }])[0]!,
    /versions\[1\]\.version: "1" is there a second time/,
  );
});
