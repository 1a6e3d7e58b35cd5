import { pipeline } from "node:stream";
import { CsvError, parse } from "csv-parse";
import { badRow, type Place } from "./place.ts";
import { openTrace, readingFailure } from "./trace-file.ts";
import { WorkloadError } from "./workload.ts";

export interface Row<Column extends string> extends Place {
  readonly cells: Readonly<Record<Column, string>>;
}

/** Far above any row of the known traces; a file without line ends shall not be held as a whole. */
const rowCharactersMax = 1024 * 1024;

/**
 * The rows of a CSV file whose first row names at least these columns, in any order. Throws a `WorkloadError` where the
 * header lacks one, a row has more or fewer cells than the header, or the file cannot be read.
 */
export async function* csvRows<Column extends string>(
  path: string,
  columns: readonly Column[],
): AsyncGenerator<Row<Column>, void, void> {
  const parser = parse({
    bom: true,
    info: true,
    // The number of cells is checked below, in words of ours.
    relax_column_count: true,
    skip_empty_lines: true,
    trim: true,
    max_record_size: rowCharactersMax,
  });
  let header: Header<Column> | undefined;
  try {
    pipeline(await openTrace(path), parser, () => {});
    for await (const { info, record } of parser as AsyncIterable<Parsed>) {
      const place = { path, line: info.lines };
      if (header === undefined) header = readHeader(place, columns, record);
      else yield { ...place, cells: cellsOf(place, header, record) };
    }
  } catch (error) {
    if (error instanceof CsvError) throw badRow({ path, line: lineOf(error) }, error.message);
    throw readingFailure(path, error);
  }
  if (header === undefined) throw new WorkloadError(`${path}: the file is empty; its first row must name its columns`);
}

interface Parsed {
  readonly info: { readonly lines: number };
  readonly record: readonly string[];
}

interface Header<Column extends string> {
  readonly width: number;
  readonly positions: readonly (readonly [Column, number])[];
}

function readHeader<Column extends string>(
  place: Place,
  columns: readonly Column[],
  names: readonly string[],
): Header<Column> {
  const missing = columns.filter((column) => !names.includes(column));
  if (missing.length > 0) {
    throw badRow(place, `the header lacks ${missing.join(", ")}; this format has ${columns.join(", ")}`);
  }
  return { width: names.length, positions: columns.map((column) => [column, names.indexOf(column)]) };
}

function cellsOf<Column extends string>(
  place: Place,
  { width, positions }: Header<Column>,
  record: readonly string[],
): Record<Column, string> {
  if (record.length !== width) throw badRow(place, `has ${record.length} cells, but the header has ${width}`);
  const cells: Partial<Record<Column, string>> = {};
  for (const [column, position] of positions) cells[column] = record[position]!;
  return cells as Record<Column, string>;
}

function lineOf(error: CsvError): number {
  return typeof error["lines"] === "number" ? error["lines"] : 1;
}
