import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import {
  checkBeancount,
  checkHledger,
  checkInvoices,
  hledgerSkipped,
  skipped,
  spurious,
  validateFocus,
} from "./validators.ts";

/** `BAILIWICK_TEST_PAPERS_DEMO` names what `npm run demo -- quarter --out DIR` has written; without it the demo is run. */
const given = process.env["BAILIWICK_TEST_PAPERS_DEMO"];
const temporary = given === undefined && skipped === false ? mkdtempSync(join(tmpdir(), "bailiwick-papers-demo-")) : "";
const folder = given === undefined ? temporary : resolve(given);
const program = fileURLToPath(new URL("../../../demo/run.ts", import.meta.url));

before(async () => {
  if (temporary !== "") await promisify(execFile)(process.execPath, [program, "quarter", "--out", temporary]);
});

after(() => {
  if (temporary !== "") rmSync(temporary, { recursive: true, force: true });
});

test("every invoice and credit note of the demo passes the schemas and the official rules", { skip: skipped }, () => {
  const names = readdirSync(join(folder, "invoices")).filter((name) => /\.xml$|\.facturx\.pdf$/.test(name));
  assert.ok(names.some((name) => name.endsWith(".ubl.xml")) && names.some((name) => name.endsWith(".cii.xml")));
  const checked = checkInvoices(names.map((name) => join(folder, "invoices", name)));
  assert.equal(checked.length, names.length);
  for (const { rules } of checked) assert.ok(rules.length > 0);
  assert.deepEqual(
    checked.filter(({ failures }) => failures.length > 0),
    [],
  );
});

test("the demo's FOCUS passes the validator of 1.2", { skip: skipped }, () => {
  const { total, failed } = validateFocus(join(folder, "focus-1.2.csv"));
  assert.match(total, /Fail: 1 \|/);
  assert.deepEqual(failed, spurious);
});

test("Beancount accepts the demo's ledger, and no ledger that does not balance", { skip: skipped }, (context) => {
  const path = join(folder, "ledger.beancount");
  assert.equal(checkBeancount(path), "");
  assert.match(checkBeancount(unbalanced(path, context)), /does not balance/);
});

test("hledger accepts the demo's ledger, and no ledger that does not balance", { skip: hledgerSkipped }, (context) => {
  const path = join(folder, "ledger.journal");
  assert.equal(checkHledger(path), "");
  assert.match(checkHledger(unbalanced(path, context)), /balance/);
});

/** A copy whose last posting has a digit more. */
function unbalanced(path: string, context: { after: (done: () => void) => void }): string {
  const copied = mkdtempSync(join(tmpdir(), "bailiwick-papers-ledger-"));
  context.after(() => rmSync(copied, { recursive: true, force: true }));
  const text = readFileSync(path, "utf8");
  const { 0: amount, index } = [...text.matchAll(/\d+(\.\d+)? [A-Z]{3}/g)].at(-1)!;
  const wrong = join(copied, "wrong.txt");
  writeFileSync(wrong, `${text.slice(0, index)}1${amount}${text.slice(index + amount.length)}`);
  return wrong;
}
