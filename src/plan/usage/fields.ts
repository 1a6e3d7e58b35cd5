import { badRow, cellWholeNumber, type Place, wholeNumber } from "../../sim/index.ts";
import type { Entry } from "./entries.ts";

/** A text that is there; undefined for what is empty, null or missing. */
export function optionalText({ fields }: Entry, name: string): string | undefined {
  const value = fields[name];
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** JSON has true, CSV a word for it, LiteLLM the word in JSON too. */
export function isYes({ fields }: Entry, name: string): boolean {
  const value = fields[name];
  return value === true || (typeof value === "string" && value.toLowerCase() === "true");
}

/** A whole number from 0, as JSON or a CSV cell has it. Throws a `WorkloadError` that names file and line. */
export function count(entry: Entry, name: string): number {
  const value = entry.fields[name];
  if (typeof value === "string") return wholeNumber(entry, name, cellWholeNumber(entry, name, value));
  if (typeof value === "number") return wholeNumber(entry, name, value);
  throw badRow(entry, value === undefined ? `${name} is missing` : `${name} is ${JSON.stringify(value)}, not a number`);
}

/**
 * Milliseconds since 1970 of `2026-01-31T12:00:00.123Z`, with an offset instead of Z, with a blank instead of T, and in
 * UTC where it names no zone, as PostgreSQL exports a time without one.
 */
export function instantMs(place: Place, name: string, value: unknown): number {
  const [, date, time, zone = "Z"] =
    /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d(?:\.\d{1,9})?)\s?(Z|[+-]\d\d(?::?\d\d)?)?$/.exec(String(value)) ?? [];
  const offset = /^[+-]\d\d$/.test(zone) ? `${zone}:00` : zone;
  const ms = Date.parse(`${date}T${time}${offset}`);
  if (Number.isNaN(ms)) throw badRow(place, `${name} is ${JSON.stringify(value)}, which is no date and time`);
  return ms;
}
