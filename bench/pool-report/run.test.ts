import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { parseOptions } from "./options.ts";

const run = promisify(execFile);
const program = join(import.meta.dirname, "run.ts");

test("one row runs, is kept, and is told of", async (context) => {
  const cache = mkdtempSync(join(tmpdir(), "bailiwick-report-"));
  context.after(() => rmSync(cache, { recursive: true }));
  const args = [program, "pool", "--quick", "--cache", cache, "--only", "64 models, Poisson/link/serverlessllm-fcfs"];
  const first = await run(process.execPath, args);
  assert.match(first.stderr, /1\/1, about 0 minutes left: capacity\/64 models, Poisson\/link\/serverlessllm-fcfs/);
  const page = readFileSync(join(cache, "quick", "pool.md"), "utf8");
  assert.match(page, /\| serverlessllm-fcfs +\| +\d+ \/ \d+ \|/);
  assert.match(readFileSync(join(cache, "quick", "pool", "capacity-99.svg"), "utf8"), /^<svg /);
  const again = await run(process.execPath, args);
  assert.match(again.stderr, /rows, 0 to run/);
});

test("options that cannot be meant are refused", async () => {
  assert.equal(parseOptions([], "/somewhere"), undefined);
  assert.equal(parseOptions(["gateway"], "/somewhere"), undefined);
  assert.equal(parseOptions(["pool", "--fast"], "/somewhere"), undefined);
  assert.equal(parseOptions(["pool"], "/somewhere")?.cache, join("/somewhere", ".cache/pool-report"));
  assert.equal(parseOptions(["pool", "--quick"], "/somewhere")?.extent.seeds, 1);
  await assert.rejects(run(process.execPath, [program]), { code: 2 });
});
