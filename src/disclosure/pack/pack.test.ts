import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { fraction, kindOf, plainText, type WrittenTransaction } from "../../ledger/index.ts";
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
    const postings = [posting(1, "cash", amount), posting(2, account, credit)];
    return {
      number,
      kind: "invoice",
      date: `${month}-28`,
      period: month,
      reference: `invoice "${number}", ours`,
      documentNumber: null,
      postings,
    };
  };
  const paid = entry(1, line("2026-02", balances.contractLiabilities, { account: "contract-liabilities" }));
  // What comes after the quarter is in the ledger too, and in none of its figures.
  const later = entry(2, line("2026-04", "999999"));
  const owed = line("2026-02", `-${balances.receivables}`, { account: "receivables" });
  return [paid, later, ...[...yearBefore, ...lines, owed].map((each, at) => entry(at + 3, each))];
}

function packed(context: TestContext, state: RevenueState, change: (name: string, text: string) => string) {
  const folder = mkdtempSync(join(tmpdir(), "bailiwick-pack-"));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  const csv = plainText("csv", kindOf);
  const transactions = ledgerOf(state);
  const ledger = `${csv.opening([], [])}${transactions.map((each) => csv.entry(each)).join("")}`;
  const sha256 = createHash("sha256").update(ledger).digest("hex");
  const files = {
    ...packFiles(revenueReport(state), { sha256, transactions: transactions.length }),
    [packedLedgerName]: ledger,
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
  assert.match(stdout, /^ok {7}10 transactions balance$/m);
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

test("an auditor's script counts breakage as the report does, and has no growth of a quarter that has not ended", (context) => {
  if (!hasPython()) return context.skip("no python3 on the PATH");
  const broken = { account: "breakage", product: "breakage", tag: "other" } as const;
  const own = { ...broken, account: "intersegment/breakage", segment: "intersegment" } as const;
  const lines = [...marchQuarter().lines, line("2026-03", "97", broken), line("2026-02", "3", own)];
  const { status, stdout } = packed(context, marchQuarter({ lines }), asItIs);
  assert.equal(status, 0, stdout);
  assert.match(stdout, /^ok {7}external-revenue 30000$/m);
  assert.match(stdout, /^ok {7}product breakage$/m);
  const early = packed(context, marchQuarter({ lines, atMs: Date.parse("2026-03-31T23:59:59.999Z") }), asItIs);
  assert.equal(early.status, 0, early.stdout);
  assert.match(early.stdout, /^ok {7}external-growth-on-year None$/m);
});

test("books that are closed by quarter have no run rate by the last month for the auditor either", (context) => {
  if (!hasPython()) return context.skip("no python3 on the PATH");
  const quarterly = marchQuarter({ bookPeriod: "quarter" });
  const { status, stdout } = packed(context, quarterly, asItIs);
  assert.equal(status, 0, stdout);
  assert.match(stdout, /^ok {7}ai-run-rate-last-month-x12 None$/m);
  assert.match(stdout, /^ok {7}ai-run-rate-quarter-x4 35884$/m);
  const hidden = packed(context, marchQuarter(), (name, text) =>
    name === "disclosure.json" ? text.replace('"bookPeriod": "month"', '"bookPeriod": "year"') : text,
  );
  assert.match(hidden.stdout, /^DIFFERS {2}ai-run-rate-last-month-x12/m);
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
  assert.match(unbalanced.stdout, /^DIFFERS {2}10 transactions balance; not 4 in CNY$/m);
  const damaged = packed(context, marchQuarter(), (name, text) => (name === "disclosure.json" ? "{" : text));
  assert.equal(damaged.status, 2);
  assert.match(damaged.stderr, /cannot be checked/);
});

test("an auditor's script agrees with a report whose commitments have no finite decimal", (context) => {
  if (!hasPython()) return context.skip("no python3 on the PATH");
  const third = marchQuarter({ remainingObligations: fraction(2_000n, 3n) });
  const { status, stdout } = packed(context, third, asItIs);
  assert.equal(status, 0, stdout);
  assert.match(stdout, /^- {8}remaining-obligations 6666\.666666666666666667: not of the ledger alone$/m);
});

test("what there is nothing of is none for the auditor too", (context) => {
  if (!hasPython()) return context.skip("no python3 on the PATH");
  const { status, stdout } = packed(context, marchQuarter({ lines: [], yearBefore: [] }), asItIs);
  assert.equal(status, 0, stdout);
  assert.match(stdout, /^ok {7}ai-share-of-external None$/m);
});

interface Told {
  [name: string]: unknown;
  figures: Record<string, unknown>[];
  products: Record<string, unknown>[];
  months: Record<string, unknown>[];
  topCustomers: Record<string, unknown>[];
  balances: Record<string, unknown>;
  lines: Record<string, unknown>[];
}

test("whatever is changed of a report that the ledger tells is found, and what it does not tell is said", (context) => {
  if (!hasPython()) return context.skip("no python3 on the PATH");
  const changes: Readonly<Record<string, (told: Told) => void>> = {
    "a top customer's amount": ({ topCustomers }) => (topCustomers[0]!["amount"] = "999999"),
    "a top customer's share": ({ topCustomers }) => (topCustomers[0]!["share"] = "0.5"),
    "a top customer's name": ({ topCustomers }) =>
      (topCustomers[0]!["customer"] = { id: "org_clinic", name: "Nobody" }),
    "no top customers": (told) => (told.topCustomers = []),
    "a product's revenue": ({ products }) => (products[0]!["external"] = "888888"),
    "a product's growth": ({ products }) => (products[0]!["growth"] = null),
    "a product less": ({ products }) => products.pop(),
    "a month's revenue": ({ months }) => (months[1]!["other"] = "1"),
    "a month twice": (told) => (told.months = [told.months[0]!, ...told.months]),
    "a month's standing": ({ months }) => (months[1]!["status"] = "open"),
    "a balance": ({ balances }) => (balances["receivables"] = "777"),
    "what it is": (told) => (told["status"] = "provisional"),
    "a figure's words": ({ figures }) => (figures[1]!["definition"] = "all revenue everywhere"),
    "a figure's denominator": ({ figures }) => (figures[3]!["denominator"] = "segment-revenue"),
    "a figure's postings": ({ figures }) => (figures[1]!["postings"] = { accounts: ["cash"], months: ["1999-01"] }),
    "no figures": (told) => (told.figures = []),
    "a figure less": ({ figures }) => figures.splice(0, 1),
    "a figure twice": ({ figures }) => figures.push({ ...figures[0]! }),
    "a figure more": ({ figures }) => figures.push({ ...figures[0]!, id: "ebitda" }),
    "a line's postings": ({ lines }) => (lines[0]!["postings"] = 5),
    "a line's tag": ({ lines }) => (lines[0]!["tag"] = "other"),
  };
  for (const [what, change] of Object.entries(changes)) {
    const { status, stdout, stderr } = packed(context, marchQuarter(), (name, text) => {
      if (name !== "disclosure.json") return text;
      const told = JSON.parse(text) as Told;
      change(told);
      return JSON.stringify(told);
    });
    assert.equal(status, 1, `${what}\n${stdout}${stderr}`);
    assert.match(stdout, /^DIFFERS/m, what);
  }
  const whole = packed(context, marchQuarter(), (name, text) =>
    name === packedLedgerName ? text.replaceAll(/^2\.\d,.*\r\n/gm, "") : text,
  );
  assert.match(whole.stdout, /^DIFFERS {2}ledger\.csv is the one[^]*^DIFFERS {2}9 transactions in it$/m);
  for (const shape of ["[1]", "null", '{"figures": 5}', "1e999", `{"ledger": null}`]) {
    const { status, stderr } = packed(context, marchQuarter(), (name, text) =>
      name === "disclosure.json" ? shape : text,
    );
    assert.equal(status, 2, shape);
    assert.match(stderr, /^cannot be checked: .*\n$/, shape);
  }
  assert.match(packed(context, marchQuarter(), asItIs).stdout, /^- {8}customers' names: not in the ledger$/m);
});
