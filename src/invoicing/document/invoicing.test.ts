import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import {
  type BillDocument,
  billDocument,
  divide,
  fraction,
  grownBy,
  minorUnitDecimals,
  multiply,
  parseFraction,
  round,
} from "../../ledger/index.ts";
import {
  billOf,
  goldenInvoice,
  goldenParties,
  goldenPurchase,
  goldenUsage,
  issuedInvoice,
  issuing,
  partiesOf,
} from "../testing.ts";
import { creditOf } from "./credit.ts";
import { daysOf, isDay } from "./days.ts";
import type { Invoice, InvoiceLine } from "./invoice.ts";
import { invoiceOf } from "./issue.ts";
import { billedLine } from "./line.ts";
import { decimalOf, unitsOf } from "./money.ts";
import { readParties } from "./parties.ts";
import { readBill } from "./read-bill.ts";

/** As releases kept a bill that knew only the amount as a fraction. */
function asKeptBefore(document: BillDocument): BillDocument {
  return {
    ...document,
    lines: document.lines.map(({ exactDiscount: _discount, exactRaised: _raised, ...line }) => line),
  };
}

const crediting = { number: "CN-2026-000001", issueDate: "2026-04-02", reason: "Outage of 20 March", before: [] };

/** What a buyer's program computes (PEPPOL-EN16931-R120), without our arithmetic's help. */
function netByPrice({ quantity, price, allowances, charges }: InvoiceLine, currency: string): bigint {
  const each = divide(parseFraction(price.amount)!, parseFraction(price.baseQuantity)!);
  const product = round(multiply(decimalOf(quantity), each), minorUnitDecimals(currency)!, "half-up");
  const sum = (of: typeof allowances) => of.reduce((total, { amount }) => total + unitsOf(amount, currency), 0n);
  return product - sum(allowances) + sum(charges);
}

function holds(invoice: Invoice): void {
  const { lines, totals, tax, currency } = invoice;
  const units = (text: string) => unitsOf(text, currency);
  for (const line of lines) assert.equal(netByPrice(line, currency), units(line.net), JSON.stringify(line));
  assert.equal(
    units(totals.net),
    lines.reduce((sum, { net }) => sum + units(net), 0n),
  );
  assert.equal(units(totals.gross), units(totals.net) + units(totals.tax));
  assert.equal(units(totals.payable), units(totals.gross) - units(totals.prepaid));
  assert.deepEqual([tax.taxable, tax.amount], [totals.net, totals.tax]);
  assert.deepEqual(JSON.parse(JSON.stringify(invoice)), invoice);
}

test("golden A: four lines, each by its price for a million or a second, 1,912.73 and 114.76 make 2,027.49", () => {
  const invoice = goldenInvoice();
  holds(invoice);
  assert.deepEqual(
    invoice.lines.map(({ quantity, unitCode, price, net }) => [
      quantity,
      unitCode,
      price.amount,
      price.baseQuantity,
      net,
    ]),
    [
      ["86400", "SEC", "0.0055", "1", "475.20"],
      ["234567890", "C62", "0.16", "1000000", "37.53"],
      ["1000000001", "C62", "0.8", "1000000", "800.00"],
      ["300000007", "C62", "2", "1000000", "600.00"],
    ],
  );
  assert.deepEqual(invoice.totals, {
    net: "1912.73",
    tax: "114.76",
    gross: "2027.49",
    prepaid: "0.00",
    payable: "2027.49",
  });
  assert.deepEqual(
    [invoice.dueDate, invoice.period?.startDate, invoice.period?.endDate],
    ["2026-05-01", "2026-03-01", "2026-03-31"],
  );
  assert.equal(JSON.stringify(goldenInvoice()), JSON.stringify(invoice));
});

test("golden A's credit note: 100.00 on accelerator time, 6.00 of tax, 106.00", () => {
  const invoice = goldenInvoice();
  const credits = [{ line: "1", amount: "100.00" }];
  const credit = issuedInvoice(creditOf(invoice, { ...crediting, credits }));
  holds(credit);
  const { kind, totals, preceding, lines, dueDate } = credit;
  assert.deepEqual(
    [kind, totals.net, totals.tax, totals.gross, dueDate],
    ["credit-note", "100.00", "6.00", "106.00", null],
  );
  assert.deepEqual(preceding, { number: invoice.number, issueDate: invoice.issueDate });
  assert.deepEqual([lines.length, lines[0]!.sku, lines[0]!.credits], [1, "910b/accelerator-seconds", "1"]);
});

test("golden B: 11,000 credits for 10,000.00, paid already; what is drawn from them is taxed and paid no more", () => {
  const purchase = goldenPurchase();
  holds(purchase);
  assert.deepEqual(purchase.totals, {
    net: "10000.00",
    tax: "600.00",
    gross: "10600.00",
    prepaid: "10600.00",
    payable: "0.00",
  });
  const bill = billOf(goldenUsage);
  const drawn = issuedInvoice(invoiceOf(bill, { ...issuing, drawn: 50_000n }));
  holds(drawn);
  assert.deepEqual(
    drawn.lines.map(({ net, allowances }) => [net, ...allowances.map(({ kind, amount }) => `${kind} ${amount}`)]),
    [["0.00", "drawn 475.20"], ["12.73", "drawn 24.80"], ["800.00"], ["600.00"]],
  );
  assert.deepEqual([drawn.totals.net, drawn.totals.tax], ["1412.73", "84.76"]);
  const whole = issuedInvoice(invoiceOf(bill, { ...issuing, drawn: bill.net }));
  holds(whole);
  assert.equal(whole.totals.payable, "0.00");
  assert.equal(invoiceOf(bill, { ...issuing, drawn: bill.net + 1n }).outcome, "refused");
  assert.equal(invoiceOf(bill, { ...issuing, prepaid: bill.gross + 1n }).outcome, "refused");
});

const price = fc.integer({ min: 0, max: 99_999_999 }).map((units) => `0.${String(units).padStart(12, "0")}`);
const amount = fc
  .integer({ min: 0, max: 999 })
  .map((units) => `${Math.floor(units / 100)}.${String(units % 100).padStart(2, "0")}`);
const tiers = fc
  .tuple(fc.integer({ min: 1, max: 5_000_000 }), price, price, amount)
  .map(([upTo, first, second, flatFee]) => [
    { upTo, unitPrice: first },
    { unitPrice: second, flatFee },
  ]);
const model = fc.oneof(
  price.map((unitPrice) => ({ unitPrice })),
  amount.map((pricePerHour) => ({ pricePerHour: pricePerHour === "0.00" ? "1" : pricePerHour })),
  tiers.map((graduated) => ({ graduated })),
  tiers.map((volume) => ({ volume })),
  fc.record({ size: fc.integer({ min: 1, max: 9_999 }), price: amount }).map((bundle) => ({ package: bundle })),
);
const terms = fc.record({
  model,
  freeGrant: fc.option(fc.integer({ min: 1, max: 1_000_000 })),
  minimum: fc.option(amount),
  discountPercent: fc.option(fc.constantFrom("12.5", "33", "100")),
  rounding: fc.constantFrom("half-up" as const, "half-even" as const),
  currency: fc.constantFrom("EUR", "JPY", "KWD"),
  percent: fc.constantFrom("0", "6", "19", "7.7"),
});

test("property: whatever the tiers, grants, discounts and minimums, a line's net is its price times its quantity, as adjusted", () => {
  const dimensions = ["input-tokens", "accelerator-seconds", "storage-gib-hours"];
  const quantity = fc.tuple(fc.integer({ min: 0, max: 999_999_999 }), fc.constantFrom("", ".5", ".123456789"));
  const property = fc.property(terms, quantity, fc.constantFrom(...dimensions), (drawn, [whole, part], dimension) => {
    const seconds = "pricePerHour" in drawn.model ? "accelerator-seconds" : dimension;
    const sku = `m/${seconds}`;
    const priced = {
      sku,
      ...drawn.model,
      ...(drawn.freeGrant === null ? {} : { freeGrant: drawn.freeGrant }),
      ...(drawn.minimum === null ? {} : { minimum: drawn.minimum }),
    };
    const { currency, rounding, percent, discountPercent } = drawn;
    const version = { version: "1", effectiveFrom: "2026-01-01", discountPercent };
    const contracts = discountPercent === null ? [] : [{ contract: "c", customer: "acme", versions: [version] }];
    const bill = billOf(
      { [sku]: `${whole}${part}` },
      {
        currency,
        rounding,
        percent,
        contracts,
        prices: [priced],
      },
    );
    const invoice = issuedInvoice(invoiceOf(bill, issuing));
    holds(invoice);
    const document = billDocument(bill);
    assert.deepEqual(issuedInvoice(invoiceOf(readBill(document, bill.period), issuing)), invoice);
    holds(issuedInvoice(invoiceOf(readBill(asKeptBefore(document), bill.period), issuing)));
    assert.equal(unitsOf(invoice.totals.net, currency), bill.net);
    assert.equal(unitsOf(invoice.totals.gross, currency), bill.gross);
  });
  fc.assert(property, { numRuns: 500 });
});

test("property: late usage, whatever it makes of what was used before it, has no price below 0, and its line adds up", () => {
  const quantity = fc.integer({ min: 1, max: 9_999_999 });
  const property = fc.property(
    terms,
    quantity,
    quantity,
    ({ model: priced, minimum, currency, rounding }, used, late) => {
      const sku = "m/accelerator-seconds";
      const prices = [{ sku, ...priced, ...(minimum === null ? {} : { minimum }) }];
      const [before, after] = [used, used + late].map((units) =>
        billOf({ [sku]: String(units) }, { currency, rounding, prices }),
      );
      for (const line of grownBy(after!.lines, before!.lines)) {
        const told = { ...billedLine(line, { drawn: 0n, cost: undefined }, null), id: "1" };
        assert.equal(netByPrice(told, currency), line.rounded, JSON.stringify(told));
        assert.ok(!told.price.amount.startsWith("-"), JSON.stringify(told));
      }
    },
  );
  fc.assert(property, { numRuns: 500 });
});

test("what late usage takes back of a commitment is taken off, where nothing is left to be priced", () => {
  const [line] = billOf(
    { "m/accelerator-seconds": "1" },
    { prices: [{ sku: "m/accelerator-seconds", unitPrice: "20" }] },
  ).lines;
  const [taken] = grownBy([], [{ ...line!, quantity: fraction(1n) }]);
  const { quantity, price, allowances, net } = billedLine(
    { ...taken!, quantity: fraction(0n) },
    { drawn: 0n, cost: undefined },
    null,
  );
  assert.deepEqual([quantity, price.amount, net], ["0", "0", "-20.00"]);
  assert.deepEqual(allowances, [{ kind: "late", reason: "Less for earlier usage", amount: "20.00" }]);
});

test("a bill that was kept has the price book's prices, also where discount and minimum have no finite decimal", () => {
  const prices = [
    { sku: "h100/accelerator-seconds", pricePerHour: "2.50", minimum: "900" },
    { sku: "m/input-tokens", pricePerMillion: "0.70", minimum: "100" },
    { sku: "m/output-tokens", graduated: [{ upTo: 1_000_000, pricePerMillion: "9" }, { pricePerMillion: "7" }] },
  ];
  // From 4 March on: of the month a part, of the minimum too.
  const versions = [{ version: "1", effectiveFrom: "2026-03-04", discountPercent: "12.5" }];
  const contracts = [{ contract: "c", customer: "acme", versions }];
  const usage = {
    "h100/accelerator-seconds": "100003",
    "m/input-tokens": "12345677",
    "m/output-tokens": "7654321",
  };
  const bill = billOf(usage, { prices, contracts });
  const document = billDocument(bill);
  assert.ok(document.lines[0]!.exactDiscount!.includes("/") && document.lines[1]!.exactRaised!.includes("/"));
  for (const kept of [document, asKeptBefore(document)]) {
    const invoice = issuedInvoice(invoiceOf(readBill(kept, bill.period), issuing));
    holds(invoice);
    assert.deepEqual(
      invoice.lines.map(({ price, note }) => [price.amount, price.baseQuantity, price.isExact, /average/.test(note!)]),
      [
        ["2.5", "3600", true, false],
        ["0.7", "1000000", true, false],
        ["7.261", "1000000", false, true],
      ],
    );
  }
});

test("property: credit notes never give back more than was invoiced, and all of them together exactly that", () => {
  const amounts = fc.array(fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 90_000 })), {
    maxLength: 12,
  });
  const property = fc.property(amounts, (tries) => {
    const invoice = goldenInvoice();
    const before: Invoice[] = [];
    for (const [line, cents] of tries) {
      const text = `${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, "0")}`;
      const credits = [{ line: String(line), amount: text }];
      const tried = creditOf(invoice, { ...crediting, credits, before });
      const gone = before.flatMap(({ lines }) => lines).filter(({ credits }) => credits === String(line));
      const left = [invoice.lines[line - 1]!.net, ...gone.map(({ net }) => `-${net}`)].reduce(
        (sum, net) => sum + unitsOf(net, "CNY"),
        0n,
      );
      if (BigInt(cents) > left) assert.equal(tried.outcome === "refused" && tried.code, "credit_exceeds_invoice");
      else before.push(issuedInvoice(tried));
    }
    const rest = creditOf(invoice, { ...crediting, credits: "all", before });
    before.push(issuedInvoice(rest));
    for (const credit of before) {
      holds(credit);
      // BR-CO-17 as validators hold it: to less than one unit of the currency.
      const due = round(multiply(fraction(unitsOf(credit.totals.net, "CNY")), fraction(6n, 100n)), 0, "half-up");
      const off = due - unitsOf(credit.totals.tax, "CNY");
      assert.ok(off >= -1n && off <= 1n, `${off}`);
    }
    const sum = (of: (totals: Invoice["totals"]) => string) =>
      before.reduce((total, { totals }) => total + unitsOf(of(totals), "CNY"), 0n);
    assert.deepEqual([sum(({ net }) => net), sum(({ tax }) => tax)], [191_273n, 11_476n]);
    const more = creditOf(invoice, { ...crediting, credits: "all", before });
    assert.equal(more.outcome === "refused" && more.code, "credit_exceeds_invoice");
  });
  fc.assert(property, { numRuns: 100 });
});

test("what cannot be credited is refused: amounts that are none, lines that are not there, notes of other invoices", () => {
  const invoice = goldenInvoice();
  const tried = (credits: readonly { line: string; amount: string }[], before: readonly Invoice[] = []) =>
    creditOf(invoice, { ...crediting, credits, before });
  for (const amount of ["0.00", "-1.00", "1.001", "one", "1e3"]) {
    assert.equal(tried([{ line: "1", amount }]).outcome, "refused", amount);
  }
  const larger = tried([{ line: "1", amount: "475.21" }]);
  assert.ok(larger.outcome === "refused");
  assert.equal(larger.code, "credit_exceeds_invoice");
  assert.match(larger.message, /line 1 of invoice INV-2026-000001 are 475\.20 CNY left, and not 475\.21/);
  assert.equal(tried([{ line: "9", amount: "1.00" }]).outcome, "refused");
  assert.equal(tried([]).outcome, "refused");
  assert.equal(tried([{ line: "1", amount: "1.00" }], [invoice]).outcome, "refused");
  const note = issuedInvoice(tried([{ line: "1", amount: "1.00" }]));
  assert.equal(creditOf(note, { ...crediting, credits: "all" }).outcome, "refused");
  assert.equal(creditOf(invoice, { ...crediting, credits: "all", reason: "\u0007" }).outcome, "refused");
  assert.equal(creditOf(invoice, { ...crediting, credits: "all", number: "../x" }).outcome, "refused");
});

test("what credits paid is off lines above 0 alone: a line that takes late usage back is drawn from by nobody", () => {
  const bill = billOf(goldenUsage);
  const [first, ...rest] = bill.lines;
  const back = { ...first!, amount: fraction(-20n), rounded: -2_000n, residual: fraction(0n), discount: fraction(0n) };
  const net = rest.reduce((sum, { rounded }) => sum + rounded, back.rounded);
  const drawn = net - 1n;
  const { lines, totals } = issuedInvoice(invoiceOf({ ...bill, lines: [back, ...rest], net }, { ...issuing, drawn }));
  const late = { kind: "late", reason: "Less for earlier usage", amount: "20.00" };
  assert.deepEqual([totals.net, lines[0]!.net, lines[0]!.allowances], ["0.01", "-20.00", [late]]);
  const taken = lines.flatMap(({ allowances }) => allowances.filter(({ kind }) => kind === "drawn"));
  assert.equal(
    taken.reduce((sum, { amount }) => sum + unitsOf(amount, "CNY"), 0n),
    drawn,
  );
});

test("reverse charge names both sides; a rate that nobody knows, and an exemption without its reason, make no invoice", () => {
  const [buyer] = goldenParties.buyers;
  const { vatId: _, ...anonymous } = buyer!;
  const bill = billOf(goldenUsage, { reverseCharge: true });
  const charged = issuedInvoice(invoiceOf(bill, issuing));
  assert.deepEqual([charged.tax.category, charged.tax.reasonCode, charged.totals.tax], ["AE", "VATEX-EU-AE", "0.00"]);
  const missing = (document: unknown, of = bill) => {
    const tried = invoiceOf(of, { ...issuing, parties: partiesOf(document) });
    return tried.outcome === "refused" ? `${tried.code}: ${tried.message}` : tried.outcome;
  };
  assert.match(
    missing({ ...goldenParties, buyers: [anonymous] }),
    /^invoice_incomplete: .*the buyer owes the tax: its vatId/,
  );
  const { vatId: __, ...seller } = goldenParties.seller;
  assert.match(missing({ ...goldenParties, seller }), /^invoice_incomplete: The seller has neither a vatId nor a tax/);
  assert.match(missing({ ...goldenParties, buyers: [] }), /^invoice_incomplete: .*no buyer for the customer acme/);
  const taxed = billOf(goldenUsage);
  const untaxed = { ...taxed, tax: { ...taxed.tax, percent: undefined, amount: 0n }, gross: taxed.net };
  assert.match(missing(goldenParties, untaxed), /^invoice_incomplete: No rate of tax is known/);
  const exempt = { ...goldenParties, exemption: { category: "E", reason: "Article 132" } };
  assert.equal(missing(exempt, untaxed), "issued");
  assert.equal(readParties({ ...goldenParties, exemption: { category: "E" } }).outcome, "invalid");
});

test("parties are refused with every place that is wrong, names that no XML can hold among them", () => {
  const [buyer] = goldenParties.buyers;
  const read = readParties({
    seler: 1,
    seller: { ...goldenParties.seller, name: "bell\u0007", country: "China", vatId: "91330100799655058B" },
    dueDays: -1,
    buyers: [
      { ...buyer, name: "half \uD800 a character" },
      { ...buyer, city: " " },
      { ...buyer, customer: "c", name: "=1+1", phone: "+33 (0)1 23" },
      { ...buyer, customer: "d", name: "@SUM(1)" },
      { ...buyer, customer: "e", name: "+Plus (Paris) GmbH" },
    ],
  });
  assert.ok(read.outcome === "invalid");
  const told = read.problems.map(({ path, message }) => `${path} ${message}`).toSorted();
  assert.deepEqual(told, [
    "buyers[0].name must not hold U+D800, which no invoice can show",
    "buyers[1].city must not be empty",
    "buyers[2].name must not be what a spreadsheet would take for a formula",
    "buyers[3].name must not be what a spreadsheet would take for a formula",
    "dueDays must be from 0",
    "seler is no key of parties; did you mean seller?",
    'seller.country must be a country of ISO 3166, such as "FR"',
    "seller.name must not hold U+0007, which no invoice can show",
    'seller.vatId must begin with its country, such as "FR12345678901"',
  ]);
  const twice = readParties({ ...goldenParties, buyers: [buyer, buyer] });
  assert.deepEqual(twice.outcome === "invalid" && twice.problems[0]?.path, "buyers[1].customer");
});

test("days of a month, a quarter, a year and a leap February; days that do not exist are none", () => {
  const told = ["2026-02", "2028-02", "2026-Q4", "2026", "2026-12"].map(daysOf);
  assert.deepEqual(
    told.map(({ startDate, endDate }) => [startDate, endDate]),
    [
      ["2026-02-01", "2026-02-28"],
      ["2028-02-01", "2028-02-29"],
      ["2026-10-01", "2026-12-31"],
      ["2026-01-01", "2026-12-31"],
      ["2026-12-01", "2026-12-31"],
    ],
  );
  assert.throws(() => daysOf("2026-13"), RangeError);
  assert.deepEqual(["2026-02-29", "2028-02-29", "2026-1-1", "2026-13-01", ""].map(isDay), [
    false,
    true,
    false,
    false,
    false,
  ]);
  for (const issueDate of ["2026-02-30", "today"]) {
    assert.equal(invoiceOf(billOf(goldenUsage), { ...issuing, issueDate }).outcome, "refused");
  }
});
