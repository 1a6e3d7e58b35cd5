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

interface Report {
  readonly status: string;
  readonly figures: readonly { readonly id: string; readonly value: string | null }[];
  readonly products: readonly { readonly product: string; readonly external: string; readonly growth: string | null }[];
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
  const report = JSON.parse(readFileSync(join(out, "disclosure.json"), "utf8")) as Report;
  assert.equal(report.status, "final");
  assert.deepEqual(
    report.figures.filter(({ value }) => value === null).map(({ id }) => id),
    [],
  );
  const [deferred, remaining] = ["deferred-revenue", "remaining-obligations"].map((id) =>
    Number(report.figures.find((figure) => figure.id === id)!.value),
  ) as [number, number];
  // 10,000.00 were paid for credits, and 21 months of 2,000.00 are committed to behind the quarter.
  assert.ok(deferred > 0 && deferred < 10_000, String(deferred));
  assert.equal(Math.round((remaining - deferred) * 100), 4_200_000);
  for (const product of ["ai-inference", "accelerator-time", "other"]) {
    const found = report.products.find((each) => each.product === product);
    assert.ok(found !== undefined && found.growth !== null && Number(found.external) > 0, product);
  }
  assert.ok(Number(report.products.find(({ product }) => product === "breakage")?.external) > 0);
  assert.match(readFileSync(join(out, "focus-1.2.csv"), "utf8"), /,Purchase,/);
  for (const name of [
    "disclosure.html",
    "disclosure.pdf",
    "focus-1.2.csv",
    "ledger.beancount",
    "ledger.journal",
    "auditors-pack/check.py",
  ]) {
    assert.ok(readFileSync(join(out, name)).length > 1_000, name);
  }
});
