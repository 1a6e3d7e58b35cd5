/** From usage to invoices: the three months are closed one behind the other, then issued, one is paid and one credited. */
import { control } from "../../test/end-to-end/asking.ts";
import type { RunningCloud } from "../../test/end-to-end/cloud.ts";
import type { Quarter } from "./calendar.ts";
import { customers, ours, prepaid } from "./customers.ts";
import type { UsageRecord } from "./generated.ts";

/** An issued document, as far as it is looked at here. */
export interface Document {
  readonly kind: "invoice" | "credit-note";
  readonly number: string;
  /** "2026-10-01" */
  readonly issueDate: string;
  readonly currency: string;
  readonly lines: readonly {
    readonly id: string;
    readonly net: string;
    readonly usage: { readonly sku: string; readonly quantity: string; readonly receipts: string | null } | null;
  }[];
  readonly totals: { readonly net: string; readonly tax: string; readonly gross: string; readonly payable: string };
}

interface Invoice {
  readonly id: string;
  readonly number: string | null;
  readonly gross: string;
}

/** Told in parts, each of them twice: the second time changes nothing. */
export async function tell(cloud: RunningCloud, records: readonly UsageRecord[]): Promise<void> {
  for (let from = 0; from < records.length; from += 400) {
    const some = records.slice(from, from + 400);
    const first = await control<Recorded>(cloud, "POST", "/usage", some);
    const again = await control<Recorded>(cloud, "POST", "/usage", some);
    if (first.accepted !== some.length || again.duplicates !== some.length) {
      throw new Error(`usage told twice counted twice: ${JSON.stringify([first, again])}`);
    }
  }
}

interface Recorded {
  readonly accepted: number;
  readonly duplicates: number;
}

/** Credits that are bought before they are used, with an invoice of the same day. */
export async function sellCredits(cloud: RunningCloud): Promise<void> {
  const { party } = customers.find(({ name }) => name === prepaid)!;
  await control(cloud, "PUT", `/organisations/${prepaid}/party`, party);
  const bought = { id: "order-7", currency: "EUR", credits: "11000", paid: "10000", breakagePercent: "5" };
  const { invoice } = await control<{ invoice: string }>(cloud, "POST", `/wallets/${prepaid}/grants`, bought);
  await control(cloud, "POST", `/invoices/${invoice}/finalize`, {});
}

/** `late` is told once the first month is closed: it comes onto the second one's invoices. */
export async function closeQuarter(
  cloud: RunningCloud,
  { months: [first, ...others], until }: Quarter,
  late: readonly UsageRecord[],
): Promise<void> {
  for (const month of until) await control(cloud, "POST", `/ledger/periods/${month}/close`, {});
  await cloud.command("ledger", "close", first);
  await tell(cloud, late);
  for (const month of others) await cloud.command("ledger", "close", month);
}

export async function issue(cloud: RunningCloud, { months, yearBefore }: Quarter): Promise<void> {
  const known = [...customers, ...ours];
  // Whoever is left out here stays a draft, and takes no number, until somebody says who it is.
  const [last, ...rest] = known;
  for (const { name, party } of rest) await control(cloud, "PUT", `/organisations/${name}/party`, party);
  const before = await finalized(cloud, months[0]);
  if (before.refusals === 0) throw new Error(`${last!.name} was invoiced, and nobody knows who it is`);
  await control(cloud, "PUT", `/organisations/${last!.name}/party`, last!.party);
  for (const month of [...yearBefore, ...months]) {
    const { refusals, refused } = await finalized(cloud, month);
    if (refusals > 0) throw new Error(`${month}: ${JSON.stringify(refused)}`);
  }
}

async function finalized(cloud: RunningCloud, month: string) {
  const path = `/ledger/periods/${month}/finalize`;
  return control<{ readonly refusals: number; readonly refused: readonly object[] }>(cloud, "POST", path, {});
}

/** The largest of the first month is paid, and of the next ones one is credited in part and another as a whole. */
export async function settle(cloud: RunningCloud, { months }: Quarter): Promise<void> {
  const rows = await cloud.command<Invoice[]>("invoice", "list", "--period", months[0]);
  const [paid, credited, voided] = rows.toSorted((a, b) => Number(b.gross) - Number(a.gross));
  await cloud.command("invoice", "pay", paid!.id);
  await cloud.command("invoice", "credit", credited!.id, "--line", "1=1.00", "--reason", "An hour without service");
  await cloud.command("invoice", "void", voided!.id, "--reason", "Billed to the wrong company");
}
