import { pipeline } from "node:stream";
import { CsvError, type Info, parse } from "csv-parse";
import { withLineFeeds } from "./line-ends.ts";
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
  const rows = new Rows(path, columns);
  const parser = parse({
    bom: true,
    // By its types a row can only be its cells; it is whatever this returns, and none where that is undefined.
    on_record: (record, info) => rows.next(record, info) as unknown as string[] | undefined,
    // The number of cells is checked below, in words of ours.
    relax_column_count: true,
    skip_empty_lines: true,
    trim: true,
    max_record_size: rowCharactersMax,
  });
  try {
    pipeline(await openTrace(path), withLineFeeds, parser, () => {});
    yield* parser as AsyncIterable<Row<Column>>;
  } catch (error) {
    throw error instanceof CsvError ? rows.failed(error) : await readingFailure(path, error);
  }
  if (rows.isEmpty) throw new WorkloadError(`${path}: the file is empty; its first row must name its columns`);
}

/**
 * Rows, and the lines in which they begin. The parser says where a row ends, and where it was when it failed: of a quote
 * that is never closed that is the end of the file.
 */
class Rows<Column extends string> {
  readonly #path: string;
  readonly #columns: readonly Column[];
  #header: Header<Column> | undefined;
  #line = 1;
  #emptyLines = 0;

  constructor(path: string, columns: readonly Column[]) {
    this.#path = path;
    this.#columns = columns;
  }

  get isEmpty(): boolean {
    return this.#header === undefined;
  }

  /** Undefined: it was the header. */
  next(record: readonly string[], { lines, empty_lines: emptyLines }: Info): Row<Column> | undefined {
    const place = this.#placeBehind(emptyLines);
    this.#line = lines + 1;
    this.#emptyLines = emptyLines;
    if (this.#header !== undefined) return { ...place, cells: cellsOf(place, this.#header, record) };
    this.#header = readHeader(place, this.#columns, record);
    return undefined;
  }

  failed(error: CsvError): WorkloadError {
    const { empty_lines: emptyLines } = error as Partial<Pick<Info, "empty_lines">>;
    return badRow(this.#placeBehind(emptyLines ?? this.#emptyLines), wordsOf(error));
  }

  /** Of what comes behind so many empty lines, those before the row before it included. */
  #placeBehind(emptyLines: number): Place {
    return { path: this.#path, line: this.#line + emptyLines - this.#emptyLines };
  }
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

function wordsOf({ code, message }: CsvError): string {
  switch (code) {
    case "CSV_QUOTE_NOT_CLOSED":
      return 'a quote (") opens in this row, and is never closed';
    case "CSV_MAX_RECORD_SIZE":
      return `the row has more than ${rowCharactersMax} characters: is a quote (") in it never closed?`;
    case "INVALID_OPENING_QUOTE":
      return 'a quote (") stands inside a cell: quote the whole cell, and write each quote in it twice';
    case "CSV_INVALID_CLOSING_QUOTE":
    case "CSV_NON_TRIMABLE_CHAR_AFTER_CLOSING_QUOTE":
      return 'something follows the quote (") that closes a cell: is one missing before it in this row?';
    default:
      return message;
  }
}
