export interface Column<Row> {
  readonly title: string;
  readonly text: (row: Row) => string;
  /** Numbers stand right. */
  readonly align?: "right";
}

/** Rows as aligned text, two spaces between columns, the titles above; no line ends in spaces. */
export function formatTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string {
  const cells = [
    columns.map(({ title }) => title),
    ...rows.map((row) => columns.map(({ text }) => printable(text(row)))),
  ];
  const widths = columns.map((_, at) => Math.max(...cells.map((line) => widthOf(line[at] ?? ""))));
  const lines = cells.map((line) =>
    line
      .map((cell, at) => {
        const padding = " ".repeat((widths[at] ?? 0) - widthOf(cell));
        return columns[at]?.align === "right" ? padding + cell : cell + padding;
      })
      .join("  ")
      .trimEnd(),
  );
  return `${lines.join("\n")}\n`;
}

/** Facts about one thing, a line each: name and value. */
export function formatFacts(facts: readonly (readonly [string, string])[]): string {
  const width = Math.max(...facts.map(([name]) => name.length), 0);
  return facts.map(([name, value]) => `${name.padEnd(width)}  ${printable(value)}\n`).join("");
}

/** Text from elsewhere must not steer the terminal. */
export function printable(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, " ");
}

/** Characters, as far as a terminal shows one in one cell: names here are nearly always plain. */
function widthOf(text: string): number {
  return Array.from(text).length;
}
