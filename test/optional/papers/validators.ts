import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Where `test/optional/papers/install` puts the rules and what runs them. */
const folder = join(tmpdir(), "bailiwick-test-papers-1");

/** Why invoices and exports are not held against the official rules; false: they are. */
export const skipped: string | false =
  process.env["BAILIWICK_TEST_PAPERS"] !== "1"
    ? "`npm run test:papers` installs the official rules and holds invoices and exports against them"
    : existsSync(join(folder, "complete-2"))
      ? false
      : "test/optional/papers/install has not installed the rules";

export interface Checked {
  readonly file: string;
  /** The schema and the rule sets, with how many rules fired. */
  readonly rules: readonly string[];
  readonly failures: readonly { readonly id: string; readonly flag: string; readonly text: string }[];
}

export function checkInvoices(paths: readonly string[]): readonly Checked[] {
  const script = fileURLToPath(new URL("check-invoices.py", import.meta.url));
  const printed = execFileSync(join(folder, "invoices", "bin", "python"), [script, ...paths], {
    maxBuffer: 1 << 26,
    encoding: "utf8",
  });
  return JSON.parse(printed) as readonly Checked[];
}

/** It wants InvoiceId to be null wherever it is not: its rule has lost its condition. */
export const spurious = ["InvoiceId-C-004-C"];

export interface Validated {
  /** "Total: 578 | Pass: 136 | Fail: 1 | Skipped: 441": the validator's exit code is 0 whatever it finds. */
  readonly total: string;
  readonly failed: readonly string[];
}

/** A file of FOCUS 1.2 against the FinOps Foundation's rules; `supported`: what of the conditional rules is asked too. */
export function validateFocus(path: string, supported: readonly string[] = []): Validated {
  const python = join(folder, "focus", "lib");
  const [version = ""] = readdirSync(python);
  const criteria = supported.length === 0 ? [] : ["--applicability-criteria", supported.join(",")];
  const printed = execFileSync(
    join(folder, "focus", "bin", "focus-validator"),
    ["--data-file", path, "--validate-version", "1.2", "--block-download", ...criteria],
    // It finds its rules from here only.
    { cwd: join(python, version, "site-packages"), encoding: "utf8", maxBuffer: 1 << 26 },
  );
  const failed = [...printed.matchAll(/^\S+ ([\w-]+): FAIL /gm)].map(([, id]) => id!);
  return { total: /^Total: .*$/m.exec(printed)?.[0] ?? "", failed: [...new Set(failed)].toSorted() };
}

/** What Beancount says of a ledger; "": it accepts it. */
export function checkBeancount(path: string): string {
  return printedBy(join(folder, "ledger", "bin", "bean-check"), [path]);
}

/** Why hledger is not asked; false: it is. */
export const hledgerSkipped: string | false =
  spawnSync("hledger", ["--version"]).status === 0
    ? skipped
    : "hledger is not installed, and is no package of Python: install it for the system";

/** As above, by hledger in its strict mode. */
export function checkHledger(path: string): string {
  return printedBy("hledger", ["-f", path, "check", "--strict"]);
}

/** A program that fails without a word has failed too. */
function printedBy(program: string, args: readonly string[]): string {
  const { error, status, stdout, stderr } = spawnSync(program, args, { encoding: "utf8", maxBuffer: 1 << 26 });
  if (error !== undefined) throw error;
  return status === 0 ? "" : `${stdout}${stderr}`.trim() || `exit code ${status}`;
}

export interface ReadParquet {
  readonly types: Readonly<Record<string, string>>;
  readonly rows: readonly Readonly<Record<string, string | null>>[];
}

export function readParquet(path: string): ReadParquet {
  const script = fileURLToPath(new URL("parquet-to-json.py", import.meta.url));
  const printed = execFileSync(join(folder, "focus", "bin", "python"), [script, path], { encoding: "utf8" });
  return JSON.parse(printed) as ReadParquet;
}
