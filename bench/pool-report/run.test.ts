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

test("a part of the report is written beside the cache, and the published page stays", async (context) => {
  const cache = mkdtempSync(join(tmpdir(), "bailiwick-report-"));
  context.after(() => rmSync(cache, { recursive: true }));
  const published = join(import.meta.dirname, "../../docs/reports/pool.md");
  const before = readFileSync(published, "utf8");
  const { stderr } = await run(process.execPath, [
    program,
    "pool",
    "--cache",
    cache,
    "--only",
    "reference/40 models, 2 minutes/",
  ]);
  assert.match(stderr, /written to .*part\/pool\.md: it lacks \d+ of \d+ rows/);
  assert.match(readFileSync(join(cache, "part", "pool.md"), "utf8"), /^# The pool/);
  assert.equal(readFileSync(published, "utf8"), before);
});

test("what cannot be made is told in words, without a trace of calls", async () => {
  const cases: readonly [string[], RegExp][] = [
    [[], /Say which report/],
    [["pool", "--fast"], /Unknown option '--fast'.*usage:/s],
    [["pool", "--only", "nosuchrow"], /No row's name has "nosuchrow"/],
    [["pool", "--traces", "/no/such/folder"], /There is no folder/],
  ];
  for (const [args, message] of cases) {
    await assert.rejects(run(process.execPath, [program, ...args]), (error: { code: number; stderr: string }) => {
      assert.equal(error.code, 2);
      assert.match(error.stderr, message);
      assert.doesNotMatch(error.stderr, /\n +at /);
      return true;
    });
  }
  assert.match((await run(process.execPath, [program, "pool", "--help"])).stdout, /^usage: npm run report/);
});

test("options say what is asked for, or what cannot be meant", () => {
  assert.equal(parseOptions([], "/somewhere").kind, "refused");
  assert.equal(parseOptions(["gateway"], "/somewhere").kind, "refused");
  assert.equal(parseOptions(["pool", "--quick", "--publish"], "/somewhere").kind, "refused");
  assert.equal(parseOptions(["--help"], "/somewhere").kind, "help");
  const asked = parseOptions(["pool"], "/somewhere");
  assert.ok(asked.kind === "report");
  assert.equal(asked.options.cache, join("/somewhere", ".cache/pool-report"));
  const quick = parseOptions(["pool", "--quick"], "/somewhere");
  assert.equal(quick.kind === "report" && quick.options.extent.seeds, 1);
});
