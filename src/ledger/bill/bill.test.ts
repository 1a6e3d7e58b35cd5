import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { formatExact } from "../../base/index.ts";
import { listBook, listPrices, parseFraction, parseQuantity, type Quantity, rate, readBook, skuOf } from "../index.ts";
import { rich } from "../testing.ts";
import { type BillingOptions, billsOf } from "./bill.ts";
import { ratedUsage } from "./rated-usage.ts";
import { type UsageEvent, UsageSums } from "./sums.ts";

function bookOf(document: unknown) {
  const read = readBook(document);
  assert.ok(read.outcome === "read", read.outcome === "invalid" ? JSON.stringify(read.problems) : "");
  return read.book;
}

function rated(document: unknown, events: readonly UsageEvent[], options: BillingOptions = {}) {
  const sums = new UsageSums(bookOf(document));
  for (const event of events) sums.add(event);
  return ratedUsage(sums, billsOf(sums, options));
}

function used(
  quantity: string | undefined,
  more: Partial<Omit<UsageEvent, "atMs">> & { at?: string } = {},
): UsageEvent {
  const { at = "2026-03-10T12:00:00Z", ...rest } = more;
  return {
    customer: "acme",
    sku: "m/input-tokens",
    isBatch: false,
    quantity: quantity === undefined ? undefined : parseQuantity(quantity)!,
    ...rest,
    atMs: Date.parse(at),
  };
}

function list(price: object, more: object = {}) {
  return {
    currency: "EUR",
    versions: [{ version: "1", effectiveFrom: "2026-01-01", prices: [{ sku: "m/input-tokens", ...price }] }],
    ...more,
  };
}

const perMillion = list({ pricePerMillion: "1" });

test("a million events of a thousand tokens bill 800.00, and not nothing", () => {
  const sums = new UsageSums(bookOf(list({ unitPrice: "0.0000008" })));
  const event = used("1000");
  for (let count = 0; count < 1_000_000; count++) sums.add(event);
  const { lines } = ratedUsage(sums, billsOf(sums));
  assert.deepEqual(
    lines.map(({ quantity, amount, rounded, residual }) => [quantity, amount, rounded, residual]),
    [["1000000000", "800", "800.00", "0"]],
  );
});

test("what has no price is listed and in no line; the file's own reasons stand beside it", () => {
  const document = list(
    { unitPrice: "1" },
    {
      contracts: [
        {
          contract: "usd",
          customer: "dollar",
          currency: "USD",
          versions: [{ version: "1", effectiveFrom: "2026-01-01" }],
        },
      ],
    },
  );
  const { lines, unrated, net } = rated(document, [
    used("1", { sku: "other/input-tokens" }),
    used("2", { at: "2025-12-31T23:59:59Z" }),
    used(undefined),
    used("4", { customer: "dollar" }),
  ]);
  assert.deepEqual(lines, []);
  assert.equal(net, "0.00");
  assert.deepEqual(
    unrated.map(({ customer, reason, quantity, events }) => [customer, reason, quantity, events]),
    [
      ["acme", "no_version", "2", 1],
      ["acme", "no_quantity", "0", 1],
      ["acme", "no_price", "1", 1],
      ["dollar", "other_currency", "4", 1],
    ],
  );
});

test("currencies without minor units and with three are billed in what they have", () => {
  const of = (currency: string) =>
    rated({ ...perMillion, currency, taxes: [{ jurisdiction: "JP", percent: 10 }], jurisdiction: "JP" }, [
      used("1234567"),
    ]);
  const [yen, dinar] = [of("JPY"), of("KWD")];
  assert.deepEqual([yen.net, yen.tax, yen.gross, yen.residual], ["1", "0", "1", "0.234567"]);
  assert.deepEqual([dinar.net, dinar.tax, dinar.gross, dinar.residual], ["1.235", "0.124", "1.359", "-0.000433"]);
});

test("halves are rounded as the price book says, lines and tax alike", () => {
  const of = (rounding: string) =>
    rated(
      list({ unitPrice: "0.005" }, { rounding, jurisdiction: "FR", taxes: [{ jurisdiction: "FR", percent: 50 }] }),
      [used("1"), used("4", { customer: "b" })],
    );
  assert.deepEqual(
    of("half-up").lines.map(({ rounded }) => rounded),
    ["0.01", "0.02"],
  );
  assert.deepEqual(
    of("half-even").lines.map(({ rounded }) => rounded),
    ["0.00", "0.02"],
  );
  assert.deepEqual(
    of("half-up").bills.map(({ tax }) => tax),
    ["0.01", "0.01"],
  );
  assert.deepEqual(
    of("half-even").bills.map(({ tax }) => tax),
    ["0.00", "0.01"],
  );
});

test("a price by the hour of what is metered in seconds stays exact until its line", () => {
  const document = {
    currency: "EUR",
    versions: [
      { version: "1", effectiveFrom: "2026-01-01", prices: [{ sku: "h100/accelerator-seconds", pricePerHour: "2.5" }] },
    ],
  };
  const [line] = rated(document, [
    used("1", { sku: "h100/accelerator-seconds" }),
    used("9", { sku: "h100/accelerator-seconds" }),
  ]).lines;
  assert.equal(line!.exactAmount, "1/144");
  assert.deepEqual(
    [line!.amount, line!.rounded, line!.residual],
    ["0.006944444444444444", "0.01", "-0.003055555555555556"],
  );
});

test("the free grant comes off the quantity, then discounts off the price, then the minimum counts", () => {
  const price = { pricePerMillion: "10", freeGrant: 1_000_000, batchDiscountPercent: 50, minimum: "3" };
  const [plain] = rated(list(price), [used("1000000"), used("1000000", { isBatch: true })]).lines;
  // One million is free, half of what was used was a batch: 10.00 less a quarter.
  assert.deepEqual(
    [plain!.freeQuantity, plain!.batchQuantity, plain!.discount, plain!.amount],
    ["1000000", "1000000", "2.5", "7.5"],
  );
  const [little] = rated(list(price), [used("1200000")]).lines;
  assert.deepEqual([little!.raised, little!.amount], ["1", "3"]);
});

test("off-peak hours are those of the price book's clock, and the better discount counts", () => {
  const document = list(
    { unitPrice: "1", offPeakDiscountPercent: 25, batchDiscountPercent: 50 },
    { timeZone: "Asia/Shanghai", offPeak: { from: "22:00", to: "06:00", days: ["sunday"] } },
  );
  const of = (at: string, isBatch = false) => rated(document, [used("100", { at, isBatch })]).lines[0]!.amount;
  assert.equal(of("2026-03-10T13:59:59Z"), "100");
  assert.equal(of("2026-03-10T14:00:00Z"), "75");
  assert.equal(of("2026-03-10T21:59:59Z"), "75");
  assert.equal(of("2026-03-10T22:00:00Z"), "100");
  assert.equal(of("2026-03-15T04:00:00Z"), "75");
  assert.equal(of("2026-03-10T14:00:00Z", true), "50");
});

test("a contract's prices come before the list's, and its discount off the list's alone", () => {
  const document = {
    currency: "EUR",
    versions: [
      {
        version: "1",
        effectiveFrom: "2026-01-01",
        prices: [
          { sku: "*/input-tokens", unitPrice: "2" },
          { sku: "*/output-tokens", unitPrice: "8" },
        ],
      },
    ],
    contracts: [
      {
        contract: "acme-2026",
        customer: "acme",
        versions: [
          {
            version: "a",
            effectiveFrom: "2026-01-01",
            discountPercent: "12.5",
            prices: [{ sku: "m/input-tokens", unitPrice: "1" }],
          },
        ],
      },
    ],
  };
  const output = { sku: "m/output-tokens" };
  const { lines } = rated(document, [
    used("1"),
    used("1", output),
    used("1", { customer: "b" }),
    used("1", { ...output, customer: "b" }),
  ]);
  assert.deepEqual(
    lines.map(({ customer, priceVersion, contract, amount }) => [customer, priceVersion, contract, amount]),
    [
      ["acme", "acme-2026/a", "acme-2026/a", "1"],
      ["acme", "1", "acme-2026/a", "7"],
      ["b", "1", null, "2"],
      ["b", "1", null, "8"],
    ],
  );
});

test("a plan that changes within a period splits it: prices, tiers, grants, minimums and commitments", () => {
  const graduated = [{ upTo: 100, unitPrice: "2" }, { unitPrice: "1" }];
  const version = {
    prices: [
      { sku: "m/input-tokens", graduated, freeGrant: 30 },
      { sku: "m/output-tokens", unitPrice: "0.1", minimum: "31" },
    ],
    commitment: "310",
  };
  const document = {
    currency: "EUR",
    timeZone: "Europe/Paris",
    contracts: [
      {
        contract: "c",
        customer: "acme",
        versions: [
          { ...version, version: "1", effectiveFrom: "2026-01-01" },
          { ...version, version: "2", effectiveFrom: "2026-03-11" },
        ],
      },
    ],
  };
  const { lines, net } = rated(document, [
    used("120", { at: "2026-03-10T22:59:59.999Z" }),
    used("130", { at: "2026-03-10T23:00:00Z" }),
    used("1", { sku: "m/output-tokens" }),
  ]);
  assert.deepEqual(
    lines.map(({ sku, priceVersion, quantity, freeQuantity, rounded }) => [
      sku,
      priceVersion,
      quantity,
      freeQuantity,
      rounded,
    ]),
    [
      // 10 of 31 days: 10 units free, rounded up, and 100.00 committed; then 21 days, though one of them has 23 hours.
      ["commitment/true-up", "c/2", "1", "0", "1.00"],
      ["m/input-tokens", "c/1", "120", "10", "210.00"],
      ["m/input-tokens", "c/2", "130", "21", "209.00"],
      ["m/output-tokens", "c/1", "1", "0", "10.00"],
    ],
  );
  assert.equal(net, "430.00");
});

test("what a contract prices is one line, rounded once, where a new version of the list begins within the period", () => {
  const at = (version: string, effectiveFrom: string) => ({
    version,
    effectiveFrom,
    prices: [{ sku: "m/output-tokens", unitPrice: "1" }],
  });
  const agreed = { sku: "m/input-tokens", unitPrice: "0.001" };
  const document = {
    currency: "EUR",
    versions: [at("1", "2026-01-01"), at("2", "2026-03-15")],
    contracts: [
      {
        contract: "c",
        customer: "acme",
        versions: [{ version: "1", effectiveFrom: "2026-01-01", prices: [agreed] }],
      },
    ],
  };
  const days = ["2026-03-14T00:00:00Z", "2026-03-15T00:00:00Z"];
  const { lines } = rated(document, [
    ...days.map((day) => used("104", { at: day })),
    ...days.map((day) => used("1", { at: day, sku: "m/output-tokens" })),
  ]);
  assert.deepEqual(
    lines.map(({ sku, priceVersion, quantity, amount, rounded }) => [sku, priceVersion, quantity, amount, rounded]),
    [
      ["m/input-tokens", "c/1", "208", "0.208", "0.21"],
      ["m/output-tokens", "1", "1", "1", "1.00"],
      ["m/output-tokens", "2", "1", "1", "1.00"],
    ],
  );
});

test("a commitment is owed where nothing was used, in each period that is billed", () => {
  const document = list(
    { unitPrice: "1" },
    {
      contracts: [
        {
          contract: "c",
          customer: "idle",
          versions: [{ version: "1", effectiveFrom: "2026-02-01", effectiveTo: "2026-04-01", commitment: "100" }],
        },
      ],
    },
  );
  const book = bookOf(document);
  const periods = ["2026-01", "2026-02", "2026-03", "2026-04"].map((name) => book.calendar.periodOf(name)!);
  const { bills } = rated(document, [], { periods });
  assert.deepEqual(
    bills.map(({ customer, period, net }) => [customer, period, net]),
    [
      ["idle", "2026-02", "100.00"],
      ["idle", "2026-03", "100.00"],
    ],
  );
});

test("usage of a period that is not asked for is unbilled, and still told", () => {
  const book = bookOf(perMillion);
  const february = { periods: [book.calendar.periodOf("2026-02")!] };
  const { bills, unbilled, metered } = rated(
    perMillion,
    [used("5"), used("3000000", { at: "2026-02-28T23:59:59.999Z" })],
    february,
  );
  assert.deepEqual(
    bills.map(({ period, net }) => [period, net]),
    [["2026-02", "3.00"]],
  );
  assert.deepEqual(
    unbilled.map(({ period, quantity }) => [period, quantity]),
    [["2026-03", "5"]],
  );
  assert.deepEqual(metered, [{ sku: "m/input-tokens", quantity: "3000005" }]);
});

test("tax is on the bill's sum, at the rate when its period ends; reverse charge leaves it to the customer", () => {
  const document = list(
    { unitPrice: "1" },
    {
      jurisdiction: "DE",
      taxes: [
        { jurisdiction: "DE", percent: 19 },
        { jurisdiction: "DE", percent: "21", effectiveFrom: "2026-04-01" },
        { jurisdiction: "FR", name: "TVA", percent: 20 },
      ],
      customers: [
        { customer: "fr", jurisdiction: "FR" },
        { customer: "rc", jurisdiction: "FR", reverseCharge: true },
        { customer: "us", jurisdiction: "US" },
      ],
    },
  );
  const all = ["acme", "fr", "rc", "us"].map((customer) => used("100", { customer }));
  const { bills } = rated(document, [...all, used("100", { at: "2026-04-30T23:59:59Z" })]);
  assert.deepEqual(
    bills.map(({ customer, taxName, taxPercent, tax, gross }) => [customer, taxName, taxPercent, tax, gross]),
    [
      ["acme", "VAT", "19", "19.00", "119.00"],
      ["acme", "VAT", "21", "21.00", "121.00"],
      ["fr", "TVA", "20", "20.00", "120.00"],
      ["rc", "TVA", "20", "0.00", "100.00"],
      ["us", "VAT", null, "0.00", "100.00"],
    ],
  );
  const over = rated(document, all, { taxPercent: parseFraction("6.5")!, jurisdiction: "CN" });
  assert.deepEqual([over.tax, over.bills[2]!.tax], ["19.50", "0.00"]);
});

test("bills in several currencies have a total each, and none together", () => {
  const document = list(
    { unitPrice: "1" },
    {
      contracts: [
        {
          contract: "jp",
          customer: "b",
          currency: "JPY",
          versions: [
            { version: "1", effectiveFrom: "2026-01-01", prices: [{ sku: "m/input-tokens", unitPrice: "150" }] },
          ],
        },
      ],
    },
  );
  const { net, currency, totals } = rated(document, [used("2"), used("3", { customer: "b" })]);
  assert.deepEqual([net, currency], [null, null]);
  assert.deepEqual(
    totals.map(({ currency, net }) => [currency, net]),
    [
      ["EUR", "2.00"],
      ["JPY", "450"],
    ],
  );
});

const event = fc.record({
  customer: fc.constantFrom("acme", "b", "c"),
  sku: fc.constantFrom("m/input-tokens", "m/output-tokens", "n/input-tokens", "n/nothing"),
  atMs: fc.integer({ min: Date.UTC(2025, 11, 20), max: Date.UTC(2026, 4) }),
  quantity: fc.bigInt({ min: 0n, max: 10n ** 16n }).map((units) => units as Quantity),
  isBatch: fc.boolean(),
});

test("neither the order of events changes a bill, nor how one is cut into several", () => {
  const events = fc.array(event, { minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(events, fc.infiniteStream(fc.nat()), (events, chance) => {
      const draw = (below: number): number => chance.next().value! % below;
      const before = rated(rich, events);
      const shuffled = [...events];
      for (let at = shuffled.length - 1; at > 0; at--) {
        const other = draw(at + 1);
        [shuffled[at], shuffled[other]] = [shuffled[other]!, shuffled[at]!];
      }
      assert.deepEqual(rated(rich, shuffled), before);
      const cut = events.flatMap((event) => {
        const part = BigInt(draw(1_000));
        const first = (event.quantity * part) / 1_000n;
        return [
          { ...event, quantity: first as Quantity },
          { ...event, quantity: (event.quantity - first) as Quantity },
        ];
      });
      const after = rated(rich, cut);
      const withoutCounts = after.unrated.map(({ events, ...rest }) => ({ ...rest, events: events / 2 }));
      assert.deepEqual({ ...after, unrated: withoutCounts }, before);
    }),
    { numRuns: 60 },
  );
});

/** A decimal's text in units of 10^-30. */
function units(text: string): bigint {
  const [whole = "", decimals = ""] = text.replace("-", "").split(".");
  const value = BigInt(whole + decimals.padEnd(30, "0"));
  return text.startsWith("-") ? -value : value;
}

test("lines, unrated and unbilled are what was metered; amounts are what was rounded and the residual", () => {
  const periods = bookOf(rich).calendar;
  const options = { periods: [periods.periodOf("2026-01")!, periods.periodOf("2026-02")!] };
  fc.assert(
    fc.property(fc.array(event, { maxLength: 40 }), (events) => {
      const { lines, unrated, unbilled, metered, bills, totals } = rated(rich, events, options);
      for (const { sku, quantity } of metered) {
        const parts = [...lines, ...unrated, ...unbilled].filter((part) => part.sku === sku);
        assert.equal(
          parts.reduce((sum, part) => sum + units(part.quantity), 0n),
          units(quantity),
        );
        const naive = events.filter((event) => event.sku === sku).reduce((sum, event) => sum + event.quantity, 0n);
        assert.equal(units(quantity), naive * 10n ** 21n);
      }
      for (const line of lines) {
        if (line.exactAmount === undefined)
          assert.equal(units(line.amount), units(line.rounded) + units(line.residual));
      }
      const [total] = totals;
      assert.equal(
        units(total!.net),
        lines.reduce((sum, { rounded }) => sum + units(rounded), 0n),
      );
      assert.equal(
        units(total!.gross),
        bills.reduce((sum, { net, tax }) => sum + units(net) + units(tax), 0n),
      );
    }),
    { numRuns: 60 },
  );
});

test("a unit price bills what the requests' own list amounts add up to", () => {
  const prices = {
    inputPerMillion: "0.8",
    cachedInputPerMillion: "0.16",
    outputPerMillion: "2",
    reasoningPerMillion: "2.5",
  };
  const perRequest = listPrices(
    listBook([{ version: "1", effectiveFrom: "2026-01-01", currency: "EUR", models: { "*": prices } }]),
  ).at(Date.UTC(2026, 2), "m")!;
  const document = {
    currency: "EUR",
    versions: [
      {
        version: "1",
        effectiveFrom: "2026-01-01",
        prices: [
          { sku: "*/input-tokens", pricePerMillion: prices.inputPerMillion },
          { sku: "*/cached-read-tokens", pricePerMillion: prices.cachedInputPerMillion },
          { sku: "*/output-tokens", pricePerMillion: prices.outputPerMillion },
          { sku: "*/reasoning-tokens", pricePerMillion: prices.reasoningPerMillion },
        ],
      },
    ],
  };
  const count = fc.nat(1_000_000);
  const usage = fc.tuple(count, count, fc.nat(), fc.nat()).map(([inputTokens, outputTokens, a, b]) => ({
    inputTokens,
    outputTokens,
    cachedInputTokens: a % (inputTokens + 1),
    reasoningTokens: b % (outputTokens + 1),
  }));
  fc.assert(
    fc.property(fc.array(usage, { minLength: 1, maxLength: 20 }), (requests) => {
      const listed = requests.reduce((sum, usage) => sum + rate(usage, perRequest), 0n);
      const events = requests.flatMap(({ inputTokens, cachedInputTokens, outputTokens, reasoningTokens }) => [
        used(String(inputTokens - cachedInputTokens), { sku: skuOf("m", "input-tokens") }),
        used(String(cachedInputTokens), { sku: skuOf("m", "cached-read-tokens") }),
        used(String(outputTokens - reasoningTokens), { sku: skuOf("m", "output-tokens") }),
        used(String(reasoningTokens), { sku: skuOf("m", "reasoning-tokens") }),
      ]);
      const billed = rated(document, events).lines.reduce((sum, { amount }) => sum + units(amount), 0n);
      assert.equal(formatExact(billed / 10n ** 12n), formatExact(listed));
    }),
  );
});
