import assert from "node:assert/strict";
import test from "node:test";
import { parse } from "csv-parse/sync";
import fc from "fast-check";
import { parquetReadObjects } from "hyparquet";
import { creditOf, decimalOf, type Invoice, invoiceOf, readBill, readInvoice } from "../invoicing/index.ts";
import {
  billOf,
  goldenInvoice,
  goldenPurchase,
  goldenUsage,
  issuedInvoice,
  issuing,
  lateInvoice,
} from "../invoicing/testing.ts";
import { add, billDocument, decimalText, fraction, grownBy, multiply, total } from "../ledger/index.ts";
import { focusCsv, focusParquet, type FocusVersion } from "./index.ts";

type Row = Readonly<Record<string, string>>;

function rowsOf(invoices: readonly Invoice[], version: FocusVersion = "1.2"): readonly Row[] {
  return parse([...focusCsv(invoices, version)].join(""), { columns: true });
}

function sumOf(rows: readonly Row[], column: string): string {
  return decimalText(rows.reduce((sum, row) => add(sum, decimalOf(row[column]!)), fraction(0n)));
}

function plain(text: string): string {
  return decimalText(decimalOf(text));
}

const crediting = { number: "CN-2026-000001", issueDate: "2026-05-02", reason: "Outage", before: [] };

function goldenCredit(): Invoice {
  const credits = [{ line: "1", amount: "100.00" }];
  return issuedInvoice(creditOf(goldenInvoice(), { ...crediting, credits }));
}

test("golden A: exact lines, what rounding made of them, and tax come to what is to be paid", () => {
  const rows = rowsOf([goldenInvoice()]);
  assert.deepEqual(
    rows.map((row) => [row["ChargeCategory"], row["BilledCost"], row["PricingQuantity"], row["ListUnitPrice"]]),
    [
      ["Usage", "475.2", "86400.0", "0.0055"],
      ["Usage", "37.5308624", "234567890.0", "0.00000016"],
      ["Usage", "800.0000008", "1000000001.0", "0.0000008"],
      ["Usage", "600.000014", "300000007.0", "0.000002"],
      ["Adjustment", "-0.0008772", "", ""],
      ["Tax", "114.76", "", ""],
    ],
  );
  assert.equal(sumOf(rows, "BilledCost"), "2027.49");
  const tokens = rows.map((row) => [row["x_Model"], row["x_TokenKind"], row["PricingUnit"]]);
  assert.deepEqual(tokens[1], ["qwen3-32b", "cached-read", "Tokens"]);
  assert.deepEqual(tokens[0], ["", "", "Seconds"]);
  const [first] = rows;
  assert.deepEqual(
    [first!["BillingPeriodStart"], first!["BillingPeriodEnd"]],
    ["2026-02-28T16:00:00Z", "2026-03-31T16:00:00Z"],
  );
});

test("a credit note is a correction of a period before, below 0, in the month in which it was issued", () => {
  const rows = rowsOf([goldenCredit()]);
  assert.deepEqual(
    rows.map((row) => [row["ChargeCategory"], row["ChargeClass"], row["BilledCost"], row["x_CreditedInvoiceId"]]),
    [
      ["Usage", "Correction", "-100.0", "INV-2026-000001"],
      ["Tax", "Correction", "-6.0", "INV-2026-000001"],
    ],
  );
  assert.equal(rows[0]!["BillingPeriodStart"], "2026-05-01T00:00:00Z");
  assert.equal(rows[0]!["ChargePeriodEnd"], "2026-03-31T16:00:00Z");
  // By the clock by which its days are told, in summer and in winter.
  const told = (issueDate: string) => {
    const [row] = rowsOf([{ ...goldenCredit(), issueDate, timeZone: "Europe/Berlin" }]);
    return [row!["BillingPeriodStart"], row!["BillingPeriodEnd"]];
  };
  assert.deepEqual(told("2026-05-31"), ["2026-04-30T22:00:00Z", "2026-05-31T22:00:00Z"]);
  assert.deepEqual(told("2026-10-01"), ["2026-09-30T22:00:00Z", "2026-10-31T23:00:00Z"]);
});

test("usage that came late was used in its own period, billed in the invoice's, by the clock of the price book", () => {
  const invoice = lateInvoice();
  const whole = issuedInvoice(creditOf(invoice, { ...crediting, credits: "all" }));
  const periods = (row: Row) => ["BillingPeriodStart", "ChargePeriodStart", "ChargePeriodEnd"].map((name) => row[name]);
  const march = ["2026-02-28T16:00:00Z", "2026-02-28T16:00:00Z", "2026-03-31T16:00:00Z"];
  const [late, ...rest] = rowsOf([invoice]).map(periods);
  assert.deepEqual(late, ["2026-02-28T16:00:00Z", "2026-01-31T16:00:00Z", "2026-02-28T16:00:00Z"]);
  assert.equal(rest.length, 5);
  for (const each of rest) assert.deepEqual(each, march);
  assert.deepEqual(periods(rowsOf([whole])[0]!).slice(1), ["2026-01-31T16:00:00Z", "2026-02-28T16:00:00Z"]);
});

test("credits are billed when they are bought and effective when they are used, where they bill 0", () => {
  const bought = rowsOf([goldenPurchase()]);
  assert.deepEqual(
    bought.map((row) => [row["ChargeCategory"], row["BilledCost"], row["EffectiveCost"], row["PricingUnit"]]),
    [
      ["Purchase", "10000.0", "0.0", "11000 Credits"],
      ["Tax", "600.0", "0.0", ""],
    ],
  );
  const bill = billOf(goldenUsage);
  const whole = rowsOf([issuedInvoice(invoiceOf(bill, { ...issuing, drawn: bill.net }))]);
  assert.deepEqual(
    new Set(whole.map((row) => `${row["ChargeCategory"]} ${row["BilledCost"]}`)),
    new Set(["Usage 0.0"]),
  );
  // Nobody knows what they had cost: it is what they pay for.
  assert.equal(sumOf(whole, "EffectiveCost"), "1912.7308772");
  const part = rowsOf([issuedInvoice(invoiceOf(bill, { ...issuing, drawn: 50_000n }))]);
  assert.equal(sumOf(part, "BilledCost"), "1497.49");
});

test("golden B: what was drawn is effective at what the credits had cost, to the last decimal; gifts cost nothing", () => {
  const bill = billOf(goldenUsage);
  // 10,000.00 for 11,000 credits.
  const cost = (drawn: bigint) => ({ drawn, drawnCost: fraction((drawn * 10n ** 12n) / 110n, 10n ** 12n) });
  const whole = rowsOf([issuedInvoice(invoiceOf(bill, { ...issuing, ...cost(bill.net) }))]);
  assert.equal(sumOf(whole, "BilledCost"), "0");
  assert.equal(sumOf(whole, "EffectiveCost"), "1738.845454545454");
  assert.deepEqual(
    whole.map((row) => row["EffectiveCost"]),
    ["432.0", "34.118181818182", "727.272727272727", "545.454545454545"],
  );
  const part = rowsOf([issuedInvoice(invoiceOf(bill, { ...issuing, ...cost(50_000n) }))]);
  const lines = part.filter((row) => row["ChargeCategory"] === "Usage");
  assert.deepEqual(
    lines.map((row) => [row["BilledCost"], row["EffectiveCost"]]),
    [
      ["0.0", "431.999999999999"],
      ["12.7308624", "35.276316945455"],
      ["800.0000008", "800.0000008"],
      ["600.000014", "600.000014"],
    ],
  );
  const given = rowsOf([issuedInvoice(invoiceOf(bill, { ...issuing, drawn: bill.net, drawnCost: fraction(0n) }))]);
  assert.equal(sumOf(given, "EffectiveCost"), "0");
});

test("a purchase that was taken back bills what it had billed, and was effective nowhere", () => {
  const bought = goldenPurchase();
  const note = issuedInvoice(creditOf(bought, { ...crediting, credits: "all" }));
  const rows = rowsOf([bought, note]);
  assert.deepEqual(
    rows.map((row) => [row["ChargeCategory"], row["ChargeClass"], row["BilledCost"], row["EffectiveCost"]]),
    [
      ["Purchase", "", "10000.0", "0.0"],
      ["Tax", "", "600.0", "0.0"],
      ["Purchase", "Correction", "-10000.0", "0.0"],
      ["Tax", "Correction", "-600.0", "0.0"],
    ],
  );
});

test("what was committed to and not used is an adjustment; a dimension that nobody knows here is usage all the same", () => {
  const versions = [{ version: "1", effectiveFrom: "2026-01-01", commitment: "50.00" }];
  const contracts = [{ contract: "c", customer: "acme", versions }];
  const bill = billOf(
    { "desk/support-hours": "2" },
    { contracts, prices: [{ sku: "*/support-hours", unitPrice: "10" }] },
  );
  const rows = rowsOf([issuedInvoice(invoiceOf(bill, issuing))]);
  assert.deepEqual(
    rows.map((row) => [row["ChargeCategory"], row["ServiceName"], row["BilledCost"], row["ConsumedQuantity"]]),
    [
      ["Adjustment", "Billing", "30.0", ""],
      ["Usage", "Other services", "20.0", "2.0"],
      ["Tax", "Billing", "3.0", ""],
    ],
  );
});

test("a bill that was kept has the price book's price as its list price, also where the discount has no finite decimal", () => {
  const versions = [{ version: "1", effectiveFrom: "2026-01-01", discountPercent: "12.5" }];
  const prices = [{ sku: "h100/accelerator-seconds", pricePerHour: "2.50" }];
  const bill = billOf(
    { "h100/accelerator-seconds": "100003" },
    { prices, contracts: [{ contract: "c", customer: "acme", versions }] },
  );
  const [row] = rowsOf([issuedInvoice(invoiceOf(readBill(billDocument(bill), bill.period), issuing))]);
  assert.deepEqual([row!["ListUnitPrice"], row!["ListCost"]], ["0.000694444444444444", "69.446527777777733332"]);
});

test("a contract's own price is the contracted one, beside what the list asks; it has tiers there, and another currency none", () => {
  const sku = "h100/accelerator-seconds";
  const tiers = [
    { upTo: 3_600, unitPrice: "0.003" },
    { unitPrice: "0.001", flatFee: "0.01" },
  ];
  const rowOf = (
    own: object,
    { prices, quantity = "7200", ...more }: { prices: readonly object[]; quantity?: string; currency?: string },
  ) => {
    const versions = [{ version: "1", effectiveFrom: "2026-01-01", prices: [{ sku, ...own }] }];
    const contracts = [{ contract: "c", customer: "acme", versions, ...more }];
    const bill = billOf({ [sku]: quantity }, { prices, contracts });
    const [kept, fresh] = [readBill(billDocument(bill), bill.period), bill].map(
      (each) => rowsOf([issuedInvoice(invoiceOf(each, issuing))])[0]!,
    );
    assert.deepEqual(kept, fresh);
    const columns = ["ListUnitPrice", "ListCost", "ContractedUnitPrice", "ContractedCost", "BilledCost"];
    return columns.map((column) => plain(kept![column]!));
  };
  const own = { unitPrice: "0.0005" };
  const contracted = ["0.0005", "3.6", "3.6"];
  assert.deepEqual(rowOf(own, { prices: [{ sku, unitPrice: "0.0006" }] }), ["0.0006", "4.32", ...contracted]);
  assert.deepEqual(rowOf(own, { prices: [{ sku: "*/accelerator-seconds", unitPrice: "0.0004" }] }), [
    "0.0004",
    "2.88",
    ...contracted,
  ]);
  // 3,600 at 0.003, as many at 0.001, and 0.01: 14.41, of which a 7,200th has no finite decimal and is rounded up.
  assert.deepEqual(rowOf(own, { prices: [{ sku, graduated: tiers }] }), [
    "0.002001388888888889",
    "14.4100000000000008",
    ...contracted,
  ]);
  assert.deepEqual(rowOf(own, { prices: [{ sku: "m/input-tokens", unitPrice: "1" }] }), [
    "0.0005",
    "3.6",
    ...contracted,
  ]);
  const abroad = rowOf(own, { prices: [{ sku, unitPrice: "0.0006" }], currency: "EUR" });
  assert.deepEqual(abroad, ["0.0005", "3.6", ...contracted]);
  // What the contract gives for nothing is priced by neither.
  const free = rowOf({ ...own, freeGrant: 1_200 }, { prices: [{ sku, unitPrice: "0.0006" }] });
  assert.deepEqual(free, ["0.0006", "3.6", "0.0005", "3", "3"]);
});

test("a document that was read again has what the list asks; what is billed later of a period, the rest of it", () => {
  const sku = "m/input-tokens";
  const versions = [{ version: "1", effectiveFrom: "2026-01-01", prices: [{ sku, unitPrice: "2" }] }];
  const terms = { prices: [{ sku, unitPrice: "3" }], contracts: [{ contract: "c", customer: "acme", versions }] };
  const [before, after] = [billOf({ [sku]: "10" }, terms), billOf({ [sku]: "14" }, terms)];
  const lines = grownBy(after.lines, before.lines);
  const minor = 800n;
  const late = { ...after, lines, net: minor, tax: { ...after.tax, amount: 48n }, gross: minor + 48n };
  const invoice = issuedInvoice(invoiceOf(late, issuing));
  const read = readInvoice(JSON.parse(JSON.stringify(invoice)));
  assert.equal(read.outcome, "read");
  const [row] = rowsOf([read.outcome === "read" ? read.invoice : invoice]);
  assert.deepEqual(
    [row!["ListUnitPrice"], row!["ListCost"], row!["ContractedCost"]].map((text) => plain(text!)),
    ["3", "12", "8"],
  );
});

test("a list's own tiers: the list cost is no less than what they come to, and a contract's discount is beside it", () => {
  const sku = "h100/accelerator-seconds";
  const prices = [{ sku, graduated: [{ upTo: 3, unitPrice: "0.00333" }, { unitPrice: "0.001" }] }];
  const bill = (contracts: readonly object[]) => billOf({ [sku]: "7000" }, { prices, contracts });
  const row = (contracts: readonly object[]) => rowsOf([issuedInvoice(invoiceOf(bill(contracts), issuing))])[0]!;
  const listed = row([]);
  assert.equal(listed["ListUnitPrice"], listed["ContractedUnitPrice"]);
  assert.equal(plain(listed["ListCost"]!), "7.006990000000004");
  const versions = [{ version: "1", effectiveFrom: "2026-01-01", discountPercent: "50" }];
  const off = row([{ contract: "c", customer: "acme", versions }]);
  assert.deepEqual([off["ListCost"], plain(off["BilledCost"]!)], [listed["ListCost"], "3.503495"]);
  assert.equal(plain(off["ContractedCost"]!), "3.503495000000002");
});

test("property: an invoice's rows bill its gross amount, and each unit price times its quantity is its cost", () => {
  const quantity = fc.integer({ min: 0, max: 999_999_999 });
  const property = fc.property(
    fc.record({
      tokens: quantity,
      seconds: quantity,
      price: fc.integer({ min: 0, max: 999_999 }),
      percent: fc.constantFrom("0", "6", "7.7"),
      currency: fc.constantFrom("EUR", "JPY", "KWD"),
      discountPercent: fc.constantFrom("0", "12.5", "100"),
      drawnPermille: fc.integer({ min: 0, max: 1_000 }),
    }),
    ({ tokens, seconds, price, percent, currency, discountPercent, drawnPermille }) => {
      const prices = [
        { sku: "m/input-tokens", unitPrice: `0.${String(price).padStart(12, "0")}`, minimum: "3.00" },
        { sku: "910b/accelerator-seconds", pricePerHour: "19.9", freeGrant: 1_000 },
      ];
      const versions = [{ version: "1", effectiveFrom: "2026-01-01", discountPercent, commitment: "50.00" }];
      const contracts = [{ contract: "c", customer: "acme", currency, versions }];
      const usage = { "m/input-tokens": String(tokens), "910b/accelerator-seconds": String(seconds) };
      const bill = billOf(usage, { prices, contracts, percent, currency });
      const drawn = (bill.net * BigInt(drawnPermille)) / 1_000n;
      const costs = drawn / 3n;
      const drawnCost = fraction(costs, 10n ** 12n);
      const invoice = issuedInvoice(invoiceOf(bill, { ...issuing, drawn, drawnCost }));
      const rows = rowsOf([invoice]);
      const cost = invoice.lines.flatMap(({ allowances }) => allowances.flatMap((each) => each.cost ?? []));
      assert.equal(decimalText(total(cost.map(decimalOf))), decimalText(drawn === 0n ? fraction(0n) : drawnCost));
      assert.equal(sumOf(rows, "BilledCost"), plain(invoice.totals.gross));
      for (const row of rows.filter((each) => each["PricingQuantity"] !== "")) {
        for (const kind of ["List", "Contracted"]) {
          const product = multiply(decimalOf(row[`${kind}UnitPrice`]!), decimalOf(row["PricingQuantity"]!));
          assert.equal(decimalText(product), plain(row[`${kind}Cost`]!));
        }
      }
    },
  );
  fc.assert(property, { numRuns: 200 });
});

test("1.4 names providers and lines of invoices as it does, and has everything else of 1.2", () => {
  const columns = (version: FocusVersion) => Object.keys(rowsOf([goldenInvoice()], version)[0]!);
  const [older, newer] = [columns("1.2"), columns("1.4")];
  assert.deepEqual(
    older.filter((name) => !newer.includes(name)),
    ["ProviderName", "PublisherName"],
  );
  assert.deepEqual(
    newer.filter((name) => !older.includes(name)),
    ["HostProviderName", "InvoiceDetailId", "ServiceProviderName"],
  );
  // Columns of our own stand behind FOCUS' (its ColumnHandling attribute).
  for (const names of [older, newer]) {
    const first = names.findIndex((name) => name.startsWith("x_"));
    assert.ok(names.slice(first).every((name) => name.startsWith("x_")));
    assert.deepEqual(names.slice(0, first), names.slice(0, first).toSorted());
  }
});

test("Parquet has the same rows, decimals as decimals and instants as timestamps", async () => {
  const invoices = [goldenInvoice(), goldenCredit(), goldenPurchase()];
  for (const version of ["1.2", "1.4"] as const) {
    const bytes = await focusParquet(invoices, version);
    const file = bytes.slice().buffer;
    const read = await parquetReadObjects({ file });
    const rows = rowsOf(invoices, version);
    assert.equal(read.length, rows.length);
    for (const [index, row] of rows.entries()) {
      for (const [name, text] of Object.entries(row)) {
        const value = (read[index] as Record<string, unknown>)[name];
        if (text === "") assert.equal(value, null, name);
        else if (value instanceof Date) assert.equal(value.toISOString().replace(".000Z", "Z"), text);
        // The reader makes floats of decimals; with another, `npm run test:papers` reads every digit.
        else if (typeof value === "number") assert.ok(Math.abs(value - Number(text)) <= Math.abs(value) * 1e-12, name);
        else assert.equal(value, text, name);
      }
    }
    assert.deepEqual(await focusParquet(invoices, version), bytes);
  }
});

test("a field with commas, quotes and line breaks stays one field", () => {
  const golden = goldenInvoice();
  const name = 'Acme, "the"\r\nbest';
  const rows = rowsOf([{ ...golden, buyer: { ...golden.buyer, name } }]);
  assert.equal(rows[0]!["BillingAccountName"], name);
});
