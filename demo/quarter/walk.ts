/** The way from one figure of the disclosure back to a signed receipt, as an auditor goes it. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { control } from "../../test/end-to-end/asking.ts";
import { commandFails, type RunningCloud } from "../../test/end-to-end/cloud.ts";
import type { Quarter } from "./calendar.ts";
import { disclosureIn } from "./disclosed.ts";
import type { Served } from "./serving.ts";
import { allOf } from "./tokens.ts";

export interface Step {
  readonly command: string;
  readonly words: string;
}

interface Transaction {
  readonly kind: string;
  readonly postings: readonly {
    readonly posting: string;
    readonly account: string;
    readonly organisation: string | null;
  }[];
}

interface Reasons {
  readonly posting: { readonly account: string; readonly amount: string };
  readonly transaction: { readonly kind: string; readonly period: string };
  readonly requests: readonly { readonly id: string; readonly receipt: string | null }[];
}

const figure = "ai-revenue";
/** One that was served, and not only told of. */
const account = "revenue/ai-inference";

export async function walk(
  cloud: RunningCloud,
  of: Quarter,
  folder: string,
  { keys }: Served,
): Promise<readonly Step[]> {
  const { id, value, postings: drill } = disclosureIn(folder).figures.find((each) => each.id === figure)!;
  const month = of.months[2];
  if (drill === null || !drill.accounts.includes(account) || !drill.months.includes(month)) return [];
  const words = `${id} ${value}: the postings of ${drill.accounts.join(" and ")} in ${drill.months.join(", ")}`;
  const steps: Step[] = [{ command: `report revenue --quarter ${of.name} --json`, words }];
  const transactions = await allOf<Transaction>(cloud, `/ledger/transactions?period=${month}`);
  const accrued = transactions.filter(({ kind }) => kind === "accrual").flatMap(({ postings }) => postings);
  for (const { posting } of accrued.filter((each) => each.account === account)) {
    const reasons = await control<Reasons>(cloud, "GET", `/ledger/postings/${posting}/why`);
    for (const { id: request, receipt } of reasons.requests) {
      const key = receipt === null ? undefined : await keyOf(cloud, receipt, keys);
      if (key === undefined) continue;
      const { kind, period } = reasons.transaction;
      const amount = reasons.posting.amount.replace("-", "");
      const from = `${amount} of ${account}: ${kind} of ${period}, made from request ${request}, receipt ${receipt!}`;
      return [
        ...steps,
        { command: `ledger why ${posting}`, words: from },
        await verified(cloud, folder, receipt!, key),
      ];
    }
  }
  return steps;
}

/** Whose key may have a receipt: a tenant's own. */
async function keyOf(cloud: RunningCloud, receipt: string, keys: Served["keys"]): Promise<string | undefined> {
  for (const key of keys.values()) {
    const headers = { authorization: `Bearer ${key}` };
    if ((await fetch(`${cloud.url}/v1/receipts/${receipt}`, { headers })).ok) return key;
  }
  return undefined;
}

async function verified(cloud: RunningCloud, folder: string, id: string, key: string): Promise<Step> {
  const [receipt, jwks] = [join(folder, "receipt.json"), join(folder, "signing-keys.json")];
  const headers = { authorization: `Bearer ${key}` };
  writeFileSync(receipt, await (await fetch(`${cloud.url}/v1/receipts/${id}`, { headers })).text());
  writeFileSync(jwks, await (await fetch(`${cloud.url}/.well-known/bailiwick/keys`)).text());
  const args = ["receipt", "verify", receipt, "--key", jwks, "--json"];
  const { code, stdout, stderr } = await commandFails(args);
  const isValid = code === 0 && (JSON.parse(stdout) as { valid: boolean }).valid;
  return { command: "receipt verify receipt.json --key signing-keys.json", words: isValid ? "valid" : stdout + stderr };
}
