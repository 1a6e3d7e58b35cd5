import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { withCloud } from "./testing.ts";

test("price-book diff warns of each SKU that a later version leaves out", async (context) => {
  const { run, folder } = await withCloud(context);
  const version = (name: string, effectiveFrom: string, ...skus: readonly string[]) => ({
    version: name,
    effectiveFrom,
    prices: skus.map((sku) => ({ sku, unitPrice: "1" })),
  });
  const versions = [
    version("1", "2020-01-01", "m/output-tokens", "h100/accelerator-seconds"),
    version("2", "2099-01-01", "m/output-tokens"),
  ];
  writeFileSync(join(folder, "book.json"), JSON.stringify({ currency: "EUR", versions }));
  const { code, stdout, stderr } = await run(`price-book diff ${folder}/book.json --json`);
  assert.deepEqual([code, Array.isArray(JSON.parse(stdout))], [1, true]);
  assert.equal(
    stderr,
    "warning: h100/accelerator-seconds has no price in version 2, and had one in version 1: what is used of it from then on stays unrated\n",
  );
});

test("usage import says what of it is unrated and late, and takes nothing under a column that it does not know", async (context) => {
  const { run, control, folder } = await withCloud(context);
  const file = join(folder, "usage.csv");
  writeFileSync(file, "id,customer,time,sku,qty\n1,acme,2026-03-10,m/seats,5\n");
  const wrong = await run(`usage import ${file}`);
  assert.deepEqual([wrong.code, wrong.stdout], [2, ""]);
  assert.match(
    wrong.stderr,
    /usage\.csv:1: the header lacks quantity, and qty .*means nothing in a record; columns are/,
  );
  writeFileSync(file, "id,customer,time,sku,quantity\n1,acme,2026-03-10,m/seats,5\n");
  assert.equal((await run(`usage import ${file}`)).stdout, "1 records were taken, and 0 were there before.\n");
  control.operations.books.recordUsage = () =>
    Promise.resolve({ accepted: 9, duplicates: 1, unrated: 2, late: 3, warnings: ["sku is odd"] });
  const told = await run(`usage import ${file}`);
  assert.equal(told.stdout, "9 records were taken, and 1 were there before; of those taken 2 unrated and 3 late.\n");
  assert.match(told.stderr, /^warning: sku is odd\nwarning: what is unrated .*unrated list.*\nwarning: what is late/);
  assert.deepEqual(JSON.parse((await run(`usage import ${file} --json`)).stdout), {
    accepted: 9,
    duplicates: 1,
    unrated: 2,
    late: 3,
    warnings: ["sku is odd"],
  });
});

test("a period's invoices that were final before are told, and a first period is closed as empty only where that is said", async (context) => {
  const { run, control } = await withCloud(context);
  const { books } = control.operations;
  books.finalizePeriod = () => Promise.resolve({ issued: [], refused: [], refusals: 0, before: 4 });
  const { stdout } = await run("invoice finalize --period 2026-03");
  assert.equal(stdout, "0 invoices are final now, 4 were before.\n");
  const asked: boolean[] = [];
  const closed = books.close.bind(books);
  books.close = (period, mayBeEmpty, by) => {
    asked.push(mayBeEmpty);
    return closed(period, mayBeEmpty, by);
  };
  await run("ledger close 2026-03");
  assert.equal((await run("ledger close 2026-03 --empty")).code, 0);
  assert.deepEqual(asked, [false, true]);
});

test("doctor asks the running cloud for the organisations that billing.internal names", async (context) => {
  const { run, folder } = await withCloud(context);
  writeFileSync(join(folder, "bailiwick.yaml"), "billing: { internal: [nobody] }\n");
  const { stdout } = await run(`doctor --json --config ${folder}/bailiwick.yaml`);
  const { findings } = JSON.parse(stdout) as { findings: { name: string; status: string; detail: string }[] };
  const own = findings.find(({ name }) => name === "own group");
  assert.deepEqual([own?.status, own?.detail.startsWith("billing.internal names nobody: no")], ["missing", true]);
});
