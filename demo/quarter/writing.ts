/** What is written of a quarter, by the command line, as an operator would; and what others' programs say of it. */
import { execFile, spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { RunningCloud } from "../../test/end-to-end/cloud.ts";
import type { Quarter } from "./calendar.ts";
import { documentsOf } from "./documents.ts";

const run = promisify(execFile);
const program = fileURLToPath(new URL("../../bin/bailiwick.js", import.meta.url));

export interface Check {
  readonly what: string;
  /** absent: the program is not installed here. */
  readonly outcome: "passed" | "failed" | "absent";
  readonly words: string;
}

export interface Written {
  readonly checks: readonly Check[];
}

export async function writeAll(cloud: RunningCloud, of: Quarter, folder: string): Promise<Written> {
  const at = (name: string): string => join(folder, name);
  // Papers are what takes long, and nothing else waits for them.
  await Promise.all([writePapers(cloud, of, at), writeBooks(cloud, of, at)]);
  return {
    checks: [
      check("the auditor's pack derives every figure", "python3", [join(at("auditors-pack"), "check.py")]),
      {
        what: "the official rules of EN 16931 and FOCUS",
        outcome: "absent",
        words:
          "they are not run here: `BAILIWICK_TEST_PAPERS_DEMO=DIR npm run test:papers` in a clone holds these files against them",
      },
      check("Beancount accepts the ledger", "bean-check", [at("ledger.beancount")]),
      check("hledger accepts the ledger", "hledger", ["-f", at("ledger.journal"), "check", "--strict"]),
    ],
  };
}

type At = (name: string) => string;

async function writePapers(cloud: RunningCloud, { months }: Quarter, at: At): Promise<void> {
  const formats = ["pdf", "ubl", "cii"].flatMap((format) => ["--format", format]);
  for (const month of months) {
    await cloud.command("invoice", "render", "--period", month, "--out", at("invoices"), ...formats);
  }
}

async function writeBooks(cloud: RunningCloud, of: Quarter, at: At): Promise<void> {
  // Credit notes are in the month of their issue, which is behind the quarter.
  const issuedIn = (await documentsOf(cloud, of.months)).map(({ issueDate }) => issueDate.slice(0, 7));
  const periods = [...new Set([...of.months, ...issuedIn])];
  await cloud.command(
    "focus",
    "export",
    "--period",
    ...periods,
    "--focus-version",
    "1.2",
    "--out",
    at("focus-1.2.csv"),
  );
  await printed(cloud, at("ledger.beancount"), "ledger", "export", "--format", "beancount");
  await printed(cloud, at("ledger.journal"), "ledger", "export", "--format", "hledger");
  const report = ["report", "revenue", "--quarter", of.name];
  for (const name of ["disclosure.html", "disclosure.pdf"]) await text(cloud, ...report, "--out", at(name));
  await text(cloud, ...report, "--out", at("disclosure.json"), "--auditors-pack", at("auditors-pack"));
}

/** What a command prints that has no --json. */
async function text(cloud: RunningCloud, ...args: readonly string[]): Promise<string> {
  const { stdout } = await run(process.execPath, [program, ...args, "--data", cloud.data], { maxBuffer: 256 << 20 });
  return stdout;
}

async function printed(cloud: RunningCloud, path: string, ...args: readonly string[]): Promise<void> {
  writeFileSync(path, await text(cloud, ...args));
}

function check(what: string, command: string, args: readonly string[]): Check {
  const { error, status, stdout, stderr } = spawnSync(command, args, { encoding: "utf8" });
  if (error !== undefined) return { what, outcome: "absent", words: `${command} is not installed` };
  const last = `${stdout}${stderr}`.trimEnd().split("\n").at(-1) ?? "";
  return { what, outcome: status === 0 ? "passed" : "failed", words: last };
}
