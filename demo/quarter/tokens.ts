/** Tokens by where they are, each counted from another source. */
import { control } from "../../test/end-to-end/asking.ts";
import type { RunningCloud } from "../../test/end-to-end/cloud.ts";
import type { Document } from "./bills.ts";

export interface Tokens {
  readonly metered: number;
  readonly invoiced: number;
  readonly unbilled: number;
  readonly unrated: number;
}

interface Page<Row> {
  readonly items: readonly Row[];
  readonly next: string | null;
}

interface Metered {
  readonly source: string;
  readonly sku: string | null;
  readonly quantity: string | null;
  readonly inputTokens: string | null;
  readonly cachedInputTokens: string | null;
  readonly outputTokens: string | null;
  readonly reasoningTokens: string | null;
}

type Quantity = Pick<Metered, "quantity"> & { readonly sku: string };

export async function allOf<Row>(cloud: RunningCloud, path: string): Promise<readonly Row[]> {
  const rows: Row[] = [];
  let after = "";
  for (;;) {
    const page: Page<Row> = await control(cloud, "GET", `${path}${path.includes("?") ? "&" : "?"}limit=1000${after}`);
    rows.push(...page.items);
    if (page.next === null) return rows;
    after = `&after=${encodeURIComponent(page.next)}`;
  }
}

/** What was metered one by one; what stands on invoices; the ledger's open sums; what waits for a price. */
export async function countTokens(cloud: RunningCloud, invoices: readonly Document[]): Promise<Tokens> {
  const metered = await allOf<Metered>(cloud, "/usage/metered");
  const { items: open } = await control<{ items: Quantity[] }>(cloud, "GET", "/usage/unbilled");
  const usage = invoices.flatMap(({ lines }) => lines.flatMap((line) => line.usage ?? []));
  return {
    metered: metered.reduce((sum, row) => sum + tokensOf(row), 0),
    invoiced: sumOf(usage),
    unbilled: sumOf(open),
    unrated: sumOf(await allOf<Quantity>(cloud, "/usage/unrated")),
  };
}

function tokensOf({ sku, quantity, ...request }: Metered): number {
  if (sku !== null) return sumOf([{ sku, quantity }]);
  const { inputTokens, cachedInputTokens, outputTokens, reasoningTokens } = request;
  return [inputTokens, cachedInputTokens, outputTokens, reasoningTokens].reduce((sum, text) => sum + Number(text), 0);
}

function sumOf(rows: readonly Quantity[]): number {
  return rows.filter(({ sku }) => sku.endsWith("-tokens")).reduce((sum, { quantity }) => sum + Number(quantity), 0);
}
