import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import type { RatedUsage } from "../ledger/index.ts";
import { type Ran, run, temporaryFolder } from "./testing.ts";

const goldenBook = `currency: CNY
timeZone: Asia/Shanghai
jurisdiction: CN
taxes:
  - { jurisdiction: CN, percent: 6 }
versions:
  - version: "2026-1"
    effectiveFrom: "2026-01-01"
    prices:
      - { sku: qwen3-32b/input-tokens, unitPrice: "0.0000008" }
      - { sku: qwen3-32b/cached-read-tokens, pricePerMillion: "0.16" }
      - { sku: qwen3-32b/output-tokens, unitPrice: "0.000002" }
      - { sku: 910b/accelerator-seconds, pricePerHour: "19.8" }
`;

const golden = [
  ["qwen3-32b/input-tokens", "1000000001", "800.0000008", "800.00", "0.0000008"],
  ["qwen3-32b/cached-read-tokens", "234567890", "37.5308624", "37.53", "0.0008624"],
  ["qwen3-32b/output-tokens", "300000007", "600.000014", "600.00", "0.000014"],
  ["910b/accelerator-seconds", "86400", "475.2", "475.20", "0"],
] as const;

async function rate(context: TestContext, book: string, usage: string, ...options: readonly string[]): Promise<Ran> {
  const folder = temporaryFolder(context);
  writeFileSync(join(folder, "book.yaml"), book);
  writeFileSync(join(folder, "usage"), usage);
  return run(["rate", "--price-book", "book.yaml", "--usage", "usage", ...options], folder);
}

function jsonOf({ code, stdout, stderr }: Ran): RatedUsage & { records: number; duplicates: number } {
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout);
}

test("the golden bill, from CSV, lines of JSON and CloudEvents, is 2,027.49 with every residual kept", async (context) => {
  const at = "2026-03-31T23:59:59+08:00";
  const records = golden.map(([sku, quantity], index) => ({
    id: `e${index}`,
    source: "/a",
    customer: "acme",
    time: at,
    sku,
    quantity,
  }));
  const events = records.map(({ customer, time, id, source, ...data }) => ({
    specversion: "1.0",
    type: "usage",
    id,
    source,
    subject: customer,
    time,
    data,
  }));
  const texts = [
    `customer,time,sku,quantity\n${golden.map(([sku, quantity]) => `acme,${at},${sku},${quantity}\n`).join("")}`,
    [...records, ...records.toReversed()].map((record) => `${JSON.stringify(record)}\n`).join(""),
    events.map((event) => `${JSON.stringify(event)}\n`).join(""),
    JSON.stringify(events),
  ];
  for (const text of texts) {
    const rated = jsonOf(await rate(context, goldenBook, text, "--json"));
    assert.deepEqual(
      new Set(
        rated.lines.map(({ sku, quantity, amount, rounded, residual }) =>
          [sku, quantity, amount, rounded, residual].join(" "),
        ),
      ),
      new Set(golden.map((line) => line.join(" "))),
    );
    const { net, tax, gross, residual, currency, unrated } = rated;
    assert.deepEqual([net, tax, gross, residual, currency], ["1912.73", "114.76", "2027.49", "0.0008772", "CNY"]);
    assert.deepEqual(unrated, []);
    assert.deepEqual(
      rated.lines.map(({ customer, period, priceVersion }) => `${customer} ${period} ${priceVersion}`),
      Array(4).fill("acme 2026-03 2026-1"),
    );
  }
});

test("for people it is a table with totals; what is unrated is a warning, and in no line", async (context) => {
  const usage =
    "customer,time,sku,quantity\nacme,2026-03-05,qwen3-32b/input-tokens,1000\nacme,2026-03-05,new/input-tokens,7\n";
  const { code, stdout, stderr } = await rate(context, goldenBook, usage);
  assert.equal(code, 0);
  assert.match(stdout, /^acme +2026-03 +qwen3-32b\/input-tokens +2026-1 +1000 +0\.0008 +0\.00 CNY$/m);
  assert.match(stdout, /^acme 2026-03 new\/input-tokens +no_price +7$/m);
  assert.match(stdout, /^gross +0\.00 CNY$/m);
  assert.match(stderr, /^warning: 1 sum of usage has no price, and is in no line/m);
});

test("a later version that leaves out a price is a warning that names the SKU", async (context) => {
  const later = `  - version: "2026-2"
    effectiveFrom: "2026-07-01"
    prices: [{ sku: "*/input-tokens", unitPrice: "0.0000007" }]
`;
  const usage = "customer,time,sku,quantity\nacme,2026-03-05,qwen3-32b/input-tokens,1000\n";
  const { stdout, stderr } = await rate(context, goldenBook + later, usage, "--json");
  const warnings = ["qwen3-32b/cached-read-tokens", "qwen3-32b/output-tokens", "910b/accelerator-seconds"].map(
    (sku) =>
      `${sku} has no price in version 2026-2, and had one in version 2026-1: what is used of it from then on stays unrated`,
  );
  assert.equal(stderr, warnings.map((text) => `warning: ${text}\n`).join(""));
  assert.deepEqual((JSON.parse(stdout) as { notes: string[] }).notes, warnings);
});

test("the period, the jurisdiction and the tax can be said over the price book", async (context) => {
  const usage =
    "customer,time,sku,quantity\nacme,2026-03-05,qwen3-32b/input-tokens,1000000000\nacme,2026-04-05,qwen3-32b/input-tokens,1000000000\n";
  const of = async (...options: readonly string[]) =>
    jsonOf(await rate(context, goldenBook, usage, "--json", ...options));
  assert.equal((await of()).gross, "1696.00");
  const march = await of("--period", "2026-03");
  assert.deepEqual([march.gross, march.unbilled.length], ["848.00", 1]);
  assert.equal((await of("--period", "2026-03", "--tax-percent", "19.5")).tax, "156.00");
  assert.deepEqual((await of("--reverse-charge")).tax, "0.00");
  const elsewhere = await rate(context, goldenBook, usage, "--json", "--jurisdiction", "FR");
  assert.match(elsewhere.stderr, /^warning: no rate of tax is known for acme: none was added$/m);
  for (const options of [
    ["--period", "2026"],
    ["--tax-percent", "101"],
  ]) {
    const wrong = await rate(context, goldenBook, usage, ...options);
    assert.deepEqual([wrong.code, wrong.stdout], [2, ""]);
    assert.match(wrong.stderr, /\(invalid_usage\)/);
  }
});

test("customers that the price book names and the usage does not are a warning, where the usage has others", async (context) => {
  const book = `${goldenBook}customers:\n  - { customer: globex, jurisdiction: CN, reverseCharge: true }\n`;
  const of = (customer: string, organisation: string) =>
    rate(
      context,
      book,
      JSON.stringify({ customer, organisation, time: "2026-03-05", sku: "qwen3-32b/input-tokens", quantity: 1e9 }),
      "--json",
    );
  const other = await of("org_1", "org_1");
  assert.match(
    other.stderr,
    /^warning: the price book has terms of globex, of whom there is no usage, and the usage is of org_1 too/m,
  );
  assert.equal(jsonOf(other).tax, "48.00");
  const same = await of("globex", "org_1");
  assert.deepEqual([same.stderr, jsonOf(same).tax], ["", "0.00"]);
  // By the id that an export has beside the name, where the price book has that.
  const byId = await of("globex-2", "globex");
  assert.deepEqual([byId.stderr, jsonOf(byId).tax], ["", "0.00"]);
});

test("what is wrong is told with file, line and field, and nothing is billed", async (context) => {
  const usage = "customer,time,sku,quantity\nacme,2026-03-05,m/x,-4\n";
  const wrongUsage = await rate(context, goldenBook, usage, "--json");
  assert.deepEqual([wrongUsage.code, wrongUsage.stdout], [2, ""]);
  assert.match(JSON.parse(wrongUsage.stderr).error.message, /usage:2: quantity is "-4", but cannot be negative$/);
  const overlapping = `${goldenBook}  - version: "2026-2"\n    effectiveFrom: "2026-01-01"\n    prices: [{ sku: a/seats, unitPrice: "1" }]\n`;
  const wrongBook = await rate(context, overlapping, usage);
  assert.equal(wrongBook.code, 2);
  assert.match(
    wrongBook.stderr,
    /book\.yaml:15: versions\[1\]\.effectiveFrom: version 2026-2 begins while version 2026-1 holds: they overlap/,
  );
  const folder = temporaryFolder(context);
  const absent = await run(["rate", "--price-book", "none.yaml", "--usage", "none.csv"], folder);
  assert.deepEqual([absent.code, /\(unusable_file\)/.test(absent.stderr)], [2, true]);
});

test("the example of docs/reference/price-book.md is one, and bills what docs/reference/rate.md says", async (context) => {
  const text = (name: string) =>
    readFileSync(fileURLToPath(new URL(`../../docs/reference/${name}`, import.meta.url)), "utf8");
  const [, book = ""] = /```yaml\n([\s\S]*?)```/.exec(text("price-book.md")) ?? [];
  const [, usage = ""] = /```csv\n([\s\S]*?)```/.exec(text("rate.md")) ?? [];
  const [, shown = ""] = /```text\n([\s\S]*?)```/.exec(text("rate.md")) ?? [];
  const { code, stdout, stderr } = await rate(context, book, usage);
  assert.deepEqual([code, stderr], [0, ""]);
  assert.equal(stdout, shown);
});
