import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { ask, control, errorIn, makeKey } from "./asking.ts";
import { eventually, type RunningCloud, startCloud, temporaryFolder } from "./cloud.ts";

const folder = temporaryFolder();
let cloud: RunningCloud | undefined;
after(async () => {
  await cloud?.kill();
  folder.remove();
});

interface Wallet {
  readonly balance: string;
  readonly unbilled: string;
  readonly available: string;
}

async function walletOf(name: string): Promise<Wallet> {
  const [wallet] = await cloud!.command<Wallet[]>("wallet", "show", name);
  return wallet!;
}

/** Asks so many times at once; as many sockets as the gateway takes. */
async function askOften(key: string, times: number, more: object) {
  const { url } = cloud!;
  const seen = await Promise.all(
    Array.from({ length: times }, () =>
      ask({ url, key, content: "[[fake:tokens=50]]", more: { max_tokens: 50, ...more } }),
    ),
  );
  return Map.groupBy(seen, ({ status }) => status);
}

test("1,000 requests at once use no more than a prepaid wallet has, also over a crash, and a grant lets more run", async () => {
  const start = async (): Promise<RunningCloud> =>
    startCloud({
      data: join(folder.path, "data"),
      arguments: ["--engine", "fake", "--site", "DE"],
      settings: JSON.stringify({ limits: { requestsInFlight: 2_000 }, billing: { alerts: { thresholds: [1] } } }),
    });
  cloud = await start();
  await control(cloud, "POST", "/organisations", { name: "acme", prepaid: true });
  await control(cloud, "POST", "/projects", { organisation: "acme", name: "chat", dataClass: "public" });
  const key = await makeKey(cloud, "desk", { project: "acme/chat" });
  await eventually("the organisation to be prepaid", async () => (await ask({ url: cloud!.url, key })).status === 402);
  const bare = errorIn(await ask({ url: cloud.url, key }));
  assert.equal(bare.code, "wallet_exhausted");

  const grant = ["wallet", "grant", "acme", "--credits", "0.005", "--paid", "0", "--id", "first"];
  await cloud.command(...grant);
  await cloud.command(...grant);
  const answers = await askOften(key, 1_000, {});
  assert.ok((answers.get(200)?.length ?? 0) > 0, `none ran: ${[...answers.keys()].join()}`);
  const refused = answers.get(402) ?? [];
  assert.ok(refused.length > 0, `all ran: ${[...answers.keys()].join()}`);
  assert.match(
    errorIn(refused[0]!).message,
    /could cost up to .* EUR wallet of acme has a balance of 0\.005 EUR: .* is reserved/,
  );
  assert.deepEqual(new Set(answers.keys()), new Set([200, 402]));
  const used = async (): Promise<Wallet> => {
    // The answer waits until everything that was settled is in the books.
    await cloud!.command("ledger", "trial-balance");
    return walletOf("acme");
  };
  const afterwards = await used();
  assert.ok(Number(afterwards.unbilled) <= 0.005, afterwards.unbilled);
  assert.ok(Number(afterwards.available) >= 0);

  const running = askOften(key, 50, { stream: true });
  await cloud.kill();
  await running;
  cloud = await start();
  await askOften(key, 300, {});
  const later = await used();
  assert.ok(Number(later.unbilled) <= 0.005, later.unbilled);
  assert.ok(Number(later.unbilled) >= Number(afterwards.unbilled));
  await eventually("the alert", async () => {
    const alerts = await cloud!.command<{ kind: string; threshold: number; name: string }[]>("alert", "list");
    const of = (asked: string, at: number) =>
      alerts.some(({ kind, threshold, name }) => kind === asked && threshold === at && name === "acme");
    return of("wallet", 1) && of("refused", 0);
  });

  const listed = await cloud.command<{ organisation: { name: string } }[]>("wallet", "list");
  assert.deepEqual(
    listed.map(({ organisation }) => organisation.name),
    ["acme"],
  );
  assert.deepEqual(await cloud.command("wallet", "movements", "acme", "--currency", "EUR"), []);
  const network = await cloud.command<{ connections: { purpose: string }[] }>("network");
  assert.ok(
    !network.connections.some(({ purpose }) => purpose === "alerts"),
    "nobody is told but where a setting says so",
  );

  const large = { url: cloud.url, key, content: "Hello.", more: { max_tokens: 4_000, n: 8 } };
  assert.equal((await ask(large)).status, 402);
  await cloud.command("wallet", "grant", "acme", "--credits", "10", "--paid", "9.50");
  assert.equal((await ask(large)).status, 200);

  // What no bill has a price for would be free until somebody rates it, and overdraw the wallet then.
  const { document } = await cloud.command<{ document: { versions: object[] } }>("price-book", "show");
  const second = Math.floor(Date.now() / 1_000 + 2) * 1_000;
  const prices = ["input", "output", "reasoning"].map((kind) => ({ sku: `*/${kind}-tokens`, pricePerMillion: "0.1" }));
  const versions = [...document.versions, { version: "gap", effectiveFrom: new Date(second).toISOString(), prices }];
  const path = join(folder.path, "book.json");
  writeFileSync(path, JSON.stringify({ ...document, versions }));
  await cloud.command("price-book", "apply", path);
  await eventually("the version to begin", async () => (await ask(large)).status === 402);
  const gap = errorIn(await ask(large));
  assert.deepEqual([gap.code, /"fake\/cached-read-tokens" has no price/.test(gap.message)], ["wallet_exhausted", true]);
  await cloud.stop();
  cloud = undefined;
});
