import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { parse } from "csv-parse/sync";
import { goldenParties } from "../../src/invoicing/testing.ts";
import { control } from "./asking.ts";
import { type RunningCloud, startCloud, temporaryFolder } from "./cloud.ts";
import { ownPrices, settingsPrices } from "./own-prices.ts";

const folder = temporaryFolder();
let cloud: RunningCloud | undefined;
after(async () => {
  await cloud?.kill();
  folder.remove();
});

interface Invoice {
  readonly id: string;
  readonly kind: string;
  readonly state: string;
  readonly period: string;
  readonly grant: string | null;
}

test("what is bought for a wallet is invoiced, rendered, exported, and taken back with its credits; what was issued outlives an erasure", async () => {
  const { seller, payment, buyers } = goldenParties;
  const { customer: _customer, ...party } = buyers[0]!;
  const settings = JSON.stringify({ billing: { seller, payment }, prices: settingsPrices });
  cloud = await startCloud({ data: join(folder.path, "data"), arguments: ["--engine", "fake"], settings });
  const command = <Answer>(...args: readonly string[]) => cloud!.command<Answer>(...args);
  const taxes = [{ jurisdiction: "CN", percent: 6 }];
  const prices = [{ sku: "m/input-tokens", pricePerMillion: "1" }, ...ownPrices];
  const versions = [{ version: "1", effectiveFrom: "2020-01-01", prices }];
  const document = { currency: "EUR", jurisdiction: "CN", taxes, versions };
  await control(cloud, "PUT", "/price-book", { basedOn: 0, document, note: "test" });
  await control(cloud, "POST", "/organisations", { name: "acme" });
  await control(cloud, "PUT", "/organisations/acme/party", party);

  const golden = ["wallet", "grant", "acme", "--credits", "11000", "--paid", "10000"];
  const spot = await command<{ invoice: string }>(...golden, "--id", "spot", "--received");
  const owed = await command<{ invoice: string }>(...golden, "--id", "owed");
  const states = async () =>
    (await command<Invoice[]>("invoice", "list")).map(({ kind, grant, state }) => `${kind} ${grant} ${state}`);
  assert.deepEqual(await states(), ["purchase spot paid", "purchase owed draft"]);
  const [{ period }] = await command<[Invoice]>("invoice", "list");
  await command("invoice", "finalize", "--period", period);
  await command("invoice", "void", owed.invoice, "--reason", "never ordered");
  assert.deepEqual(await states(), ["purchase spot paid", "purchase owed void"]);
  const [wallet] = await command<[{ balance: string }]>("wallet", "show", "acme");
  assert.equal(wallet.balance, "11000");

  const out = join(folder.path, "invoices");
  const formats = ["ubl", "cii", "xrechnung-ubl", "pdf", "facturx", "json"].flatMap((each) => ["--format", each]);
  await command("invoice", "render", "--period", period, ...formats, "--out", out);
  assert.equal(readdirSync(out).length, 18);
  const file = join(folder.path, "focus.csv");
  await command("focus", "export", "--period", period, "--out", file);
  const rows = parse<Record<string, string>>(readFileSync(file), { columns: true });
  assert.deepEqual(rows.map((row) => `${row["ChargeCategory"]} ${row["BilledCost"]}`).toSorted(), [
    "Purchase -10000.0",
    "Purchase 10000.0",
    "Purchase 10000.0",
    "Tax -600.0",
    "Tax 600.0",
    "Tax 600.0",
  ]);
  const shown = await command<{ bill: { purchase: object } }>("invoice", "show", spot.invoice);
  assert.deepEqual(shown.bill.purchase, { grant: "spot", credits: "11000" });

  const used = { id: "1", source: "/s", customer: "acme", time: new Date().toISOString(), sku: "m/input-tokens" };
  await control(cloud, "POST", "/usage", [{ ...used, quantity: 5 }]);
  const taken = join(folder.path, "export");
  await command("export", "organisation", "acme", "--out", taken);
  const lines = (name: string) =>
    readFileSync(join(taken, `${name}.ndjson`), "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.deepEqual(
    ["party", "usage-records", "invoices", "invoice-documents"].map((name) => lines(name).length),
    [1, 1, 2, 3],
  );
  assert.deepEqual([lines("party")[0]!["name"], lines("usage-records")[0]!["quantity"]], [party.name, "5"]);
  assert.doesNotMatch(readFileSync(join(taken, "audit.ndjson"), "utf8"), /Acme S\.A\./);

  await command("erasure", "organisation", "acme", "--yes", "--reason", "they left");
  const kept = await control<{ items: { document: Record<string, { name: string }> }[] }>(
    cloud,
    "GET",
    `/invoice-documents?period=${period}`,
  );
  assert.deepEqual(
    kept.items.map(({ document }) => document["buyer"]!.name),
    [party.name, party.name, party.name],
  );
  await cloud.stop();
});
