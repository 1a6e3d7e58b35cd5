import { badRow, type Place } from "./place.ts";
import { readLines } from "./trace-file.ts";

/** The members of an object that a line holds; which are there is for the reader to check. */
export type Members = Readonly<Record<string, unknown>>;

export interface JsonLine extends Place {
  readonly members: Members;
}

/** The lines of a file with one JSON object each. Throws a `WorkloadError` that names the line where one is none. */
export async function* jsonLines(path: string): AsyncGenerator<JsonLine, void, void> {
  for await (const { text, ...place } of readLines(path)) {
    const value = parseOrUndefined(text);
    if (!isMembers(value)) throw badRow(place, "the line is not one JSON object");
    yield { ...place, members: value };
  }
}

export function isMembers(value: unknown): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function parseOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
