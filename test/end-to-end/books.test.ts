import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { formatAmount, parseAmount } from "../../src/base/index.ts";
import { ask, control, makeKey, recorded } from "./asking.ts";
import {
  commandFails,
  eventually,
  ownQuestionAnswered,
  type RunningCloud,
  startCloud,
  temporaryFolder,
} from "./cloud.ts";
import { program } from "./up.ts";

const folder = temporaryFolder();
const settings = JSON.stringify({
  prices: [
    {
      version: "settings-1",
      effectiveFrom: "2020-01-01",
      currency: "CNY",
      models: { "*": { inputPerMillion: "0.7", cachedInputPerMillion: "0.1", outputPerMillion: "1.9" } },
    },
  ],
});

/** Golden A, of the month before this one: that one can be closed. */
const lastMonth = new Date(Date.UTC(new Date().getUTCFullYear(), new Date().getUTCMonth() - 1, 1))
  .toISOString()
  .slice(0, 7);
const book = {
  name: "golden",
  currency: "CNY",
  versions: [
    {
      version: "a",
      effectiveFrom: "2020-01-01",
      prices: [
        { sku: "m/input-tokens", unitPrice: "0.0000008" },
        { sku: "m/cached-read-tokens", unitPrice: "0.00000016" },
        { sku: "m/output-tokens", unitPrice: "0.000002" },
        { sku: "h800/accelerator-seconds", unitPrice: "0.0055" },
        { sku: "*/input-tokens", pricePerMillion: "0.7" },
        { sku: "*/cached-read-tokens", pricePerMillion: "0.1" },
        { sku: "*/output-tokens", pricePerMillion: "1.9" },
        { sku: "*/reasoning-tokens", pricePerMillion: "1.9" },
      ],
    },
  ],
  contracts: [
    {
      contract: "globex-1",
      customer: "globex",
      versions: [{ version: "1", effectiveFrom: "2099-01-01", discountPercent: 10 }],
    },
    {
      contract: "initech-1",
      customer: "initech",
      versions: [
        {
          version: "1",
          effectiveFrom: "2020-01-01",
          prices: [
            { sku: "*/input-tokens", pricePerMillion: "0.7", batchDiscountPercent: 37 },
            { sku: "*/cached-read-tokens", pricePerMillion: "0.1", batchDiscountPercent: 37 },
            { sku: "*/output-tokens", pricePerMillion: "1.9", batchDiscountPercent: 37 },
            { sku: "*/reasoning-tokens", pricePerMillion: "1.9", batchDiscountPercent: 37 },
          ],
        },
      ],
    },
  ],
  jurisdiction: "CN",
  taxes: [{ jurisdiction: "CN", percent: 6 }],
};
const csv = [
  "id,source,customer,time,sku,quantity",
  `1,/billing,acme,${lastMonth}-10T12:00:00Z,m/input-tokens,1000000001`,
  `2,/billing,acme,${lastMonth}-10T12:00:00Z,m/cached-read-tokens,234567890`,
  `3,/billing,acme,${lastMonth}-10T12:00:00Z,m/output-tokens,300000007`,
  `4,/billing,acme,${lastMonth}-10T12:00:00Z,h800/accelerator-seconds,86400`,
  "",
].join("\n");

let cloud: RunningCloud;
let key: string;

interface Balance {
  readonly rows: { account: string; currency: string; debit: string; credit: string; balance: string }[];
  readonly totals: { currency: string; debit: string; credit: string }[];
}

async function balances(): Promise<Record<string, string>> {
  const { rows, totals } = await cloud.command<Balance>("ledger", "trial-balance");
  for (const { debit, credit } of totals) assert.equal(debit, credit);
  return Object.fromEntries(rows.map(({ account, balance }) => [account, balance]));
}

/** What a command prints that has no --json. */
function printed(...args: readonly string[]): string {
  return execFileSync(process.execPath, [program, ...args, "--data", cloud.data], {
    encoding: "utf8",
    maxBuffer: 64 << 20,
  });
}

const file = (name: string, text: string): string => {
  const path = join(folder.path, name);
  writeFileSync(path, text);
  return path;
};

before(async () => {
  cloud = await startCloud({ data: join(folder.path, "data"), arguments: ["--engine", "fake"], settings });
  await ownQuestionAnswered(cloud);
  for (const name of ["acme", "globex", "initech"]) await control(cloud, "POST", "/organisations", { name });
  await control(cloud, "POST", "/projects", { organisation: "globex", name: "chat", dataClass: "public" });
  key = await makeKey(cloud, "desk", { project: "globex/chat" });
});

after(async () => {
  await cloud.stop();
  folder.remove();
});

test("what is served is unbilled at once, to the last decimal of what its requests were listed at", async () => {
  for (let times = 0; times < 3; times++) assert.equal((await ask({ url: cloud.url, key })).status, 200);
  const rows = await cloud.command<{ amount: string }[]>("usage");
  const listed = rows.reduce((sum, { amount }) => sum + Number(amount) * 1e7, 0);
  const { "unbilled-receivables": unbilled, "revenue/ai-inference": revenue } = await balances();
  assert.ok(listed > 0);
  assert.equal(Math.round(Number(unbilled) * 1e7), Math.round(listed));
  assert.equal(revenue, `-${unbilled}`);
});

test("a posting's why names the requests that made it, with receipts that can be had", async () => {
  const organisation = (await cloud.command<{ id: string }>("organisation", "show", "globex")).id;
  const list: unknown = await control(cloud, "GET", "/ledger/transactions");
  const { items } = list as { items: { postings: { posting: string; organisation: string }[] }[] };
  const mine = items.flatMap(({ postings }) => postings).find((posting) => posting.organisation === organisation);
  const why = await cloud.command<{ requests: { receipt: string }[] }>("ledger", "why", mine!.posting);
  assert.ok(why.requests.length > 0);
  const receipt = await fetch(`${cloud.url}/v1/receipts/${why.requests[0]!.receipt}`, {
    headers: { authorization: `Bearer ${key}` },
  });
  assert.equal(receipt.status, 200);
});

test("a price book is applied by names, holds for requests, and may not change what was used", async () => {
  const path = file("book.json", JSON.stringify(book));
  const applied = await cloud.command<{ version: number; warnings: string[] }>("price-book", "apply", path);
  assert.equal(applied.version, 1);
  assert.deepEqual(applied.warnings, []);
  assert.deepEqual(await cloud.command("price-book", "diff", path), []);
  const dearer = JSON.stringify(book).replaceAll('"0.7"', '"0.8"');
  const refused = await commandFails([
    "price-book",
    "apply",
    file("dearer.json", dearer),
    "--data",
    cloud.data,
    "--json",
  ]);
  assert.match(refused.stderr, /would cost something else/);
  assert.match(refused.stderr, /bailiwick price-book show/);
  const foreign = JSON.stringify({ ...book, currency: "EUR" });
  const other = await commandFails(["price-book", "apply", file("eur.json", foreign), "--data", cloud.data, "--json"]);
  assert.match(other.stderr, /receipts of this cloud are in CNY/);
});

interface Answered {
  readonly prompt_tokens: number;
  readonly prompt_tokens_details?: { readonly cached_tokens?: number };
  readonly completion_tokens: number;
}

/** What an answer's tokens cost by the book, in units of 10^-12. */
function costOf({ prompt_tokens, prompt_tokens_details, completion_tokens }: Answered, percent: bigint): bigint {
  const cached = BigInt(prompt_tokens_details?.cached_tokens ?? 0);
  return ((BigInt(prompt_tokens) - cached) * 7_000n + cached * 1_000n + BigInt(completion_tokens) * 19_000n) * percent;
}

test("what asks for flex, or whose project's tier is batch, is billed with the batch discount, to the last decimal", async () => {
  const { id } = await cloud.command<{ id: string }>("organisation", "show", "initech");
  await control(cloud, "POST", "/projects", { organisation: "initech", name: "day", dataClass: "public" });
  const nightly = { organisation: "initech", name: "night", dataClass: "public", tier: "batch" };
  await control(cloud, "POST", "/projects", nightly);
  const day = await makeKey(cloud, "day", { project: "initech/day" });
  const night = await makeKey(cloud, "night", { project: "initech/night" });
  const flex = { service_tier: "flex" };
  const completions = { path: "/v1/completions", more: { ...flex, messages: undefined, prompt: "Say hello." } };
  let cost = 0n;
  const batch: string[] = [];
  for (const [key, more, percent] of [
    [day, {}, 100n],
    [day, { more: { service_tier: "priority" } }, 100n],
    [day, { more: flex }, 63n],
    [day, { more: flex, content: "Say much more than that." }, 63n],
    [day, completions, 63n],
    [night, {}, 63n],
  ] as const) {
    const seen = await ask({ url: cloud.url, key, ...more });
    assert.equal(seen.status, 200, seen.text);
    cost += costOf((JSON.parse(seen.text) as { usage: Answered }).usage, percent);
    if (percent === 63n) batch.push(String(seen.headers["x-request-id"]));
  }
  await cloud.command("usage");
  const { items } = (await control(cloud, "GET", "/ledger/transactions")) as {
    items: { postings: { posting: string; organisation: string; account: string; amount: string }[] }[];
  };
  const postings = items.flatMap((each) => each.postings).filter(({ organisation }) => organisation === id);
  const unbilled = postings.filter(({ account }) => account === "unbilled-receivables");
  assert.equal(formatAmount(unbilled.reduce((sum, { amount }) => sum + parseAmount(amount)!, 0n)), formatAmount(cost));
  const whys = await Promise.all(
    unbilled.map(({ posting }) =>
      cloud.command<{ requests: { id: string; isBatch: boolean }[] }>("ledger", "why", posting),
    ),
  );
  const told = whys.flatMap(({ requests }) => requests).filter(({ isBatch }) => isBatch);
  assert.deepEqual([...new Set(told.map((each) => each.id))].toSorted(), batch.toSorted());
  // What is exported is rated again to the same.
  const usage = file("initech.jsonl", printed("usage", "export", "--format", "jsonl", "--organisation", "initech"));
  const byId = file("by-id.json", JSON.stringify(book).replaceAll('"initech"', JSON.stringify(id)));
  const rate = [program, "rate", "--price-book", byId, "--usage", usage, "--json"];
  const rated = JSON.parse(execFileSync(process.execPath, rate, { encoding: "utf8" })) as {
    lines: { amount: string }[];
  };
  assert.equal(
    formatAmount(rated.lines.reduce((sum, { amount }) => sum + parseAmount(amount)!, 0n)),
    formatAmount(cost),
  );
});

test("usage of other services counts once, and another body under the same id is refused by name", async () => {
  const path = file("usage.csv", csv);
  assert.deepEqual(await cloud.command("usage", "import", path), recorded(4, 0));
  assert.deepEqual(await cloud.command("usage", "import", path), recorded(0, 4));
  const changed = file("changed.csv", csv.replace("86400", "86401"));
  const refused = await commandFails(["usage", "import", changed, "--data", cloud.data, "--json"]);
  const { error } = JSON.parse(refused.stderr) as { error: { code: string; param: string; message: string } };
  assert.deepEqual([error.code, error.param], ["usage_conflict", "4"]);
  const event = {
    specversion: "1.0",
    type: "usage",
    source: "/billing",
    id: "4",
    subject: "acme",
    time: `${lastMonth}-10T12:00:00Z`,
    data: { sku: "h800/accelerator-seconds", quantity: 86_400 },
  };
  const send = (body: unknown, type: string) =>
    fetch(`${cloud.url}/control/v1/usage`, {
      method: "POST",
      headers: { authorization: `Bearer ${operatorToken()}`, "content-type": type },
      body: JSON.stringify(body),
    });
  assert.deepEqual(await (await send(event, "application/cloudevents+json")).json(), recorded(0, 1));
  const batch = await send(
    [event, { ...event, id: "5", data: { sku: "m/nothing", quantity: 1 } }],
    "application/cloudevents-batch+json",
  );
  assert.deepEqual(await batch.json(), recorded(1, 1, { unrated: 1 }));
  const negative = await send({ ...event, id: "6", data: { sku: "m/nothing", quantity: -1 } }, "application/json");
  assert.equal(negative.status, 422);
  assert.match(JSON.stringify(await negative.json()), /record 1: quantity is -1, but cannot be negative/);
});

function operatorToken(): string {
  return execFileSync("cat", [join(cloud.data, "operator-token")], { encoding: "utf8" }).trim();
}

test("closing the month before makes golden A's invoice; the month that runs cannot be closed", async () => {
  const closed = await cloud.command<{ totals: unknown[] }>("ledger", "close", lastMonth);
  const total = {
    currency: "CNY",
    invoices: 1,
    net: "1912.73",
    tax: "114.76",
    gross: "2027.49",
    residual: "0.0008772",
  };
  assert.deepEqual(closed.totals, [total]);
  assert.deepEqual(await cloud.command("ledger", "close", lastMonth), closed);
  const month = new Date().toISOString().slice(0, 7);
  const refused = await commandFails(["ledger", "close", month, "--data", cloud.data, "--json"]);
  assert.match(refused.stderr, /period_not_over/);
  const [invoice] = await cloud.command<{ id: string; gross: string; state: string }[]>("invoice", "list");
  assert.deepEqual([invoice!.gross, invoice!.state], ["2027.49", "draft"]);
  const unrated = await cloud.command<{ sku: string; reason: string }[]>("usage", "unrated", "list");
  assert.deepEqual(
    unrated.map(({ sku, reason }) => [sku, reason]),
    [["m/nothing", "no_price"]],
  );
});

test("what was metered is written so that it can be rated again, to the same cent", async () => {
  const usage = file(
    "metered.csv",
    printed("usage", "export", "--format", "csv", "--until", `${lastMonth}-28T00:00:00Z`),
  );
  const rated = await cloud
    .command<{ gross: string }>("rate", "--price-book", file("book.json", JSON.stringify(book)), "--usage", usage)
    .catch(() => undefined);
  assert.equal(rated, undefined, "rate takes no --data");
  const text = execFileSync(
    process.execPath,
    [program, "rate", "--price-book", join(folder.path, "book.json"), "--usage", usage, "--json"],
    { encoding: "utf8" },
  );
  assert.equal((JSON.parse(text) as { gross: string }).gross, "2027.49");
});

test("what was metered and is imported again, served requests among it, was there before in each format", async () => {
  const before = await balances();
  for (const format of ["cloudevents", "csv", "jsonl"]) {
    const path = file(`again.${format}`, printed("usage", "export", "--format", format));
    const sum = await cloud.command<{ accepted: number; duplicates: number }>("usage", "import", path);
    assert.equal(sum.accepted, 0, format);
    assert.ok(sum.duplicates > 4);
  }
  assert.deepEqual(await balances(), before);
});

test("killed and started again, the books are the same", async () => {
  const before = await balances();
  await cloud.kill();
  cloud = await startCloud({ data: cloud.data, arguments: ["--engine", "fake"], settings });
  const after = await balances();
  // Each start asks itself once.
  for (const account of ["receivables", "tax-payable/CN", "rounding-residual", "revenue/accelerator-time"]) {
    assert.equal(after[account], before[account]);
  }
});

test("killed while a file is imported, and asked for it once more: each record counts once", async () => {
  const records = 20_000;
  const lines = Array.from({ length: records }, (_, index) =>
    [`big-${index}`, "/big", "acme", new Date(Date.now() - 60_000).toISOString(), "m/output-tokens", "3"].join(","),
  );
  const path = file("big.csv", `id,source,customer,time,sku,quantity\n${lines.join("\n")}\n`);
  const before = (await balances())["unbilled-receivables"]!;
  const cut = cloud.command("usage", "import", path).then(
    () => "done",
    () => "cut off",
  );
  // Some of it is taken by then, and not all.
  await eventually(
    "some of it is there",
    async () => Number((await balances())["unbilled-receivables"]) > Number(before),
  );
  await cloud.kill();
  await cut;
  cloud = await startCloud({ data: cloud.data, arguments: ["--engine", "fake"], settings });
  const { accepted, duplicates } = await cloud.command<{ accepted: number; duplicates: number }>(
    "usage",
    "import",
    path,
  );
  assert.equal(accepted + duplicates, records);
  assert.ok(duplicates > 0);
  const metered = printed("usage", "export", "--format", "jsonl", "--organisation", "acme");
  const sum = metered
    .split("\n")
    .filter((line) => line.includes("big-"))
    .reduce((total, line) => total + Number((JSON.parse(line) as { quantity: string }).quantity), 0);
  assert.equal(sum, 3 * records);
  // 60,000 output tokens at 0.000002, beside what the cloud asks itself at each start.
  const gained = Number((await balances())["unbilled-receivables"]) - Number(before);
  assert.ok(gained >= 0.12 && gained < 0.1201, String(gained));
});

const programs = {
  beancount: ["bean-check", "FILE"],
  hledger: ["hledger", "-f", "FILE", "check", "--strict"],
} as const;

for (const [format, [command, ...args]] of Object.entries(programs)) {
  const isThere = spawnSync(command, ["--version"]).status === 0;
  test(`${command} accepts what is written for it`, { skip: isThere ? false : `${command} is not installed` }, () => {
    const path = file(`ledger.${format}`, printed("ledger", "export", "--format", format));
    const checked = spawnSync(
      command,
      args.map((arg) => (arg === "FILE" ? path : arg)),
      { encoding: "utf8" },
    );
    assert.equal(checked.status, 0, checked.stdout + checked.stderr);
  });
}
