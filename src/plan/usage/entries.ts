import { open, readFile, stat } from "node:fs/promises";
import { badRow, csvRows, type Place, WorkloadError } from "../../sim/index.ts";
import { PlanError } from "../problem.ts";
import { lineOfElement } from "./json-place.ts";

/** A row of an export by the names that its source has for things: texts from CSV, any value from JSON. */
export interface Entry extends Place {
  readonly fields: Readonly<Record<string, unknown>>;
  /** Which of a JSON list it is, counted from 1 as lines are, where several may stand in one line. */
  readonly row?: string;
}

/** What is wrong with an entry says which row it is, where its line alone does not. */
export function readEntry<Read>(entry: Entry, read: (entry: Entry) => Read): Read {
  try {
    return read(entry);
  } catch (error) {
    throw error instanceof WorkloadError ? inRow(entry, error) : error;
  }
}

export function badEntry(entry: Entry, what: string): WorkloadError {
  return inRow(entry, badRow(entry, what));
}

function inRow({ row }: Entry, error: WorkloadError): WorkloadError {
  return row === undefined ? error : new WorkloadError(`${error.message} (${row})`);
}

/** A JSON export is held as a whole. */
const jsonBytesMax = 256 * 1024 * 1024;

/** Whether a file holds JSON, by its first character that is not blank. */
export async function isJsonFile(path: string): Promise<boolean> {
  return /^\uFEFF?\s*[[{]/.test(await beginningOf(path));
}

/** The rows of a CSV export with these columns, of which the `optional` ones may be missing. */
export async function* csvEntries(
  path: string,
  required: readonly string[],
  optional: readonly string[],
): AsyncGenerator<Entry, void, void> {
  const [header = ""] = (await beginningOf(path)).replace(/^\uFEFF/, "").split(/\r?\n/, 1);
  const names = new Set(header.split(",").map((name) => name.trim().replaceAll('"', "")));
  const columns = [...required, ...optional.filter((name) => names.has(name))];
  for await (const { cells, ...place } of csvRows(path, columns)) yield { ...place, fields: cells };
}

/**
 * The objects of a JSON export: of a list, of an object's `data` list (one page of an API), of a list of such pages, or
 * one to a line.
 */
export async function jsonEntries(path: string): Promise<readonly Entry[]> {
  const { size } = await stat(path);
  if (size > jsonBytesMax) {
    throw new PlanError(`${path}: larger than ${jsonBytesMax / 2 ** 20} MiB: export it as CSV, or fewer days of it`);
  }
  const text = (await readFile(path, "utf8")).replace(/^\uFEFF/, "");
  const whole = parsed(text);
  if (whole === undefined) return linesOf(path, text);
  return listsIn(whole, []).flatMap(({ list, steps }) =>
    list.map((element, index) => {
      const at = [...steps, index];
      const [page] = steps;
      const row = typeof page === "number" ? `page ${page + 1}, row ${index + 1}` : `row ${index + 1}`;
      const fields = isObject(element) ? element : {};
      const entry = entryOf(path, { fields, row }, () => lineOfElement(text, at));
      if (!isObject(element)) throw badEntry(entry, "this is no object");
      return entry;
    }),
  );
}

/** Its line is looked for only where it is asked for: where something is wrong. */
function entryOf(path: string, entry: Pick<Entry, "fields" | "row">, findLine: () => number): Entry {
  return {
    path,
    ...entry,
    get line() {
      return findLine();
    },
  };
}

interface Found {
  readonly list: readonly unknown[];
  readonly steps: readonly (string | number)[];
}

function listsIn(value: unknown, steps: readonly (string | number)[]): readonly Found[] {
  if (isObject(value)) {
    return Array.isArray(value["data"]) ? [{ list: value["data"], steps: [...steps, "data"] }] : [{ list: [], steps }];
  }
  if (!Array.isArray(value)) return [];
  const arePages = value.length > 0 && value.every((page) => isObject(page) && Array.isArray(page["data"]));
  return arePages ? value.flatMap((page, index) => listsIn(page, [...steps, index])) : [{ list: value, steps }];
}

function linesOf(path: string, text: string): readonly Entry[] {
  return text.split("\n").flatMap((line, index) => {
    if (line.trim() === "") return [];
    const value = parsed(line);
    if (isObject(value)) return [entryOf(path, { fields: value }, () => index + 1)];
    throw badRow({ path, line: index + 1 }, "neither the file is JSON, nor is this line one object of it");
  });
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function beginningOf(path: string): Promise<string> {
  try {
    const file = await open(path);
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(65_536), 0, 65_536, 0);
      return buffer.toString("utf8", 0, bytesRead);
    } finally {
      await file.close();
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") throw new PlanError(`${path}: there is no such file`);
    if (code === "EISDIR") throw new PlanError(`${path}: that is a folder; give a file in it`);
    throw error;
  }
}
