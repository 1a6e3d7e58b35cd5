import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, renameSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { identityOf } from "./identity.ts";

test("a file is another one when it is replaced, also by one of the same size and time", async (context) => {
  const folder = mkdtempSync(join(tmpdir(), "bailiwick-identity-"));
  context.after(() => rmSync(folder, { recursive: true }));
  const [path, other] = [join(folder, "a"), join(folder, "b")];
  for (const [each, text] of [
    [path, "one"],
    [other, "two"],
  ] as const) {
    writeFileSync(each, text);
    utimesSync(each, 1_700_000_000, 1_700_000_000);
  }
  const before = await identityOf(path);
  assert.equal(await identityOf(path), before);
  renameSync(other, path);
  assert.notEqual(await identityOf(path), before);
  await assert.rejects(identityOf(join(folder, "none")), /ENOENT/);
});

test("a folder is another one when a file of its digest changes, and the same when notes beside them do", async (context) => {
  const folder = mkdtempSync(join(tmpdir(), "bailiwick-identity-"));
  context.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, "config.json"), "{}");
  const before = await identityOf(folder);
  mkdirSync(join(folder, ".cache"));
  writeFileSync(join(folder, ".cache", "note"), "downloaded");
  assert.equal(await identityOf(folder), before);
  writeFileSync(join(folder, "config.json"), "{ }");
  assert.notEqual(await identityOf(folder), before);
});
