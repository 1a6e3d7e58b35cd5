import { csvRows } from "./csv-rows.ts";
import { inTurn, modelNames } from "./dealing.ts";
import { badRow, cellWholeNumber, type Place, tokens } from "./place.ts";
import { Recording } from "./recording.ts";
import type { Workload } from "./workload.ts";

export const azureColumns = ["TIMESTAMP", "ContextTokens", "GeneratedTokens"] as const;

export interface AzureOptions {
  /** What is later is left out. Absent: the whole trace. */
  readonly minutes?: number | undefined;
  /** The requests are dealt to so many models in turn. Absent: one. */
  readonly models?: number | undefined;
}

/**
 * Reads a trace of the Azure LLM inference dataset (Patel et al., "Splitwise", ISCA 2024; project
 * Azure/AzurePublicDataset): CSV, the time as YYYY-MM-DD HH:MM:SS.fffffff in UTC. It is one service's, so that models
 * and tenants are ours. Throws a `WorkloadError` that names the row.
 */
export async function readAzure(path: string, { minutes, models = 1 }: AzureOptions = {}): Promise<Workload> {
  const recording = new Recording();
  const names = modelNames(models);
  let originMs: number | undefined;
  let turn = 0;
  for await (const { cells, ...place } of csvRows(path, azureColumns)) {
    const { secondMs, fractionMs } = timestamp(place, cells.TIMESTAMP);
    // Since the first row's second: since 1970 a double would not hold the 100 ns that the trace has.
    originMs ??= secondMs;
    const model = inTurn(names, turn++);
    recording.add({
      atMs: secondMs - originMs + fractionMs,
      model,
      tenant: model,
      inputTokens: tokens(place, "ContextTokens", cellWholeNumber(place, "ContextTokens", cells.ContextTokens)),
      outputTokens: tokens(place, "GeneratedTokens", cellWholeNumber(place, "GeneratedTokens", cells.GeneratedTokens)),
    });
  }
  const dealt =
    models === 1
      ? "all requests are one model's and one tenant's"
      : `requests are dealt to ${models} models in turn; each model has one tenant of its own`;
  const notes = [`${dealt} (the trace is one service's)`];
  return recording.finish({ path, minutes, fromFirst: true, notes });
}

function timestamp(place: Place, text: string): { secondMs: number; fractionMs: number } {
  const [, date, time, fraction = ""] =
    /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(?:Z|\+00:00)?$/.exec(text) ?? [];
  const second = `${date}T${time}.000Z`;
  const secondMs = Date.parse(second);
  // Some days that no month has are taken for others.
  if (Number.isNaN(secondMs) || new Date(secondMs).toISOString() !== second) {
    throw badRow(place, `TIMESTAMP is "${text}", but must be a date and time, YYYY-MM-DD HH:MM:SS.fffffff`);
  }
  return { secondMs, fractionMs: Number(`0.${fraction}`) * 1000 };
}
