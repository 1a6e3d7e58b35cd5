import { csvRows } from "./csv-rows.ts";
import { badRow, cellWholeNumber, type Place, tokens } from "./place.ts";
import { Recording } from "./recording.ts";
import type { Workload } from "./workload.ts";

export const aegaeonColumns = ["Request Time", "Model Name", "Input Length", "Output Length"] as const;

export interface AegaeonOptions {
  /** What is later is left out. Absent: the whole trace. */
  readonly minutes?: number | undefined;
}

/**
 * Reads a synthetic trace of Aegaeon (Xiang et al., SOSP 2025; project MachineLearningSystem/25SOSP-Aegaeon): CSV, the
 * time as HH:MM:SS.mmm since its beginning. Throws a `WorkloadError` that names the row.
 */
export async function readAegaeon(path: string, { minutes }: AegaeonOptions = {}): Promise<Workload> {
  const recording = new Recording();
  for await (const { cells, ...place } of csvRows(path, aegaeonColumns)) {
    const model = cells["Model Name"];
    if (model === "") throw badRow(place, "Model Name is empty");
    recording.add({
      atMs: timeOfDayMs(place, cells["Request Time"]),
      model,
      tenant: model,
      inputTokens: tokens(place, "Input Length", cellWholeNumber(place, "Input Length", cells["Input Length"])),
      outputTokens: tokens(place, "Output Length", cellWholeNumber(place, "Output Length", cells["Output Length"])),
    });
  }
  return recording.finish({ path, minutes, fromFirst: false, notes: ["each model has one tenant of its own"] });
}

function timeOfDayMs(place: Place, text: string): number {
  const [, hours, minutes, seconds, thousandths = ""] = /^(\d+):([0-5]\d):([0-5]\d)(?:\.(\d{1,3}))?$/.exec(text) ?? [];
  if (hours === undefined) throw badRow(place, `Request Time is "${text}", but must be HH:MM:SS.mmm`);
  const wholeS = (Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds);
  return wholeS * 1000 + Number(thousandths.padEnd(3, "0"));
}
