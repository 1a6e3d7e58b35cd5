import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Cache, type Kept } from "./cache.ts";
import { coreRows } from "./matrix.ts";
import { readRows, writeRows } from "./rows-file.ts";

const row = coreRows({ seeds: 1, minutes: 5 }).find(({ kind }) => kind === "bound")!;
const kept: Kept = { row, result: { kind: "bound", accelerators: [3, 5] }, tookMs: 1200 };

test("a row is read as it was written", (context) => {
  const folder = mkdtempSync(join(tmpdir(), "bailiwick-cache-"));
  context.after(() => rmSync(folder, { recursive: true }));
  const cache = new Cache(join(folder, "new"));
  assert.equal(cache.read("a"), undefined);
  cache.write("a", kept);
  assert.deepEqual(cache.read("a"), kept);
  assert.equal(cache.read("b"), undefined);
});

test("what the published page was made of need not run again", (context) => {
  const folder = mkdtempSync(join(tmpdir(), "bailiwick-cache-"));
  context.after(() => rmSync(folder, { recursive: true }));
  assert.equal(readRows(folder).size, 0);
  mkdirSync(join(folder, "pool"));
  writeRows(folder, [kept], () => "a");
  const cache = new Cache(join(folder, "cache"), readRows(folder));
  assert.deepEqual(cache.read("a"), kept);
  assert.equal(cache.read("another"), undefined);
  const newer = { ...kept, tookMs: 7 };
  cache.write("a", newer);
  assert.deepEqual(cache.read("a"), newer);
});

test("a row that was cut off counts as not there", (context) => {
  const folder = mkdtempSync(join(tmpdir(), "bailiwick-cache-"));
  context.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, "a.json"), JSON.stringify(kept).slice(0, 40));
  assert.equal(new Cache(folder).read("a"), undefined);
});
