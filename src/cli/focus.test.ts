import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { goldenInvoice } from "../invoicing/testing.ts";
import { withCloud } from "./testing.ts";

/** A cloud with one issued invoice of March, beside it a draft, and two drafts of April. */
async function issued(context: TestContext) {
  const { run, control, folder } = await withCloud(context);
  const invoice = { invoice: "inv_1", kind: "invoice" as const, number: "INV-2026-000001" };
  const drafts = { "2026-03": ["draft", "final"], "2026-04": ["draft", "draft"], "2026-05": ["void"] } as const;
  const rows = Object.entries(drafts).flatMap(([period, states]) =>
    states.map((state, at) => ({
      id: `inv_${period}-${at}`,
      organisation: { id: "org_1", name: "acme" },
      period,
      kind: "usage" as const,
      currency: "CNY",
      state,
      net: "1.00",
      tax: "0.00",
      gross: "1.00",
      drawn: "0.00",
      paid: "0.00",
      open: "1.00",
      residual: "0",
      grant: null,
      createdAt: "2026-04-01T00:00:00.000Z",
      number: state === "draft" ? null : `INV-2026-00000${at}`,
      issueDate: null,
      dueDate: null,
    })),
  );
  Object.assign(control.operations.books, {
    documents: ({ billedIn }: { billedIn?: string }) =>
      Promise.resolve({
        items: ["2026-03", undefined].includes(billedIn) ? [{ ...invoice, document: goldenInvoice() }] : [],
        next: null,
      }),
    invoices: ({ period }: { period?: string }) =>
      Promise.resolve({ items: rows.filter((row) => period === undefined || row.period === period), next: null }),
  });
  return { run, folder };
}

test("what is exported says how many drafts are not in it, also where nothing is", async (context) => {
  const { run, folder } = await issued(context);
  const file = join(folder, "f.csv");
  const march = await run("focus export --period 2026-03 --out f.csv");
  assert.equal(march.code, 0, march.stderr);
  assert.equal(march.stdout, `6 rows of 1 invoices, FOCUS 1.2: ${file}; a draft is not in it\n`);
  assert.match(march.stderr, /^warning: a draft is not in it: .*`bailiwick invoice finalize --period 2026-03`/);
  const april = await run("focus export --period 2026-04 --out f.csv");
  assert.match(april.stdout, /^0 rows of 0 invoices, .*; 2 drafts are not in it\n$/);
  assert.match(april.stderr, /^warning: 2 drafts are not in it/);
  const both = await run("focus export --period 2026-03 2026-04 --out f.csv --json");
  const { invoices, drafts, left } = JSON.parse(both.stdout) as Record<string, unknown>;
  assert.deepEqual([invoices, drafts, left], [1, 3, undefined]);
  assert.match(both.stderr, /--period 2026-03`, `bailiwick invoice finalize --period 2026-04`/);
  const may = await run("focus export --period 2026-05 --out f.csv --json");
  assert.deepEqual([(JSON.parse(may.stdout) as { drafts: number }).drafts, may.stderr], [0, ""]);
  assert.equal((JSON.parse((await run("focus export --out f.csv --json")).stdout) as { drafts: number }).drafts, 3);
});

test("a file holds what its name says, and what says otherwise is refused before anything is asked", async (context) => {
  const { run, folder } = await issued(context);
  const first = (name: string) => readFileSync(join(folder, name), "latin1").slice(0, 4);
  for (const [line, name, begins] of [
    ["--out a.parquet", "a.parquet", "PAR1"],
    ["--out B.PARQUET --format parquet", "B.PARQUET", "PAR1"],
    ["--out c.csv", "c.csv", "Bill"],
    ["--out d", "d", "Bill"],
    ["--out e.txt --format csv", "e.txt", "Bill"],
    ["--out f --format parquet", "f", "PAR1"],
  ] as const) {
    const { code, stderr } = await run(`focus export --period 2026-03 ${line}`);
    assert.equal(code, 0, stderr);
    assert.equal(first(name), begins, line);
  }
  for (const [line, told] of [
    ["--out x.parquet --format csv", /x\.parquet would hold csv, and its name says parquet/],
    ["--out x.csv --format parquet", /x\.csv would hold parquet, and its name says csv/],
    ["--out x.docx", /x\.docx is no \.csv or \.parquet/],
  ] as const) {
    const { code, stdout, stderr } = await run(`focus export --period 2026-04 ${line}`);
    assert.deepEqual([code, stdout, /draft/.test(stderr)], [2, "", false]);
    assert.match(stderr, told);
  }
});
