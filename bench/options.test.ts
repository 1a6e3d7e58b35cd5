import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { benchModel, modelFileIn } from "./model-file.ts";
import { parseBenchOptions, usageOf } from "./options.ts";

const benches = ["gateway", "pool"];
const asked = (...args: readonly string[]) => parseBenchOptions(args, benches, "/clone");

test("what cannot be meant is refused in a sentence, and help is no error", () => {
  assert.equal(asked("pool", "--help").kind, "help");
  for (const args of [[], ["pol"], ["pool", "--fast"], ["pool", "--entries", "none"]]) {
    assert.equal(asked(...args).kind, "refused", args.join(" "));
  }
  assert.match(usageOf(benches), /^usage: npm run bench -- gateway\|pool .*--data DIR/);
});

test("the data folder is the clone's, or the one that is named", () => {
  const plain = asked("pool");
  assert.equal(plain.kind === "run" && plain.run.dataFolder, resolve("/clone/.bailiwick"));
  const named = asked("pool", "--data", "/elsewhere", "--only", "ours,lru");
  assert.ok(named.kind === "run");
  assert.equal(named.run.dataFolder, resolve("/elsewhere"));
  assert.deepEqual(named.run.only, ["ours", "lru"]);
});

test("the model is found in a data folder, and where it is not, what was looked for is said", async (context) => {
  const folder = mkdtempSync(join(tmpdir(), "bailiwick-bench-"));
  context.after(() => rmSync(folder, { recursive: true }));
  await assert.rejects(modelFileIn(folder), (error: Error) => {
    assert.ok(error.message.includes(join(folder, "models", benchModel)));
    assert.match(error.message, /--data DIR.*model pull/);
    return true;
  });
  mkdirSync(join(folder, "models", benchModel), { recursive: true });
  const path = join(folder, "models", benchModel, "it.gguf");
  writeFileSync(path, "");
  assert.equal(await modelFileIn(folder), path);
});
