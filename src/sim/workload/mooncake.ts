import { modelNames } from "./dealing.ts";
import { jsonLines, type Members } from "./json-lines.ts";
import { badRow, finiteNumber, notNegative, type Place, tokens, wholeNumber } from "./place.ts";
import { Recording } from "./recording.ts";
import type { Workload } from "./workload.ts";

export const mooncakeFields = ["timestamp", "input_length", "output_length", "hash_ids"] as const;

export interface MooncakeOptions {
  /** What is later is left out. Absent: the whole trace. */
  readonly minutes?: number | undefined;
}

const blockTokens = 512;

/**
 * Reads a trace of Mooncake (Qin et al., FAST 2025; project kvcache-ai/Mooncake, folder FAST25-release/traces): one JSON
 * object a line, `timestamp` in ms since its beginning, `hash_ids` one for each block of 512 tokens of the prompt. It is
 * one model's. Throws a `WorkloadError` that names the line.
 */
export async function readMooncake(path: string, { minutes }: MooncakeOptions = {}): Promise<Workload> {
  const recording = new Recording();
  const [model = ""] = modelNames(1);
  for await (const { members, ...place } of jsonLines(path)) {
    const inputTokens = tokens(place, "input_length", finiteNumber(place, "input_length", members["input_length"]));
    recording.add({
      atMs: notNegative(place, "timestamp", finiteNumber(place, "timestamp", members["timestamp"])),
      model,
      tenant: model,
      inputTokens,
      outputTokens: tokens(place, "output_length", finiteNumber(place, "output_length", members["output_length"])),
      prefix: prefixOf(place, members, inputTokens),
    });
  }
  const notes = [
    "all requests are one model's and one tenant's (the trace is one service's); prefixes are the trace's",
  ];
  return recording.finish({ path, minutes, fromFirst: false, notes });
}

function prefixOf(place: Place, { hash_ids: ids }: Members, inputTokens: number): readonly number[] {
  if (!Array.isArray(ids)) throw badRow(place, "hash_ids is missing, or not an array");
  const blocks = Math.ceil(inputTokens / blockTokens);
  if (ids.length > blocks) {
    throw badRow(place, `${ids.length} hash_ids, but ${inputTokens} tokens are ${blocks} blocks of ${blockTokens}`);
  }
  return ids.map((id: unknown) => wholeNumber(place, "a hash id", finiteNumber(place, "a hash id", id)));
}
