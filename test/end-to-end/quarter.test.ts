import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { temporaryFolder } from "./cloud.ts";

/** `npm run demo -- quarter --json`, as it is written; it checks itself, and its files are looked at here. */
const folder = temporaryFolder();
after(() => folder.remove());
const program = fileURLToPath(new URL("../../demo/run.ts", import.meta.url));

interface Printed {
  readonly tokens: Readonly<Record<"metered" | "invoiced" | "unbilled" | "unrated", number>>;
  readonly net: string;
  readonly tax: string;
  readonly gross: string;
  readonly currency: string;
}

test("quarter: every token is invoiced, unbilled or unrated, and every file is there and says the same", async () => {
  const out = join(folder.path, "out");
  const child = spawn(process.execPath, [program, "quarter", "--json", "--out", out], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (part: Buffer) => (stdout += part.toString()));
  child.stderr.on("data", (part: Buffer) => (stderr += part.toString()));
  const [code] = (await once(child, "close")) as [number];
  assert.equal(code, 0, `${stderr}\n${stdout}`);
  const { tokens, net, tax, gross, currency } = JSON.parse(stdout.trimEnd().split("\n").at(-1)!) as Printed;
  assert.equal(tokens.metered, tokens.invoiced + tokens.unbilled + tokens.unrated);
  for (const count of Object.values(tokens)) assert.ok(Number.isSafeInteger(count) && count > 0);
  assert.equal(currency, "EUR");
  assert.equal(Math.round(Number(net) * 100) + Math.round(Number(tax) * 100), Math.round(Number(gross) * 100));
  assert.match(stdout, /receipt verify receipt\.json --key signing-keys\.json\n {2}valid/);

  const papers = readdirSync(join(out, "invoices"));
  const numbers = new Set(papers.map((name) => name.replace(/\..*$/, "")));
  for (const number of numbers) {
    for (const extension of ["pdf", "ubl.xml", "cii.xml"]) assert.ok(papers.includes(`${number}.${extension}`), number);
  }
  const ubl = (number: string): string => readFileSync(join(out, "invoices", `${number}.ubl.xml`), "utf8");
  let asked = 0;
  for (const number of numbers) {
    const [, payable] = /PayableAmount currencyID="EUR">([\d.]+)</.exec(ubl(number))!;
    asked += Math.round(Number(payable) * 100) * (number.startsWith("CN") ? -1 : 1);
  }
  assert.equal(asked, Math.round(Number(gross) * 100));
  const report = JSON.parse(readFileSync(join(out, "disclosure.json"), "utf8")) as { status: string };
  assert.equal(report.status, "final");
  for (const name of [
    "disclosure.html",
    "focus-1.2.csv",
    "ledger.beancount",
    "ledger.journal",
    "auditors-pack/check.py",
  ]) {
    assert.ok(readFileSync(join(out, name)).length > 1_000, name);
  }
});
