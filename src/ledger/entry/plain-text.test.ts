import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { kindOf } from "./accounts.ts";
import { plainText, type WrittenTransaction } from "./plain-text.ts";

const posting = (line: number, account: string, amount: string) => ({
  posting: `7.${line}`,
  account,
  organisation: "org_1",
  organisationName: 'A "quoted", name',
  currency: "EUR",
  amount,
});

const credit: WrittenTransaction = {
  number: 7,
  kind: "credit",
  date: "2026-04-02",
  period: "2026-04",
  reference: "inv_1",
  documentNumber: "CN-2026-000002",
  postings: [posting(1, "revenue/other", "5"), posting(2, "receivables", "-5")],
};
const accrued: WrittenTransaction = { ...credit, number: 8, kind: "accrual", documentNumber: null };

test("a document's number stands beside what it was made from, where there is one", () => {
  const of = (format: Parameters<typeof plainText>[0]) => plainText(format, kindOf);
  assert.match(of("beancount").entry(credit), /^ {2}transaction: "7"\n {2}document-number: "CN-2026-000002"\n/m);
  assert.doesNotMatch(of("beancount").entry(accrued), /document-number/);
  assert.match(of("hledger").entry(credit), /  ; reference: inv_1, document-number: CN-2026-000002\n/);
  assert.match(of("hledger").entry(accrued), /  ; reference: inv_1\n/);
  const csv = of("csv");
  assert.match(csv.opening([], []), /,customer,document-number\r?\n$/);
  assert.match(csv.entry(credit), /^7\.1,.*,CN-2026-000002\r?$/m);
  assert.match(csv.entry(accrued), /^7\.1,.*,"A ""quoted"", name",\r?$/m);
});

const isThere = spawnSync("hledger", ["--version"]).status === 0;
test("hledger finds a credit note by its number", { skip: isThere ? false : "hledger is not installed" }, () => {
  const accounts = [...new Set(credit.postings.map(({ account }) => account))];
  const written = plainText("hledger", kindOf);
  const journal = [
    written.opening(
      accounts.map((account) => ({ account, kind: kindOf(account) })),
      ["EUR"],
    ),
  ]
    .concat(
      [credit, { ...credit, number: 9, documentNumber: "CN-2026-000003" }, accrued].map((each) => written.entry(each)),
    )
    .join("");
  const asked = (...args: readonly string[]) =>
    spawnSync("hledger", ["-f", "-", ...args], { input: journal, encoding: "utf8" });
  assert.equal(asked("check", "--strict").stderr, "");
  const found = asked("print", "tag:document-number=^CN-2026-000003$");
  assert.match(found.stdout, /\(9\) credit/);
  assert.doesNotMatch(found.stdout, /\([78]\)/);
});
