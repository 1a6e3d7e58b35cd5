import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { goldenParties } from "../../src/invoicing/testing.ts";
import { control } from "./asking.ts";
import { commandFails, eventually, type RunningCloud, startCloud, temporaryFolder } from "./cloud.ts";

const folder = temporaryFolder();
const { seller, payment, buyers } = goldenParties;
const { customer: _customer, ...party } = buyers[0]!;
// A start asks itself once, at the settings' prices, which the price book may not change.
const models = { "*": { inputPerMillion: "0.7", outputPerMillion: "1.9" } };
const settings = JSON.stringify({
  billing: { seller, payment },
  prices: [{ version: "settings-1", effectiveFrom: "2020-01-01", currency: "EUR", models }],
});
const now = new Date();
const month = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - 1, 1)).toISOString().slice(0, 7);
const names = Array.from({ length: 60 }, (_each, at) => `customer-${at}`);
const book = {
  currency: "EUR",
  versions: [
    {
      version: "1",
      effectiveFrom: "2020-01-01",
      prices: [
        { sku: "seats", unitPrice: "20" },
        { sku: "fake/input-tokens", pricePerMillion: "0.7" },
        { sku: "fake/cached-read-tokens", pricePerMillion: "0.7" },
        { sku: "fake/output-tokens", pricePerMillion: "1.9" },
        { sku: "fake/reasoning-tokens", pricePerMillion: "1.9" },
      ],
    },
  ],
  jurisdiction: "CN",
  taxes: [{ jurisdiction: "CN", percent: 6 }],
};

let cloud: RunningCloud;

interface Listed {
  readonly id: string;
  readonly state: string;
  readonly number: string | null;
}

before(async () => {
  cloud = await startCloud({ data: join(folder.path, "data"), arguments: ["--engine", "fake"], settings });
  for (const name of names) await control(cloud, "POST", "/organisations", { name });
  await control(cloud, "PUT", "/price-book", { basedOn: 0, document: book, note: "seats" });
  const records = names.map((customer, at) => {
    return { id: "1", source: "/s", customer, time: `${month}-10T12:00:00Z`, sku: "seats", quantity: at + 1 };
  });
  await control(cloud, "POST", "/usage", records);
  await cloud.command("ledger", "close", month);
});

after(async () => {
  await cloud.stop();
  folder.remove();
});

const listed = async (): Promise<readonly Listed[]> => cloud.command<Listed[]>("invoice", "list", "--period", month);

test("who a customer is is said by a file; what it lacks is told, and no number is taken", async () => {
  const path = join(folder.path, "party.json");
  writeFileSync(path, JSON.stringify({ name: "Acme" }));
  const refused = await commandFails(["org", "party", "set", names[0]!, path, "--data", cloud.data]);
  assert.match(refused.stderr, /country/);
  writeFileSync(path, JSON.stringify(party));
  assert.deepEqual(await cloud.command("org", "party", "set", names[0]!, path), party);
  assert.deepEqual(await cloud.command("org", "party", "show", names[0]!), party);
  const made = await cloud.command<{ issued: unknown[]; refusals: number }>("invoice", "finalize", "--period", month);
  assert.deepEqual([made.issued.length, made.refusals], [1, names.length - 1]);
});

test("killed while a period's invoices become final, and started again: no number is missing, none is there twice", async () => {
  for (const name of names.slice(1)) await control(cloud, "PUT", `/organisations/${name}/party`, party);
  const running = control(cloud, "POST", `/ledger/periods/${month}/finalize`, {}).then(
    () => "done",
    () => "cut",
  );
  const count = async (): Promise<number> => {
    const { items } = await control<{ items: unknown[] }>(cloud, "GET", "/invoice-documents?limit=1000");
    return items.length;
  };
  await eventually("some are final", async () => (await count()) > 5, 30_000);
  await cloud.kill();
  await running;
  cloud = await startCloud({ data: cloud.data, arguments: ["--engine", "fake"], settings });
  await cloud.command("invoice", "finalize", "--period", month);
  const rows = await listed();
  assert.deepEqual(
    rows.map(({ number }) => Number(/^INV-\d{4}-(\d{6})$/.exec(number ?? "")?.[1])).toSorted((a, b) => a - b),
    names.map((_each, at) => at + 1),
  );
});

test("what was issued is written as one file, or as all of a period into a folder, and as FOCUS", async () => {
  const [first] = await listed();
  const out = join(folder.path, "one.xml");
  const made = await cloud.command<{ number: string }>(
    "invoice",
    "render",
    first!.id,
    "--format",
    "xrechnung",
    "--out",
    out,
  );
  assert.equal(made.number, first!.number);
  const all = ["--period", month, "--format", "json", "--out", join(folder.path, "all")];
  const { invoices } = await cloud.command<{ invoices: unknown[] }>("invoice", "render", ...all);
  assert.equal(invoices.length, names.length);
  const again = await commandFails(["invoice", "render", ...all.slice(0, 4), "--out", out, "--data", cloud.data]);
  assert.match(again.stderr, /a file holds one document/);
  const focus = [
    "focus",
    "export",
    "--focus-version",
    "1.4",
    "--format",
    "parquet",
    "--out",
    join(folder.path, "f.parquet"),
  ];
  assert.equal((await cloud.command<{ invoices: number }>(...(focus as [string]))).invoices, names.length);
  await cloud.command("invoice", "void", first!.id, "--reason", "not theirs");
  const states = (await listed()).filter(({ state }) => state === "void");
  assert.deepEqual(
    states.map(({ id }) => id),
    [first!.id],
  );
  const note = [
    "invoice",
    "render",
    `CN-${now.getUTCFullYear()}-000001`,
    "--format",
    "json",
    "--out",
    join(folder.path, "cn.json"),
  ];
  assert.match((await cloud.command<{ file: string }>(...(note as [string]))).file, /cn\.json$/);
});
