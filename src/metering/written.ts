import { csvLine } from "../base/index.ts";
import { eventSource } from "./source.ts";

/** What was metered, as the control API tells it. */
export interface MeteredUsage {
  readonly source: string;
  readonly id: string;
  readonly organisation: string;
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

/** How usage is written, so that it can be read and rated again. */
export interface UsageText {
  readonly opening: string;
  line(usage: MeteredUsage): string;
}

export function usageText(format: UsageFormat): UsageText {
  if (format === "csv") return { opening: csvLine(columns), line: (usage) => csvLine(cellsOf(usage)) };
  const valueOf = format === "jsonl" ? recordOf : cloudEventOf;
  return { opening: "", line: (usage) => `${JSON.stringify(valueOf(usage))}\n` };
}

function dataOf({ sku, quantity, model, isEmbedding, isBatch, ...usage }: MeteredUsage): Record<string, unknown> {
  const batch = isBatch ? { batch: true } : {};
  if (sku !== null) return { sku, quantity, ...batch };
  const { inputTokens, cachedInputTokens, outputTokens, reasoningTokens } = usage;
  return isEmbedding
    ? { model, embeddingTokens: inputTokens, ...batch }
    : { model, inputTokens, cachedInputTokens, outputTokens, reasoningTokens, ...batch };
}

/** As a record, which reads as what was metered. */
export function recordOf(usage: MeteredUsage): Record<string, unknown> {
  const { source, id, organisation, at } = usage;
  return { source, id, customer: organisation, time: at, ...dataOf(usage) };
}

/** CloudEvents 1.0.2, JSON format; each request's receipt goes along as an extension. */
function cloudEventOf(usage: MeteredUsage): Record<string, unknown> {
  const { source, id, organisation, at, receipt } = usage;
  return {
    specversion: "1.0",
    type: "usage",
    source: eventSource(source),
    id,
    subject: organisation,
    time: at,
    datacontenttype: "application/json",
    ...(receipt === null ? {} : { receipt }),
    data: dataOf(usage),
  };
}

const columns = [
  "source",
  "id",
  "customer",
  "time",
  "batch",
  "sku",
  "quantity",
  "model",
  "inputTokens",
  "cachedInputTokens",
  "outputTokens",
  "reasoningTokens",
  "embeddingTokens",
] as const;

/** A count that a request cannot have is 0: an empty one would be unknown. */
function cellsOf(usage: MeteredUsage): readonly string[] {
  const isRequest = usage.sku === null;
  const none = isRequest ? "0" : "";
  const blank = Object.fromEntries(columns.slice(8).map((name) => [name, none]));
  const record: Record<string, unknown> = { ...blank, batch: usage.isBatch, ...recordOf(usage) };
  return columns.map((name) => {
    const value = record[name];
    return typeof value === "string" || typeof value === "boolean" ? String(value) : "";
  });
}
