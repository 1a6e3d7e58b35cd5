import assert from "node:assert/strict";
import { join } from "node:path";
import { after, test } from "node:test";
import { commandFails, type RunningCloud, startCloud, temporaryFolder } from "./cloud.ts";

const folder = temporaryFolder();
after(() => folder.remove());

const fake = ["--engine", "fake"];

async function ask(url: string, key: string): Promise<string> {
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify({ model: "fake", messages: [{ role: "user", content: "hello" }], max_tokens: 3 }),
  });
  assert.equal(response.status, 200, await response.text());
  return response.headers.get("bailiwick-receipt")!;
}

async function requests(cloud: RunningCloud, ...which: readonly string[]): Promise<number> {
  const rows = await cloud.command<{ requests: number }[]>("usage", ...which);
  return rows.reduce((sum, row) => sum + row.requests, 0);
}

test("a backup taken under load is one moment's state, and a restored cloud goes on with keys, usage and receipts", async () => {
  const cloud = await startCloud({ data: join(folder.path, "first"), arguments: fake });
  const key = await cloud.newKey();
  const before = [];
  for (let count = 0; count < 20; count++) before.push(await ask(cloud.url, key));
  const load = { running: true };
  const loading = (async () => {
    while (load.running) await ask(cloud.url, key);
  })();
  const backup = join(folder.path, "backup");
  await cloud.command("backup", backup);
  load.running = false;
  await loading;
  await cloud.stop();

  const data = join(folder.path, "second");
  const restored = await commandFails(["restore", backup, "--data", data, "--json"]);
  assert.equal(restored.code, 0, restored.stderr);
  const again = await startCloud({ data, arguments: fake });
  // The keys, what was asked before the backup began, and nothing of it twice.
  const receipts = await Promise.all(
    before.map((id) => fetch(`${again.url}/v1/receipts/${id}`, { headers: { authorization: `Bearer ${key}` } })),
  );
  assert.ok(receipts.every(({ status }) => status === 200));
  const seen = await requests(again);
  assert.ok(seen >= 21, `${seen} requests`);
  // What ran while the backup was taken may be settled at any time: what goes on is told by a key of its own.
  const next = await again.newKey("default", "--name", "afterwards");
  await ask(again.url, next);
  assert.equal(await requests(again, "--key", "afterwards"), 1);
  assert.equal(await again.stop(), 0);
});

test("what is no backup, or no empty folder, is refused", async () => {
  const none = await commandFails(["restore", folder.path, "--data", join(folder.path, "third")]);
  assert.equal(none.code, 2);
  assert.match(none.stderr, /no whole backup/);
  const full = await commandFails(["restore", join(folder.path, "backup"), "--data", join(folder.path, "first")]);
  assert.equal(full.code, 2);
  assert.match(full.stderr, /not empty/);
});
