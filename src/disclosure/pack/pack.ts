import { readFileSync } from "node:fs";
import type { RevenueReport } from "../revenue/revenue.ts";

/** The exported ledger that a pack has, by which it is known again. */
export interface PackedLedger {
  /** Of the file's bytes: lower-case hex. */
  readonly sha256: string;
  readonly transactions: number;
}

/** What goes into an auditor's pack beside the exported ledger, by file name. */
export function packFiles(report: RevenueReport, ledger: PackedLedger): Readonly<Record<string, string>> {
  return {
    "disclosure.json": `${JSON.stringify({ ...report, ledger }, undefined, 2)}\n`,
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
disclosure.json  the report: figures with their definitions, the sums of postings that they come from, and the SHA-256 of ${packedLedgerName}
check.py         derives the report from ${packedLedgerName} anew and says where the two differ; Python 3.8, nothing else

    python3 check.py

A figure names accounts and months; their postings are rows of ${packedLedgerName}. \`bailiwick ledger why POSTING\` walks from
one of them to its invoice line, the usage, the requests and the ids of their receipts. A receipt is its tenant's: with a key of the project
that asked the customer fetches it (\`BAILIWICK_KEY=KEY bailiwick receipt get RECEIPT\`); the operator has all of a customer's by
\`bailiwick export organisation\`. Each can be verified offline (\`bailiwick receipt verify FILE --key JWKS\`). The column document-number
has the number of the invoice or credit note that a posting belongs to, where one was issued.
What is marked "-" (tokens, hours, costs; names, which products are AI, which months are closed) comes from what was metered, from settings
and from the books' state, and is not checked. Whoever could change all three files could make them agree: what shows that they are those
that were handed over is their SHA-256 in somebody else's hands.
`;
}
