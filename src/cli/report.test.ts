import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { type Report, revenueReport } from "../disclosure/index.ts";
import { marchQuarter } from "../disclosure/revenue/testing.ts";
import { withCloud } from "./testing.ts";

const about = {
  format: "bailiwick-report/1" as const,
  at: "2026-11-26T12:00:00.000Z",
  release: "0.1.0",
  installation: "inst_1",
  facts: { version: 0, sha256: "f" },
  policies: { version: 0, sha256: "0" },
  period: null,
  note: "An aid, not legal advice.",
};

/** The least that a page can be made of. */
const nobody: Report = { report: "sub-processors", about, summary: "None.", list: [], changes: null };

test("a report is its page, or its JSON, on standard output or in a file", async (context) => {
  const { run, control, folder } = await withCloud(context);
  Object.assign(control.operations.reports, { subProcessors: () => Promise.resolve(nobody) });
  const page = await run("report sub-processors");
  assert.deepEqual([page.code, page.stderr], [0, ""]);
  assert.match(page.stdout, /^<!doctype html>/);
  const json = await run("report sub-processors --json");
  assert.deepEqual(JSON.parse(json.stdout), nobody);
  const written = await run("report sub-processors --out page.html");
  assert.deepEqual([written.stdout, written.stderr], ["", `Written to ${join(folder, "page.html")}.\n`]);
  assert.equal(readFileSync(join(folder, "page.html"), "utf8"), page.stdout);
  await run("report sub-processors --json --out report.json");
  assert.deepEqual(JSON.parse(readFileSync(join(folder, "report.json"), "utf8")), nobody);
  const sheet = await run("report revenue --quarter 2026Q1 --out figures.xlsx");
  assert.deepEqual([sheet.code, /figures\.xlsx is no \.html, \.pdf or \.json/.test(sheet.stderr)], [2, true]);
  const nowhere = await run("report sub-processors --out missing/page.html");
  assert.deepEqual([nowhere.code, /unusable_file/.test(nowhere.stderr)], [2, true]);
});

test("a quarter's revenue is its page where it is piped, and on a terminal what it comes to and where to write it", async (context) => {
  const { run, control } = await withCloud(context);
  const report = revenueReport(marchQuarter());
  Object.assign(control.operations.reports, { revenue: () => Promise.resolve(report) });
  const line = "report revenue --quarter 2026Q1";
  const piped = await run(line);
  assert.match(piped.stdout, /^<!doctype html>/);
  let shown = "";
  const terminal = { stdout: { isTTY: true, write: (text: string) => (shown += text) } };
  const { code, stderr } = await run(line, {}, terminal);
  assert.deepEqual([code, shown], [0, `${report.summary}\n`]);
  assert.match(stderr, /--out revenue\.html, \.pdf or \.json/);
  shown = "";
  await run(`${line} --json`, {}, terminal);
  assert.deepEqual(JSON.parse(shown), JSON.parse(JSON.stringify(report)));
});

test("what a report is asked about goes with the question", async (context) => {
  const { run } = await withCloud(context);
  const told = async (line: string) => JSON.parse((await run(`report ${line} --json`)).stdout) as unknown;
  const period = { from: "2026-11-01T00:00:00.000Z", to: "2026-11-02T08:00:00.000Z" };
  assert.deepEqual(await told("sovereignty --from 2026-11-01 --to 2026-11-02T09:00+01:00"), {
    report: "sovereignty",
    ...period,
  });
  assert.deepEqual(await told("processing --organisation clinic"), { report: "processing", organisation: "clinic" });
  assert.deepEqual(await told("transfers --area fr --organisation clinic"), {
    report: "transfers",
    area: "FR",
    organisation: "clinic",
  });
  assert.deepEqual(await told("transfers"), { report: "transfers", area: "EEA" });
  assert.deepEqual(await told("sub-processors --since 2026-11-01"), { report: "sub-processors", since: period.from });
  assert.deepEqual(await told("jurisdiction"), { report: "jurisdiction" });
  const wrong = await run("report transfers --from yesterday");
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /It must be a day/);
});

test("a log is its opening, every part's lines, and an end that counts them", async (context) => {
  const { run } = await withCloud(context);
  const { stdout, code } = await run("report ai-act-log --project ward --to 2026-11-02");
  assert.equal(code, 0);
  assert.deepEqual(
    stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as unknown),
    [
      { line: "opening", project: "ward", to: "2026-11-02T00:00:00.000Z" },
      { line: "request" },
      { line: "refusal" },
      { line: "end", requests: 1, refusals: 1 },
    ],
  );
});
