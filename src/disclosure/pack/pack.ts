import { readFileSync } from "node:fs";
import type { RevenueReport } from "../revenue/revenue.ts";

/** What goes into an auditor's pack beside the exported ledger, by file name. */
export function packFiles(report: RevenueReport): Readonly<Record<string, string>> {
  return {
    "disclosure.json": `${JSON.stringify(report, undefined, 2)}\n`,
    "check.py": readFileSync(new URL("./check.py", import.meta.url), "utf8"),
    "README.txt": readme(report),
  };
}

/** The ledger as `bailiwick ledger export --format csv` writes it. */
export const packedLedgerName = "ledger.csv";

function readme({ quarter, status, currency, installation, at }: RevenueReport): string {
  return `Revenue of ${quarter}, ${status}, in ${currency}: what an auditor needs to derive it anew.
Installation ${installation}, made at ${at}.

${packedLedgerName}      every posting of the double entry, of all periods: a debit above 0, a credit below
disclosure.json  the report: figures with their definitions, and the sums of postings that they come from
check.py         derives the figures from ${packedLedgerName} anew and says where the two differ; Python 3.8, nothing else

    python3 check.py

A figure names accounts and months; their postings are rows of ${packedLedgerName}. \`bailiwick ledger why POSTING\` walks from
one of them to its invoice line, the usage, the requests and their receipts, each of which can be verified offline.
What is marked "not of the ledger alone" (tokens, hours, costs) comes from what was metered and from settings.
`;
}
