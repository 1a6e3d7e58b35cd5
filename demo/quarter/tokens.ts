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
  readonly sku: string | null;
  readonly model: string | null;
  readonly quantity: string | null;
  readonly inputTokens: string | null;
  readonly cachedInputTokens: string | null;
  readonly outputTokens: string | null;
  readonly reasoningTokens: string | null;
}

interface Quantity {
  readonly sku: string;
  /** A decimal string, as the control API tells it. */
  readonly quantity: string | number | null;
}

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

/** By SKU. */
type Counts = ReadonlyMap<string, number>;

export interface Counted {
  readonly tokens: Tokens;
  /** SKUs of which metered is not the sum of the others. */
  readonly unmet: readonly string[];
}

/** What was metered one by one; what stands on invoices; the ledger's open sums; what waits for a price. */
export async function countTokens(cloud: RunningCloud, invoices: readonly Document[]): Promise<Counted> {
  const metered = countsOf((await allOf<Metered>(cloud, "/usage/metered")).flatMap(quantitiesOf));
  const invoiced = countsOf(invoices.flatMap(({ lines }) => lines.flatMap((line) => line.usage ?? [])));
  const unbilled = countsOf((await control<{ items: Quantity[] }>(cloud, "GET", "/usage/unbilled")).items);
  const unrated = countsOf(await allOf<Quantity>(cloud, "/usage/unrated"));
  const others = [invoiced, unbilled, unrated];
  const skus = new Set([metered, ...others].flatMap((counts) => [...counts.keys()]));
  const unmet = [...skus].flatMap((sku) => {
    const sum = others.reduce((total, counts) => total + (counts.get(sku) ?? 0), 0);
    const is = metered.get(sku) ?? 0;
    return is === sum ? [] : [`${is} ${sku} were metered, and ${sum} are invoiced, unbilled or unrated`];
  });
  const [all, bills, open, waiting] = [metered, invoiced, unbilled, unrated].map(totalOf) as [
    number,
    number,
    number,
    number,
  ];
  return { tokens: { metered: all, invoiced: bills, unbilled: open, unrated: waiting }, unmet };
}

/** A request's input has in it what was read from the cache, and its output the reasoning; SKUs exclude one another. */
function quantitiesOf({ sku, quantity, model, ...request }: Metered): readonly Quantity[] {
  if (sku !== null) return [{ sku, quantity: Number(quantity) }];
  const [input, cached, output, reasoning] = [
    request.inputTokens,
    request.cachedInputTokens,
    request.outputTokens,
    request.reasoningTokens,
  ].map(Number) as [number, number, number, number];
  return [
    { sku: `${model}/input-tokens`, quantity: input - cached },
    { sku: `${model}/cached-read-tokens`, quantity: cached },
    { sku: `${model}/output-tokens`, quantity: output - reasoning },
    { sku: `${model}/reasoning-tokens`, quantity: reasoning },
  ];
}

function countsOf(rows: readonly Quantity[]): Counts {
  const counts = new Map<string, number>();
  for (const { sku, quantity } of rows) {
    if (sku.endsWith("-tokens")) counts.set(sku, (counts.get(sku) ?? 0) + Number(quantity));
  }
  return counts;
}

function totalOf(counts: Counts): number {
  return [...counts.values()].reduce((sum, each) => sum + each, 0);
}
