import { WorkloadError } from "./workload.ts";

/** Where in a trace something is said. Lines are counted from 1, a header too. */
export interface Place {
  readonly path: string;
  readonly line: number;
}

export function badRow({ path, line }: Place, what: string): WorkloadError {
  return new WorkloadError(`${path}:${line}: ${what}`);
}

/** The number that a cell of a CSV file holds, as JSON writes numbers. Throws a `WorkloadError` otherwise. */
export function cellNumber(place: Place, name: string, cell: string): number {
  if (!/^-?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(cell)) throw badRow(place, `${name} is "${cell}", which is not a number`);
  return finiteNumber(place, name, Number(cell));
}

/** The same of a whole number from 0, written as one: not 12.0, and not 1e3. */
export function cellWholeNumber(place: Place, name: string, cell: string): number {
  const value = cellNumber(place, name, cell);
  if (!/^-?\d+$/.test(cell)) throw badRow(place, `${name} is ${cell}, but must be a whole number`);
  return wholeNumber(place, name, value);
}

/** Throws a `WorkloadError` where a value of a JSON line is not a number, or too large for one. */
export function finiteNumber(place: Place, name: string, value: unknown): number {
  if (value === undefined) throw badRow(place, `${name} is missing`);
  if (typeof value === "number" && Number.isFinite(value)) return value;
  throw badRow(place, `${name} is ${shown(value)}, which is not a number that can be used`);
}

/** A value as an error names it: what is nested may be nested deeper than can be written. */
export function shown(value: unknown): string {
  if (Array.isArray(value)) return "an array";
  return typeof value === "object" && value !== null ? "an object" : JSON.stringify(value);
}

/** Throws a `WorkloadError` unless `value` is 0 or more. */
export function notNegative(place: Place, name: string, value: number): number {
  if (value < 0) throw badRow(place, `${name} is ${value}, but cannot be negative`);
  return value;
}

/** Throws a `WorkloadError` unless `value` is a whole number from 0 to `most`. */
export function wholeNumber(place: Place, name: string, value: number, most = Number.MAX_SAFE_INTEGER): number {
  notNegative(place, name, value);
  if (!Number.isInteger(value)) throw badRow(place, `${name} is ${value}, but must be a whole number`);
  if (value > most) throw badRow(place, `${name} is ${value}, but can be ${most} at most`);
  return value;
}

/** No prompt or answer is longer: a larger number is not a length. */
const tokensMax = 100_000_000;

/** Throws a `WorkloadError` unless `value` is a number of tokens. */
export function tokens(place: Place, name: string, value: number): number {
  return wholeNumber(place, name, value, tokensMax);
}
