import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Where `test/optional/papers/install` puts the rules and what runs them. */
const folder = join(tmpdir(), "bailiwick-test-papers-1");

/** Why invoices and exports are not held against the official rules; false: they are. */
export const skipped: string | false =
  process.env["BAILIWICK_TEST_PAPERS"] !== "1"
    ? "`npm run test:papers` installs the official rules and holds invoices and exports against them"
    : existsSync(join(folder, "complete"))
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
