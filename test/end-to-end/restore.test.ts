import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { commandFails, startCloud, temporaryFolder } from "./cloud.ts";

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
  assert.match(restored.stderr, /What was erased after that is back/);
  const again = await startCloud({ data, arguments: ["--engine", "fake"] });
  const response = await fetch(`${again.url}/v1/models`, { headers: { authorization: `Bearer ${key}` } });
  assert.equal(response.status, 200);
  assert.equal(await again.stop(), 0);
});
