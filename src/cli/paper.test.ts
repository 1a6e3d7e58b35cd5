import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { goldenParties, goldenPrices, goldenUsage } from "../invoicing/testing.ts";
import { type Ran, run, temporaryFolder } from "./testing.ts";

const book = {
  currency: "CNY",
  timeZone: "Asia/Shanghai",
  jurisdiction: "CN",
  taxes: [{ jurisdiction: "CN", percent: 6 }],
  versions: [{ version: "2026-1", effectiveFrom: "2026-01-01", prices: goldenPrices }],
};

const usage = Object.entries(goldenUsage).map(([sku, quantity]) => ({
  customer: "acme",
  time: "2026-03-31T23:59:59+08:00",
  sku,
  quantity,
}));

interface Case {
  readonly folder: string;
  readonly run: (...line: readonly string[]) => Promise<Ran>;
}

function given(context: TestContext, documents: { book?: unknown; usage?: unknown; parties?: unknown } = {}): Case {
  const folder = temporaryFolder(context);
  const all = { book, usage, parties: goldenParties, ...documents };
  for (const [name, document] of Object.entries(all)) {
    writeFileSync(join(folder, name), typeof document === "string" ? document : JSON.stringify(document));
  }
  const files = ["--price-book", "book", "--usage", "usage", "--parties", "parties", "--issue-date", "2026-04-01"];
  return { folder, run: (...line) => run([...line, ...files], folder) };
}

test("golden A is rendered in every format, again with the same bytes, and never over other ones", async (context) => {
  const { folder, run: ran } = given(context);
  const formats = ["json", "ubl", "cii", "xrechnung-ubl", "xrechnung-cii", "pdf", "facturx"];
  const line = ["paper", "render", "--out", "out", "--json", ...formats.flatMap((format) => ["--format", format])];
  const { code, stdout, stderr } = await ran(...line);
  assert.deepEqual([code, stderr], [0, ""]);
  const [invoice] = JSON.parse(stdout).invoices;
  const { number, customer, period, net, tax, gross, currency } = invoice;
  assert.deepEqual([number, customer, period, currency], ["INV-2026-000001", "acme", "2026-03", "CNY"]);
  assert.deepEqual([net, tax, gross], ["1912.73", "114.76", "2027.49"]);
  assert.deepEqual(
    readdirSync(join(folder, "out")).toSorted(),
    ["cii.xml", "facturx.pdf", "json", "pdf", "ubl.xml", "xrechnung-cii.xml", "xrechnung-ubl.xml"].map(
      (extension) => `INV-2026-000001.${extension}`,
    ),
  );
  const ubl = join(folder, "out", "INV-2026-000001.ubl.xml");
  assert.match(readFileSync(ubl, "utf8"), /PayableAmount currencyID="CNY">2027\.49</);
  assert.equal((await ran(...line)).stdout, stdout);
  writeFileSync(ubl, "other");
  const refused = await ran("paper", "render", "--out", "out");
  assert.deepEqual([refused.code, /\(delivery_conflict\)/.test(refused.stderr)], [2, true]);
  assert.equal(readFileSync(ubl, "utf8"), "other");
});

test("numbers go on where they are said to; for people there is a table", async (context) => {
  const buyer = goldenParties.buyers[0]!;
  const parties = { ...goldenParties, buyers: [buyer, { ...buyer, customer: "globex" }] };
  const of = [...usage, ...usage.map((record) => ({ ...record, customer: "globex" }))];
  const { run: ran } = given(context, { parties, usage: of });
  const { code, stdout } = await ran("paper", "render", "--out", "out", "--first-number", "41", "--format", "json");
  assert.equal(code, 0);
  assert.match(stdout, /^INV-2026-000041 +acme +2026-03 +1912\.73 +114\.76 +2027\.49 CNY +1$/m);
  assert.match(stdout, /^INV-2026-000042 +globex /m);
});

test("where one invoice cannot be, none is written, and each reason is told", async (context) => {
  const of = [...usage, { ...usage[0]!, customer: "stranger" }];
  const { folder, run: ran } = given(context, { usage: of });
  const { code, stderr } = await ran("paper", "render", "--out", "out");
  assert.equal(code, 2);
  assert.match(stderr, /1 of 2 bills cannot be invoiced\. \(invoice_incomplete\)/);
  assert.match(stderr, /- stranger 2026-03: The parties name no buyer for the customer stranger\./);
  assert.equal(existsSync(join(folder, "out")), false);
  const buyer = goldenParties.buyers[0]!;
  const { reference: _, ...unnamed } = buyer;
  const two = given(context, {
    usage: [...usage, { ...usage[0]!, customer: "globex" }],
    parties: { ...goldenParties, buyers: [buyer, { ...unnamed, customer: "globex" }] },
  });
  const half = await two.run("paper", "render", "--out", "out", "--format", "ubl", "--format", "xrechnung-ubl");
  assert.equal(half.code, 2);
  assert.match(half.stderr, /1 of 2 cannot be written; none was\. \(format_unsupported\)\n +- INV-2026-000002: /);
  assert.equal(existsSync(join(two.folder, "out")), false);
  const wrong = given(context, { parties: { ...goldenParties, seler: 1 } });
  const told = await wrong.run("paper", "render", "--out", "out");
  assert.match(told.stderr, /parties:1: seler: is no key of parties; did you mean seller\?/);
  for (const option of [
    ["--format", "docx"],
    ["--first-number", "0"],
    ["--issue-date", "2026-02-30"],
  ]) {
    assert.equal((await wrong.run("paper", "render", "--out", "out", ...option)).code, 2);
  }
});

test("a credit note of an invoice's file takes back what is said, and never more than is left", async (context) => {
  const { folder, run: ran } = given(context);
  await ran("paper", "render", "--out", ".", "--format", "json");
  const invoice = ["paper", "credit", "--invoice", "INV-2026-000001.json", "--reason", "Outage", "--out", "."];
  const credit = (...more: readonly string[]) => run([...invoice, "--format", "json", "--json", ...more], folder);
  const dated = ["--issue-date", "2026-04-02"];
  const part = await credit("--number", "CN-2026-000001", "--line", "1=100.00", ...dated);
  assert.deepEqual([part.code, part.stderr], [0, ""]);
  const [{ net, tax, gross }] = JSON.parse(part.stdout).invoices;
  assert.deepEqual([net, tax, gross], ["100.00", "6.00", "106.00"]);
  const before = ["--before", "CN-2026-000001.json"];
  const larger = await credit("--number", "CN-2026-000002", "--line", "1=375.21", ...before, ...dated);
  assert.deepEqual([larger.code, JSON.parse(larger.stderr).error.code], [2, "credit_exceeds_invoice"]);
  const rest = await credit("--number", "CN-2026-000002", ...before, ...dated);
  assert.equal(JSON.parse(rest.stdout).invoices[0].gross, "1921.49");
  assert.equal((await credit("--number", "CN-2026-000003", "--line", "all")).code, 2);
});

test("what was rendered can be credited, however many decimals its amounts have", async (context) => {
  const price = { sku: "app/seats", unitPrice: "0.743123456789", batchDiscountPercent: "3.123456789012" };
  const terms = { version: "1", effectiveFrom: "2026-01-01", discountPercent: "1.123456789012" };
  const { folder, run: ran } = given(context, {
    book: {
      ...book,
      versions: [{ ...book.versions[0]!, prices: [price] }],
      contracts: [{ contract: "c", customer: "acme", versions: [terms] }],
    },
    usage: [{ ...usage[0]!, sku: "app/seats", quantity: "1599.698000001", batch: true }],
  });
  assert.equal((await ran("paper", "render", "--out", ".", "--format", "json")).code, 0);
  const { lines } = JSON.parse(readFileSync(join(folder, "INV-2026-000001.json"), "utf8"));
  assert.match(lines[0].usage.amount, /\.\d{40,}$/);
  const line = "paper credit --invoice INV-2026-000001.json --number CN-2026-000001 --reason no --out . --json".split(
    " ",
  );
  const { code, stdout, stderr } = await run([...line, "--format", "json", "--issue-date", "2026-04-02"], folder);
  assert.deepEqual([code, stderr], [0, ""]);
  assert.equal(JSON.parse(stdout).invoices[0].net, lines[0].net);
});

test("an invoice's file whose sums are not its lines' is refused", async (context) => {
  const { folder, run: ran } = given(context);
  await ran("paper", "render", "--out", ".", "--format", "json");
  const path = join(folder, "INV-2026-000001.json");
  const golden = JSON.parse(readFileSync(path, "utf8"));
  const line = "paper credit --invoice INV-2026-000001.json --number CN-2026-000001 --reason no --out .".split(" ");
  for (const [changed, told] of [
    [{ totals: { ...golden.totals, gross: "2027.50" } }, /totals\.gross: must be 2027\.49/],
    [{ lines: golden.lines.slice(1) }, /totals\.net: must be 1437\.53/],
    [{ tax: { ...golden.tax, taxable: "1.00" } }, /tax: must be 114\.76 on 1912\.73/],
    [{ number: "../x" }, /number: .* is no number of an invoice/],
    [{ lines: [{ ...golden.lines[0], net: "475.201" }] }, /lines\[0\]\.net: is no amount in CNY/],
    [{ currency: "XXX" }, /currency: must be a currency/],
    [{ extra: 1 }, /extra: is no key of an invoice/],
  ] as const) {
    writeFileSync(path, JSON.stringify({ ...golden, ...changed }));
    const { code, stderr } = await run(line, folder);
    assert.equal(code, 2);
    assert.match(stderr, told);
  }
});

test("focus writes CSV and Parquet of both versions", async (context) => {
  const { folder, run: ran } = given(context);
  for (const version of ["1.2", "1.4"]) {
    const { code, stdout, stderr } = await ran(
      "paper",
      "focus",
      "--out",
      "f.csv",
      "--focus-version",
      version,
      "--json",
    );
    assert.deepEqual([code, stderr], [0, ""]);
    const { invoices, rows, focusVersion } = JSON.parse(stdout);
    assert.deepEqual([invoices, rows, focusVersion], [1, 6, version]);
    const [header = "", ...lines] = readFileSync(join(folder, "f.csv"), "utf8").trimEnd().split("\r\n");
    assert.equal(lines.length, 6);
    assert.equal(header.includes("ServiceProviderName"), version === "1.4");
    assert.equal(
      (await ran("paper", "focus", "--out", "f.parquet", "--format", "parquet", "--focus-version", version)).code,
      0,
    );
    assert.equal(readFileSync(join(folder, "f.parquet"), "latin1").slice(0, 4), "PAR1");
  }
  assert.equal((await ran("paper", "focus", "--out", "f.csv", "--focus-version", "1.3")).code, 2);
});

test("the example of docs/reference/invoice.md is one, and invoices the usage of docs/reference/rate.md", async (context) => {
  const text = (name: string) =>
    readFileSync(fileURLToPath(new URL(`../../docs/reference/${name}`, import.meta.url)), "utf8");
  const [, parties] = /```yaml\n([\s\S]*?)```/.exec(text("invoice.md")) ?? [];
  const [, prices] = /```yaml\n([\s\S]*?)```/.exec(text("price-book.md")) ?? [];
  const [, records] = /```csv\n([\s\S]*?)```/.exec(text("rate.md")) ?? [];
  const { folder, run: ran } = given(context, { parties, book: prices, usage: records });
  const { code, stdout, stderr } = await ran("paper", "render", "--out", "out", "--json", "--format", "ubl");
  assert.deepEqual([code, stderr], [0, ""]);
  const { invoices } = JSON.parse(stdout) as {
    invoices: readonly { readonly customer: string; readonly gross: string }[];
  };
  assert.deepEqual(
    invoices.map(({ customer, gross }) => `${customer} ${gross}`),
    ["acme 1200.00", "globex 2.47"],
  );
  const [, line] = /--reason Outage \\\n +--line (\S+) --out/.exec(text("invoice.md"))!;
  await ran("paper", "render", "--out", "out", "--format", "json");
  const invoice = ["paper", "credit", "--invoice", "out/INV-2026-000001.json", "--number", "CN-2026-000001"];
  const credited = await run([...invoice, "--reason", "Outage", "--line", line!, "--out", "out"], folder);
  assert.equal(credited.code, 0, credited.stderr);
});
