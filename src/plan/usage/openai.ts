import { badRow } from "../../sim/index.ts";
import { badEntry, csvEntries, type Entry, isJsonFile, jsonEntries, readEntry } from "./entries.ts";
import { count, isYes, optionalText } from "./fields.ts";
import type { UsageExport, UsageRow } from "./row.ts";

const required = ["start_time", "end_time", "num_model_requests", "model", "input_tokens", "output_tokens"];
const optional = ["batch", "project_id", "api_key_id", "user_id"];

/**
 * OpenAI's completions usage, so many requests of a minute, an hour or a day: the JSON of
 * `/v1/organization/usage/completions` with `group_by=model` (pages of buckets of results), or the dashboard's export as
 * CSV, a row for each result.
 */
export async function readOpenai(path: string): Promise<UsageExport> {
  const rows: UsageRow[] = [];
  let batchRequests = 0;
  for await (const entry of await entriesOf(path)) {
    const requests = readEntry(entry, requestsOf);
    if (requests === 0) continue;
    if (isYes(entry, "batch")) batchRequests += requests;
    else rows.push(readEntry(entry, () => rowOf(entry, requests)));
  }
  const notes = [
    "requests of one bucket come by chance within it (Poisson), each with the bucket's mean lengths: how they bunch, and how their lengths differ, is not known",
    "cached input tokens count as computed anew",
    ...(batchRequests > 0 ? [`${batchRequests} batch requests were left out: they have no deadlines`] : []),
  ];
  return { rows, notes };
}

async function entriesOf(path: string): Promise<AsyncIterable<Entry> | Iterable<Entry>> {
  return (await isJsonFile(path)) ? flattened(await jsonEntries(path)) : csvEntries(path, required, optional);
}

/** Each result with its bucket's times, as a row of the CSV export has them. */
function flattened(buckets: readonly Entry[]): readonly Entry[] {
  return buckets.flatMap((bucket) => {
    const { start_time, end_time, results } = bucket.fields;
    if (!Array.isArray(results)) throw badEntry(bucket, "a bucket has results; this has none");
    return (results as readonly Record<string, unknown>[]).map((result, index) => ({
      path: bucket.path,
      get line() {
        return bucket.line;
      },
      fields: { ...result, start_time, end_time },
      ...(bucket.row === undefined ? {} : { row: `${bucket.row}, result ${index + 1}` }),
    }));
  });
}

function requestsOf(entry: Entry): number {
  return isEmpty(entry) ? 0 : count(entry, "num_model_requests");
}

/** The CSV export has a row for each time without usage too, with nothing behind the times. */
function isEmpty({ fields }: Entry): boolean {
  const { num_model_requests: requests } = fields;
  return requests === "" || requests === null;
}

function rowOf(entry: Entry, requests: number): UsageRow {
  const fromMs = 1000 * count(entry, "start_time");
  const toMs = 1000 * count(entry, "end_time");
  if (toMs <= fromMs) throw badRow(entry, "end_time is not behind start_time");
  const model = optionalText(entry, "model");
  if (model === undefined) throw badRow(entry, "model is empty: export the usage grouped by model (group_by=model)");
  return {
    fromMs,
    toMs,
    model,
    tenant:
      optionalText(entry, "project_id") ??
      optionalText(entry, "api_key_id") ??
      optionalText(entry, "user_id") ??
      "unknown",
    requests,
    inputTokens: count(entry, "input_tokens"),
    outputTokens: count(entry, "output_tokens"),
  };
}
