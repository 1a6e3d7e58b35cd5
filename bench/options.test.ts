import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { benchModel, modelFileIn } from "./model-file.ts";
import { parseBenchOptions, usageOf } from "./options.ts";

const benches = [
  { name: "gateway", targets: ["bare", "bailiwick"] },
  { name: "pool", targets: ["ours", "lru"] },
  { name: "log" },
];
const asked = (...args: readonly string[]) => parseBenchOptions(args, benches, "/clone");

test("what cannot be meant is refused in a sentence, and help is no error", () => {
  assert.equal(asked("pool", "--help").kind, "help");
  for (const args of [[], ["pol"], ["pool", "--fast"], ["pool", "--entries", "none"]]) {
    assert.equal(asked(...args).kind, "refused", args.join(" "));
  }
  assert.match(usageOf(benches), /^usage: npm run bench -- gateway\|pool\|log .*--data DIR/);
});

test("targets are those that there are, and each bench that chooses has one left", () => {
  const problemOf = (...args: readonly string[]): string | undefined => {
    const said = asked(...args);
    return said.kind === "refused" ? said.problem : undefined;
  };
  assert.equal(problemOf("pool", "--only", "ours,lru"), undefined);
  assert.equal(problemOf("gateway", "log", "--only", "bare"), undefined);
  assert.equal(
    problemOf("pool", "--only", "our"),
    '--only: there is no target "our". Did you mean ours? There are ours, lru (pool).',
  );
  assert.equal(problemOf("pool", "--only", "ours,"), '--only: there is no target "". There are ours, lru (pool).');
  assert.equal(problemOf("gateway", "pool", "--only", "bare"), "--only leaves nothing of pool: it has ours, lru.");
  assert.equal(problemOf("log", "--only", "bare"), "--only: log has no targets to choose from.");
});

test("an option that there is not is told in our own words", () => {
  for (const [args, problem] of [
    [["-q"], "There is no option -q."],
    [["--onyl", "ours"], "There is no option --onyl. Did you mean --only?"],
    [["--only"], "--only needs a value."],
    [["--quick=3"], "--quick takes no value."],
  ] as const) {
    assert.deepEqual(asked("pool", ...args), { kind: "refused", problem });
  }
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
