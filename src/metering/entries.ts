import { createReadStream } from "node:fs";
import { open, readFile, stat } from "node:fs/promises";
import { parse } from "csv-parse/sync";
import { readExactJson, twiceText } from "../base/index.ts";
import { badRow, csvRows, type Place, WorkloadError } from "../sim/index.ts";
import { nothingMeant } from "./ignored.ts";
import { type Fields, recordFields } from "./record.ts";

/** A record of a usage file, as it stands there. */
export interface Entry {
  readonly fields: Fields;
  /** The error that something is wrong with it: file, line, what. */
  readonly problem: (what: string) => Error;
}

export interface Entries {
  readonly entries: AsyncIterable<Entry>;
  /** Columns that are not read: a slip in an optional one's name would else go unseen. */
  readonly ignored: readonly string[];
  /** The error that something is wrong with the columns. */
  readonly problem: (what: string) => Error;
}

/** A list of JSON is held as a whole. */
const listBytesMost = 128 * 1024 * 1024;
const lineCharactersMost = 1024 * 1024;

/** Lines of JSON where the file begins with "{", a list of JSON where with "[", else CSV whose first row names columns. */
export async function openEntries(path: string): Promise<Entries> {
  const beginning = (await beginningOf(path)).replace(/^\uFEFF/, "");
  const first = /\S/.exec(beginning)?.[0];
  const problem = (what: string): Error => badRow({ path, line: 1 }, what);
  if (first === "{") return { entries: jsonLines(path), ignored: [], problem };
  if (first === "[") return { entries: listed(path), ignored: [], problem };
  const columns = columnsOf(path, beginning);
  const known = columns.filter((column) => recordFields.has(column));
  const ignored = columns.filter((column) => !known.includes(column));
  const ofHeader = (what: string): Error => problem(`the header ${what}`);
  refuseLacking(known, ignored, ofHeader);
  return { entries: rows(path, known), ignored, problem: ofHeader };
}

function columnsOf(path: string, beginning: string): readonly string[] {
  const [header = ""] = beginning.trimStart().split(/\r\n?|\n/, 1);
  let columns: readonly string[];
  try {
    columns = parse(header, { trim: true })[0] ?? [];
  } catch (error) {
    throw badRow({ path, line: 1 }, `the header cannot be read: ${(error as Error).message}`);
  }
  const twice = columns.find((column, index) => columns.indexOf(column) < index);
  if (twice !== undefined) throw badRow({ path, line: 1 }, `the header names ${twice} twice`);
  return columns;
}

/**
 * What no row could be billed without: who, when, what and how much. Without a column for how much, every row would be usage that nobody has
 * counted, under an id that is told then.
 */
function refuseLacking(columns: readonly string[], ignored: readonly string[], problem: (what: string) => Error): void {
  const has = (column: string): boolean => columns.includes(column);
  const lacking = ["customer", "time"].filter((column) => !has(column));
  if (has("sku") && !has("quantity")) lacking.push("quantity");
  if (!has("sku") && !has("model")) lacking.push("sku and quantity, or model and its counts");
  if (lacking.length === 0) return;
  const unknown = ignored.length === 0 ? "" : `, and ${nothingMeant(ignored)}`;
  throw problem(`lacks ${lacking.join(" and ")}${unknown}; columns are ${[...recordFields].join(", ")}`);
}

async function* rows(path: string, columns: readonly string[]): AsyncGenerator<Entry, void, void> {
  for await (const { cells, ...place } of csvRows(path, columns)) yield entryAt(place, cells);
}

async function* jsonLines(path: string): AsyncGenerator<Entry, void, void> {
  let [line, rest] = [0, ""];
  for await (const chunk of createReadStream(path, "utf8")) {
    const parts = (rest + (chunk as string)).split("\n");
    rest = parts.pop()!;
    for (const text of parts) yield* objectIn(text, { path, line: ++line });
    if (rest.length > lineCharactersMost) throw badRow({ path, line: line + 1 }, "the line does not end");
  }
  yield* objectIn(rest, { path, line: line + 1 });
}

function* objectIn(line: string, place: Place): Generator<Entry, void, void> {
  const text = line.replace(/^\uFEFF/, "").trim();
  if (text === "") return;
  const { value, twice } = parsed(text);
  if (!isObject(value)) throw badRow(place, "the line is not one JSON object");
  if (twice !== undefined) throw badRow(place, twiceText(twice));
  yield entryAt(place, value);
}

async function* listed(path: string): AsyncGenerator<Entry, void, void> {
  const { size } = await stat(path);
  if (size > listBytesMost) {
    throw badRow(
      { path, line: 1 },
      `a list of more than ${listBytesMost >> 20} MiB: write one object to a line instead`,
    );
  }
  const { value: list, twice } = parsed((await readFile(path, "utf8")).replace(/^\uFEFF/, ""));
  if (!Array.isArray(list)) throw badRow({ path, line: 1 }, "the file begins as a list, and is no JSON");
  if (twice !== undefined) throw badRow({ path, line: 1 }, `[${twice.place}]: ${twiceText(twice)}`);
  for (const [index, value] of (list as readonly unknown[]).entries()) {
    const problem = (what: string): Error => badRow({ path, line: 1 }, `[${index}]: ${what}`);
    if (!isObject(value)) throw problem("this is no object");
    yield { fields: value, problem };
  }
}

function entryAt(place: Place, fields: Fields): Entry {
  return { fields, problem: (what) => badRow(place, what) };
}

function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function parsed(text: string): ReturnType<typeof readExactJson> {
  try {
    return readExactJson(text);
  } catch {
    // No JSON is no object either, which is what is said of it.
    return { value: undefined, twice: undefined };
  }
}

async function beginningOf(path: string): Promise<string> {
  const file = await open(path);
  try {
    if ((await file.stat()).isDirectory()) throw new WorkloadError(`${path}: that is a folder; give a file in it`);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(65_536), 0, 65_536, 0);
    return buffer.toString("utf8", 0, bytesRead);
  } finally {
    await file.close();
  }
}
