import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Client } from "pg";
import { goldenBuyer, goldenIssuer } from "../../src/invoicing/testing.ts";
import { control, processBelow, recorded } from "./asking.ts";
import {
  alive,
  commandFails,
  descendants,
  eventually,
  type RunningCloud,
  signal,
  startCloud,
  temporaryFolder,
} from "./cloud.ts";
import { ownPrices, settingsPrices } from "./own-prices.ts";

/** kill -9 of PostgreSQL, all its processes at once, in the middle of what writes money: the books afterwards. */
const folder = temporaryFolder();
const { seller, payment } = goldenIssuer;
const settings = JSON.stringify({ billing: { seller, payment }, prices: settingsPrices });
const now = new Date();
const month = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - 1, 1)).toISOString().slice(0, 7);
const names = Array.from({ length: 8 }, (_each, at) => `customer-${at}`);
const book = {
  currency: "EUR",
  versions: [
    {
      version: "1",
      effectiveFrom: "2020-01-01",
      prices: [{ sku: "seats", unitPrice: "20" }, ...ownPrices],
    },
  ],
  jurisdiction: "CN",
  taxes: [{ jurisdiction: "CN", percent: 6 }],
};

/** So many records, each customer's in turn. */
function recordsOf(count: number) {
  const of = { source: "/s", time: `${month}-10T12:00:00Z`, sku: "seats", quantity: 1 };
  return Array.from({ length: count }, (_each, at) => ({ ...of, id: String(at), customer: names[at % names.length] }));
}

let cloud: RunningCloud;

before(async () => {
  cloud = await startCloud({ data: join(folder.path, "data"), arguments: ["--engine", "fake"], settings });
  for (const name of names) await control(cloud, "POST", "/organisations", { name });
  for (const name of names.slice(0, 3)) await control(cloud, "PUT", `/organisations/${name}/party`, goldenBuyer);
  await control(cloud, "PUT", "/price-book", { basedOn: 0, document: book, note: "seats" });
});

after(async () => {
  await cloud?.kill();
  folder.remove();
});

async function open(): Promise<Client> {
  const read = (name: string): string => readFileSync(join(cloud.data, name), "utf8").trim();
  const host = read("postgres.socket");
  const client = new Client({ host, user: "bailiwick", database: "postgres", password: read("postgres-password") });
  client.on("error", () => undefined); // PostgreSQL is killed under it.
  await client.connect();
  return client;
}

/** Runs a command that gets no further than to a table, kills PostgreSQL there, and waits until it is back. */
async function killedAt(table: string, ...command: readonly string[]): Promise<void> {
  const client = await open();
  await client.query(`BEGIN; LOCK TABLE ${table} IN EXCLUSIVE MODE`);
  const cut = commandFails([...command, "--data", cloud.data, "--json"]);
  await eventually(`a command is at ${table}`, async () => {
    const waiting = "SELECT FROM pg_locks WHERE NOT granted AND relation = $1::regclass";
    return (await client.query(waiting, [table])).rowCount === 1;
  });
  const postmaster = await processBelow(cloud, "postmaster");
  const all = [postmaster, ...(await descendants(postmaster))];
  for (const pid of all) signal(pid, "SIGKILL");
  const { code, stderr } = await cut;
  assert.equal(code, 2, stderr);
  assert.match(stderr, /"code": *"database_unavailable"/);
  await eventually("the end of all of PostgreSQL's processes", () => !all.some(alive));
  await eventually("another PostgreSQL", async () => (await fetch(`${cloud.url}/readyz`)).status === 200);
  await eventually("a connection to it", () =>
    open()
      .then((again) => again.end())
      .then(
        () => true,
        () => false,
      ),
  );
}

async function balances(): Promise<Record<string, string>> {
  const { rows, totals } = await control<{
    rows: { account: string; balance: string }[];
    totals: { debit: string; credit: string }[];
  }>(cloud, "GET", `/ledger/trial-balance?period=${month}`);
  for (const { debit, credit } of totals) assert.equal(debit, credit);
  return Object.fromEntries(rows.map(({ account, balance }) => [account, balance]));
}

async function invoices(): Promise<readonly { number: string; state: string }[]> {
  const path = `/invoices?period=${month}`;
  return (await control<{ items: { number: string; state: string }[] }>(cloud, "GET", path)).items;
}

test("while a file is imported: each record counts once", async () => {
  await control(cloud, "POST", "/usage", recordsOf(100));
  const path = join(folder.path, "usage.jsonl");
  writeFileSync(
    path,
    recordsOf(1_000)
      .map((each) => `${JSON.stringify(each)}\n`)
      .join(""),
  );
  await killedAt("usage_records", "usage", "import", path);
  assert.equal((await balances())["unbilled-receivables"], "2000");
  assert.deepEqual(await cloud.command("usage", "import", path), recorded(900, 100));
  assert.equal((await balances())["unbilled-receivables"], "20000");
});

test("while a period closes: it is open as before, and closes once", async () => {
  const before = await balances();
  await killedAt("invoices", "ledger", "close", month);
  assert.deepEqual(await balances(), before);
  assert.deepEqual(await invoices(), []);
  const closed = await control<{ invoices: number; totals: { gross: string }[] }>(
    cloud,
    "POST",
    `/ledger/periods/${month}/close`,
    {},
  );
  assert.deepEqual([closed.invoices, closed.totals.map(({ gross }) => gross)], [names.length, ["21200.00"]]);
  assert.equal((await balances())["receivables"], "21200");
});

test("while invoices become final: no number is missing, none is there twice", async () => {
  const finalize = () => control(cloud, "POST", `/ledger/periods/${month}/finalize`, {});
  await finalize();
  for (const name of names.slice(3)) await control(cloud, "PUT", `/organisations/${name}/party`, goldenBuyer);
  const before = await balances();
  await killedAt("invoice_documents", "invoice", "finalize", "--period", month);
  await finalize();
  assert.deepEqual(
    (await invoices()).map(({ number, state }) => `${number.slice(-6)} ${state}`).toSorted(),
    names.map((_each, at) => `00000${at + 1} final`),
  );
  assert.deepEqual(await balances(), before);
});
