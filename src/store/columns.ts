import { type RawBuilder, sql } from "kysely";

type ColumnType = "text" | "bigint" | "numeric" | "boolean";
type Cell = string | number | bigint | boolean | null;

/**
 * One column of many rows, for `unnest`: as an array PostgreSQL reads it once, where members of JSON are looked for anew in the
 * whole row for each of them.
 */
export function column<Row>(rows: readonly Row[], type: ColumnType, of: (row: Row) => Cell): RawBuilder<unknown> {
  // Numbers beyond what a float holds are decimal strings on the way.
  const cells = rows.map((row) => {
    const cell = of(row);
    return typeof cell === "bigint" ? String(cell) : cell;
  });
  return sql`${cells}::${sql.raw(type)}[]`;
}

/** An instant from milliseconds since 1970. */
export function instant(milliseconds: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`timestamptz 'epoch' + ${milliseconds} * interval '1 millisecond'`;
}
