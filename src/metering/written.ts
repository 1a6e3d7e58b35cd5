import { csvLine } from "../base/index.ts";
import { parseQuantity, quantityText, skuOf } from "../ledger/index.ts";
import { counts, kindsOf } from "./record.ts";
import { eventSource } from "./source.ts";

/** What was metered, as the control API tells it. */
export interface MeteredUsage {
  readonly source: string;
  readonly id: string;
  readonly organisation: string;
  /** What it is called now: price books name their customers so. */
  readonly organisationName: string;
  readonly at: string;
  readonly isBatch: boolean;
  readonly receipt: string | null;
  /** Of a record of another service. */
  readonly sku: string | null;
  readonly quantity: string | null;
  /** Of a served request. */
  readonly model: string | null;
  readonly isEmbedding: boolean;
  readonly inputTokens: string | null;
  readonly cachedInputTokens: string | null;
  readonly outputTokens: string | null;
  readonly reasoningTokens: string | null;
}

type UsageFormat = "cloudevents" | "csv" | "jsonl";

/** A request, or what a record says of each SKU: all that has its source and id. */
type Whole = readonly [MeteredUsage, ...MeteredUsage[]];

/** What was metered as text that reads and rates as the same again; page by page, in the order in which it is told. */
export async function* usageText(
  format: UsageFormat,
  pages: AsyncIterable<readonly MeteredUsage[]>,
): AsyncGenerator<string, void, void> {
  if (format === "csv") yield csvLine(columns);
  const lineOf = (whole: Whole): string =>
    format === "csv"
      ? csvLine(cellsOf(whole))
      : `${JSON.stringify(format === "jsonl" ? recordOf(whole) : cloudEventOf(whole))}\n`;
  // A page can end within a record.
  let last: Whole | undefined;
  for await (const page of pages) {
    let text = "";
    for (const usage of page) {
      if (last !== undefined && isOfOne(last[0], usage)) last = [...last, usage];
      else {
        if (last !== undefined) text += lineOf(last);
        last = [usage];
      }
    }
    yield text;
  }
  if (last !== undefined) yield lineOf(last);
}

function isOfOne(one: MeteredUsage, other: MeteredUsage): boolean {
  return one.organisation === other.organisation && one.source === other.source && one.id === other.id;
}

function dataOf(whole: Whole): Record<string, unknown> {
  const [{ sku, quantity, isBatch }] = whole;
  const batch = isBatch ? { batch: true } : {};
  if (sku === null) return { ...ofRequest(whole[0]), ...batch };
  return { ...(whole.length === 1 ? { sku, quantity } : ofModel(whole)), ...batch };
}

/** What is not known of one kind is billed of none, as `servedUsage` of the books has it. */
function ofRequest({ model, isEmbedding, ...usage }: MeteredUsage): Record<string, unknown> {
  const { inputTokens, cachedInputTokens, outputTokens, reasoningTokens } = usage;
  const counts = { inputTokens, cachedInputTokens, outputTokens, reasoningTokens };
  const isKnown = isPart(cachedInputTokens, inputTokens) && isPart(reasoningTokens, outputTokens);
  if (isEmbedding) return { model, embeddingTokens: isKnown ? inputTokens : null };
  return { model, ...(isKnown ? counts : { inputTokens: null, outputTokens: null }) };
}

function isPart(part: string | null, whole: string | null): boolean {
  return part !== null && whole !== null && BigInt(part) <= BigInt(whole);
}

/** A record of a model, from its tokens by kind; a kind that is not there was not used. */
function ofModel(whole: Whole): Record<string, unknown> {
  const sku = whole[0].sku!;
  const model = sku.slice(0, sku.lastIndexOf("/"));
  return {
    model,
    ...Object.fromEntries(
      Object.entries(kindsOf).flatMap(([count, kinds]) => {
        const skus = kinds.map((kind) => skuOf(model, kind));
        const quantities = whole.filter((usage) => skus.includes(usage.sku!)).map(({ quantity }) => quantity);
        return quantities.length === 0 ? [] : [[count, sumOf(quantities)]];
      }),
    ),
  };
}

/** Null: nobody has counted one of them. */
function sumOf(quantities: readonly (string | null)[]): string | null {
  return quantities.includes(null)
    ? null
    : quantityText(quantities.reduce((sum, quantity) => sum + parseQuantity(quantity!)!, 0n));
}

/** As a record, which reads as what was metered. */
export function recordOf(whole: Whole): Record<string, unknown> {
  const [{ source, id, organisation, organisationName, at }] = whole;
  return { source, id, customer: organisationName, organisation, time: at, ...dataOf(whole) };
}

/** CloudEvents 1.0.2, JSON format; the organisation's id and a request's receipt go along as extensions. */
function cloudEventOf(whole: Whole): Record<string, unknown> {
  const [{ source, id, organisation, organisationName, at, receipt }] = whole;
  return {
    specversion: "1.0",
    type: "usage",
    source: eventSource(source),
    id,
    subject: organisationName,
    time: at,
    datacontenttype: "application/json",
    organisation,
    ...(receipt === null ? {} : { receipt }),
    data: dataOf(whole),
  };
}

const columns = [
  "source",
  "id",
  "customer",
  "organisation",
  "time",
  "batch",
  "sku",
  "quantity",
  "model",
  ...counts,
] as const;

/** A count that a record of a model does not have is 0: an empty one would be unknown. */
function cellsOf(whole: Whole): readonly string[] {
  const record = recordOf(whole);
  const none = "model" in record ? "0" : "";
  const all: Record<string, unknown> = {
    ...Object.fromEntries(counts.map((name) => [name, none])),
    batch: whole[0].isBatch,
    ...record,
  };
  return columns.map((name) => {
    const value = all[name];
    return typeof value === "string" || typeof value === "boolean" ? String(value) : "";
  });
}
