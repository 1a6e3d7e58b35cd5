import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { kindOf, plainText, type WrittenTransaction } from "../../ledger/index.ts";
import { revenueReport } from "../revenue/revenue.ts";
import type { RevenueLine, RevenueState } from "../revenue/state.ts";
import { line, marchQuarter } from "../revenue/testing.ts";
import { packedLedgerName, packFiles } from "./pack.ts";

function hasPython(): boolean {
  try {
    execFileSync("python3", ["--version"]);
    return true;
  } catch {
    // None on the PATH.
    return false;
  }
}

/** A ledger that the golden quarter's report could have been made from. */
function ledgerOf({ lines, yearBefore, balances }: RevenueState): readonly WrittenTransaction[] {
  const entry = (number: number, { account, customer, month, amount }: RevenueLine): WrittenTransaction => {
    const organisation = customer.id;
    const posting = (at: number, of: string, by: string) => {
      const named = { organisation, organisationName: customer.name };
      return { posting: `${number}.${at}`, account: of, ...named, currency: "CNY", amount: by };
    };
    const credit = amount.startsWith("-") ? amount.slice(1) : `-${amount}`;
    const postings = [posting(1, "receivables", amount), posting(2, account, credit)];
    return {
      number,
      kind: "invoice",
      date: `${month}-28`,
      period: month,
      reference: `invoice "${number}", ours`,
      postings,
    };
  };
  const paid = entry(1, line("2026-02", balances.contractLiabilities, { account: "contract-liabilities" }));
  // What comes after the quarter is in the ledger too, and in none of its figures.
  const later = entry(2, line("2026-04", "999999"));
  return [paid, later, ...[...yearBefore, ...lines].map((each, at) => entry(at + 3, each))];
}

function packed(context: TestContext, state: RevenueState, change: (name: string, text: string) => string) {
  const folder = mkdtempSync(join(tmpdir(), "bailiwick-pack-"));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  const csv = plainText("csv", kindOf);
  const files = {
    ...packFiles(revenueReport(state)),
    [packedLedgerName]: `${csv.opening([], [])}${ledgerOf(state)
      .map((each) => csv.entry(each))
      .join("")}`,
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), change(name, text));
  const { status, stdout, stderr } = spawnSync("python3", [join(folder, "check.py")], { encoding: "utf8" });
  return { status, stdout, stderr, readme: readFileSync(join(folder, "README.txt"), "utf8") };
}

const asItIs = (_: string, text: string): string => text;

test("an auditor's script derives the golden quarter from the ledger, and all agree", (context) => {
  if (!hasPython()) return context.skip("no python3 on the PATH");
  const { status, stdout, stderr, readme } = packed(context, marchQuarter(), asItIs);
  assert.equal(status, 0, stdout + stderr);
  assert.match(stdout, /^ok {7}9 transactions balance\n/);
  for (const figure of [
    "ai-share-of-external 0.3000033",
    "external-growth-on-year 0.4000187",
    "ai-run-rate-days 36382.38",
  ])
    assert.ok(stdout.includes(`ok       ${figure}`), stdout);
  assert.match(stdout, /^- {8}tokens-served 10000000000: not of the ledger alone$/m);
  assert.match(stdout, /all agree\n$/);
  assert.match(readme, /Revenue of 2026Q1, final, in CNY/);
});

test("a figure that was changed, a posting that is missing, and one that does not balance are found", (context) => {
  if (!hasPython()) return context.skip("no python3 on the PATH");
  const figure = packed(context, marchQuarter(), (name, text) =>
    name === "disclosure.json" ? text.replace('"value": "8971"', '"value": "8972"') : text,
  );
  assert.equal(figure.status, 1);
  assert.match(figure.stdout, /^DIFFERS {2}ai-revenue 8972, derived: 8,971$/m);
  const isOf = (number: number) => (row: string) => row.startsWith(`${number}.`);
  const missing = packed(context, marchQuarter(), (name, text) =>
    name === packedLedgerName
      ? text
          .split("\r\n")
          .filter((row) => !isOf(5)(row))
          .join("\r\n")
      : text,
  );
  assert.equal(missing.status, 1);
  assert.match(missing.stdout, /^DIFFERS {2}.*\(lines\)$/m);
  const unbalanced = packed(context, marchQuarter(), (name, text) =>
    name === packedLedgerName ? text.replace(/^4\.1,.*\r\n/m, "") : text,
  );
  assert.equal(unbalanced.status, 1);
  assert.match(unbalanced.stdout, /^DIFFERS {2}9 transactions balance; not 4 in CNY$/m);
  const damaged = packed(context, marchQuarter(), (name, text) => (name === "disclosure.json" ? "{" : text));
  assert.equal(damaged.status, 2);
  assert.match(damaged.stderr, /cannot be checked/);
});

test("what there is nothing of is none for the auditor too", (context) => {
  if (!hasPython()) return context.skip("no python3 on the PATH");
  const { status, stdout } = packed(context, marchQuarter({ lines: [], yearBefore: [] }), asItIs);
  assert.equal(status, 0, stdout);
  assert.match(stdout, /^ok {7}ai-share-of-external None$/m);
});
