import { type RawBuilder, sql } from "kysely";

type ColumnType = "text" | "integer" | "bigint" | "numeric" | "boolean";
type Cell = string | number | bigint | boolean | null;

/**
 * One column of many rows, for `unnest`: as an array PostgreSQL reads it once, where members of JSON are looked for anew in the
 * whole row for each of them.
 */
export function column<Row>(rows: readonly Row[], type: ColumnType, of: (row: Row) => Cell): RawBuilder<unknown> {
  // The driver would quote every cell, with two regular expressions: of a large statement that is most of the work.
  const cells = rows.map((row) => {
    const cell = of(row);
    return typeof cell === "string" ? quoted(cell) : cell === null ? "NULL" : String(cell);
  });
  return sql`${`{${cells.join(",")}}`}::${sql.raw(type)}[]`;
}

/** Rows of columns by their names, to select from: drawn one by one, where a list of arrays in FROM is kept as a table for each of them first. */
export function rowsOf(columns: Readonly<Record<string, RawBuilder<unknown>>>): RawBuilder<unknown> {
  const drawn = Object.entries(columns).map(([name, cells]) => sql`unnest(${cells}) AS ${sql.raw(name)}`);
  return sql`(SELECT ${sql.join(drawn)})`;
}

/** As an array's text has it. */
function quoted(text: string): string {
  return `"${escaped.test(text) ? text.replaceAll(/["\\]/g, "\\$&") : text}"`;
}

const escaped = /["\\]/;

/** An instant from milliseconds since 1970. */
export function instant(milliseconds: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`timestamptz 'epoch' + ${milliseconds} * interval '1 millisecond'`;
}
