import { badRow, tokens } from "../../sim/index.ts";
import { csvEntries, type Entry, isJsonFile, jsonEntries, readEntry } from "./entries.ts";
import { count, instantMs, isYes, optionalText } from "./fields.ts";
import type { UsageExport, UsageRow } from "./row.ts";

const required = ["startTime", "model", "prompt_tokens", "completion_tokens"];
const optional = ["model_group", "call_type", "status", "cache_hit", "team_id", "user", "api_key"];

/**
 * LiteLLM's spend logs, a row for each request: the JSON that `/spend/logs` and `/spend/logs/v2` answer with, or the
 * table `LiteLLM_SpendLogs` as CSV with a header. Fields as in its schema.prisma.
 */
export async function readLitellm(path: string): Promise<UsageExport> {
  const rows: UsageRow[] = [];
  const left = { failed: 0, cached: 0, other: 0 };
  for await (const entry of await entriesOf(path)) {
    if (optionalText(entry, "status") === "failure") left.failed++;
    else if (isYes(entry, "cache_hit")) left.cached++;
    else if (isOther(entry)) left.other++;
    else rows.push(readEntry(entry, rowOf));
  }
  const notes = [
    `one row for each request, with its own time and lengths`,
    ...(left.failed > 0 ? [`${left.failed} failed requests were left out`] : []),
    ...(left.cached > 0 ? [`${left.cached} requests were left out: LiteLLM had answered them from its cache`] : []),
    ...(left.other > 0 ? [`${left.other} requests were left out: embeddings, images, speech and the like`] : []),
  ];
  return { rows, notes };
}

async function entriesOf(path: string): Promise<AsyncIterable<Entry> | Iterable<Entry>> {
  return (await isJsonFile(path)) ? jsonEntries(path) : csvEntries(path, required, optional);
}

/** A call that generates no text. */
function isOther(entry: Entry): boolean {
  return /embed|image|speech|transcription|moderation|rerank|ocr|video/i.test(optionalText(entry, "call_type") ?? "");
}

function rowOf(entry: Entry): UsageRow {
  const atMs = instantMs(entry, "startTime", entry.fields["startTime"]);
  // The group is the name that clients ask for; the model may be one of several deployments behind it.
  const model = optionalText(entry, "model_group") ?? optionalText(entry, "model");
  if (model === undefined) throw badRow(entry, "model is missing");
  return {
    fromMs: atMs,
    toMs: atMs,
    model,
    tenant:
      optionalText(entry, "team_id") ?? optionalText(entry, "user") ?? optionalText(entry, "api_key") ?? "unknown",
    requests: 1,
    inputTokens: tokens(entry, "prompt_tokens", count(entry, "prompt_tokens")),
    outputTokens: tokens(entry, "completion_tokens", count(entry, "completion_tokens")),
  };
}
