/** A table as the formatter would write it, so that the page is the same before and after it. Numbers stand right. */
export function table(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [columns, ...rows];
  const widths = columns.map((_, column) => Math.max(3, ...all.map((row) => cell(row, column).length)));
  const isRight = columns.map((_, column) => column > 0);
  const line = (row: readonly string[]): string =>
    `| ${widths
      .map((width, column) => (isRight[column] ? cell(row, column).padStart(width) : cell(row, column).padEnd(width)))
      .join(" | ")} |`;
  const rule = widths.map((width, column) => (isRight[column] ? `${"-".repeat(width - 1)}:` : "-".repeat(width)));
  return [line(columns), `| ${rule.join(" | ")} |`, ...rows.map(line)].join("\n");
}

function cell(row: readonly string[], column: number): string {
  return row[column] ?? "";
}

/** Breaks a paragraph where a line would be too long. */
export function paragraph(text: string, width = 118): string {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/\s+/).filter((each) => each !== "")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = "";
    }
    line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line].join("\n");
}

export function listItem(text: string): string {
  return paragraph(text, 116).replaceAll("\n", "\n  ").replace(/^/, "- ");
}

export function command(text: string): string {
  return `    ${text}`;
}

export function section(title: string, ...parts: readonly string[]): string {
  return [`## ${title}`, ...parts.filter((part) => part !== "")].join("\n\n");
}

export function percent(share: number): string {
  return (100 * share).toFixed(1);
}
