import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { commandFails, eventually, startCloud, temporaryFolder } from "./cloud.ts";

const folder = temporaryFolder();
after(() => folder.remove());

test("a restore that fails leaves nothing that blocks the next one, and a half-made folder is not started", async () => {
  const cloud = await startCloud({ data: join(folder.path, "first"), arguments: ["--engine", "fake"] });
  const key = await cloud.newKey();
  const backup = join(folder.path, "backup");
  await cloud.command("backup", backup);
  assert.equal(await cloud.stop(), 0);

  const table = join(backup, "database", "keys.ndjson");
  const whole = readFileSync(table);
  writeFileSync(table, Buffer.concat([whole, Buffer.from("{}\n")]));
  const data = join(folder.path, "second");
  const failed = await commandFails(["restore", backup, "--data", data]);
  assert.equal(failed.code, 2, failed.stderr);
  assert.match(failed.stderr, /\(cannot_restore\)\n {2}next: /);
  assert.deepEqual(existsSync(data) ? readdirSync(data) : [], []);

  // What a restore that was killed leaves.
  mkdirSync(join(data, "journal"), { recursive: true });
  writeFileSync(join(data, "restoring"), "");
  const half = await commandFails(["up", "--engine", "fake", "--data", data, "--port", "0"]);
  assert.equal(half.code, 2);
  assert.match(half.stderr, /a restore into it was cut off/);

  writeFileSync(table, whole);
  const restored = await commandFails(["restore", backup, "--data", data]);
  assert.equal(restored.code, 0, restored.stderr);
  assert.match(restored.stderr, /No ledger of erasures was given \(--erasures\): what was erased after that is back/);
  const again = await startCloud({ data, arguments: ["--engine", "fake"] });
  const response = await fetch(`${again.url}/v1/models`, { headers: { authorization: `Bearer ${key}` } });
  assert.equal(response.status, 200);
  assert.equal(await again.stop(), 0);
});

test("what was erased after the backup is erased again where the restore is given the ledger", async () => {
  const data = join(folder.path, "third");
  const cloud = await startCloud({ data, arguments: ["--engine", "fake"] });
  await cloud.command("project", "create", "ward", "--organisation", "default");
  const key = (await cloud.command<{ key: string }>("key", "create", "--project", "ward")).key;
  const backup = join(folder.path, "before-erasure");
  await cloud.command("backup", backup);
  const { id } = await cloud.command<{ id: string }>("erasure", "project", "ward", "--yes");
  assert.equal(await cloud.stop(), 0);
  const ledger = join(data, "erasures.ndjson");
  const into = join(folder.path, "fourth");
  const absent = await commandFails(["restore", backup, "--data", into, "--erasures", join(folder.path, "nothing")]);
  assert.match(absent.stderr, /The ledger of erasures cannot be read/);
  const restored = await commandFails(["restore", backup, "--data", into, "--erasures", ledger, "--json"]);
  assert.equal(restored.code, 0, restored.stderr);
  assert.equal((JSON.parse(restored.stdout) as { erasures: number }).erasures, 1);
  const again = await startCloud({ data: into, arguments: ["--engine", "fake"] });
  await eventually("it is erased again", async () => {
    const [erasure] = await again.command<{ id: string; state: string }[]>("erasure", "list");
    return erasure?.id === id && erasure.state === "done";
  });
  const response = await fetch(`${again.url}/v1/models`, { headers: { authorization: `Bearer ${key}` } });
  assert.equal(response.status, 401);
  assert.equal(existsSync(join(into, "erasures-to-replay.ndjson")), false);
  assert.match(readFileSync(join(into, "erasures.ndjson"), "utf8"), new RegExp(id), "the next restore knows it, too");
  assert.equal(await again.stop(), 0);
});
