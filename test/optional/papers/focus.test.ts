import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { parse } from "csv-parse/sync";
import { focusCsv, focusParquet } from "../../../src/focus/index.ts";
import { creditOf, decimalOf, type Invoice, invoiceOf } from "../../../src/invoicing/index.ts";
import {
  billOf,
  goldenInvoice,
  goldenPurchase,
  goldenUsage,
  issuedInvoice,
  issuing,
  lateInvoice,
} from "../../../src/invoicing/testing.ts";
import { decimalText } from "../../../src/ledger/index.ts";
import { readParquet, skipped, spurious, validateFocus } from "./validators.ts";

function invoices(): readonly Invoice[] {
  const sku = "m/input-tokens";
  const graduated = [{ upTo: 1_000, pricePerMillion: "3" }, { pricePerMillion: "0.7" }];
  const versions = [{ version: "1", effectiveFrom: "2026-01-01", discountPercent: "12.5" }];
  const contracts = [{ contract: "c", customer: "acme", versions }];
  const prices = [{ sku, graduated, minimum: "5.00" }];
  const tiers = billOf({ [sku]: "12345678.5" }, { prices, contracts });
  const drawn = { ...issuing, number: "INV-2026-000004", drawn: 50_000n };
  const own = [{ version: "1", effectiveFrom: "2026-01-01", prices: [{ sku, pricePerMillion: "0.5" }] }];
  const agreed = billOf(
    { [sku]: "1234567" },
    { prices, contracts: [{ contract: "d", customer: "acme", versions: own }] },
  );
  return [
    goldenInvoice(),
    goldenPurchase(),
    issuedInvoice(invoiceOf(tiers, { ...issuing, number: "INV-2026-000003" })),
    issuedInvoice(invoiceOf(billOf(goldenUsage), drawn)),
    { ...lateInvoice(), number: "INV-2026-000005" },
    issuedInvoice(invoiceOf(agreed, { ...issuing, number: "INV-2026-000006" })),
  ];
}

function credit(): Invoice {
  const crediting = { number: "CN-2026-000001", issueDate: "2026-05-02", reason: "Outage", before: [] };
  return issuedInvoice(creditOf(goldenInvoice(), { ...crediting, credits: [{ line: "1", amount: "100.00" }] }));
}

async function files(of: readonly Invoice[], context: TestContext): Promise<readonly string[]> {
  const folder = mkdtempSync(join(tmpdir(), "bailiwick-focus-"));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  const [csv, parquet] = [join(folder, "focus.csv"), join(folder, "focus.parquet")];
  writeFileSync(csv, [...focusCsv(of, "1.2")].join(""));
  writeFileSync(parquet, await focusParquet(of, "1.2"));
  return [csv, parquet];
}

test(
  "CSV and Parquet of invoices and a credit note pass the validator of FOCUS 1.2",
  { skip: skipped },
  async (context) => {
    for (const path of await files([...invoices(), credit()], context)) {
      const { total, failed } = validateFocus(path);
      assert.match(total, /Pass: 13\d \| Fail: 1 \|/);
      assert.deepEqual(failed, spurious);
    }
  },
);

test(
  "what is asked of those who meter, price by the unit and negotiate passes too",
  { skip: skipped },
  async (context) => {
    const supported = [
      "ACCOUNT_NAMING_SUPPORTED",
      "NEGOTIATED_PRICING_SUPPORTED",
      "UNIT_PRICING_SUPPORTED",
      "USAGE_MEASUREMENT_SUPPORTED",
    ];
    for (const path of await files(invoices(), context))
      assert.deepEqual(validateFocus(path, supported).failed, spurious);
  },
);

test("the rules are asked: a file that names no issuer fails them", { skip: skipped }, async (context) => {
  const [csv = ""] = await files(invoices(), context);
  writeFileSync(csv, [...focusCsv(invoices(), "1.2")].join("").replaceAll('"Bailiwick Cloud Co., Ltd."', ""));
  assert.ok(validateFocus(csv).failed.includes("InvoiceIssuerName-C-003-M"));
});

test("another reader finds every digit of CSV in Parquet", { skip: skipped }, async (context) => {
  const of = [...invoices(), credit()];
  const [, path = ""] = await files(of, context);
  const { types, rows } = readParquet(path);
  assert.deepEqual([types["BilledCost"], types["ChargePeriodStart"]], ["decimal128(38, 18)", "timestamp[ms, tz=UTC]"]);
  const told: readonly Record<string, string>[] = parse([...focusCsv(of, "1.2")].join(""), { columns: true });
  assert.equal(rows.length, told.length);
  for (const [index, row] of told.entries()) {
    for (const [name, text] of Object.entries(row)) {
      const value = rows[index]![name] ?? "";
      if (types[name] !== "decimal128(38, 18)" || text === "") continue;
      // Python writes small decimals as 1.6E-7.
      const [digits = "", exponent = "0"] = value.split("E");
      const read = exponent === "0" ? digits : shifted(digits, Number(exponent));
      assert.equal(decimalText(decimalOf(read)), decimalText(decimalOf(text)), name);
    }
  }
});

/** A decimal string times a power of ten below 1. */
function shifted(digits: string, exponent: number): string {
  const [whole = "", decimals = ""] = digits.split(".");
  return `0.${"0".repeat(-exponent - whole.length)}${whole}${decimals}`;
}
