import { type CommandFailure, optionOf } from "./failure.ts";
import { formatLine, hasColour, type Line } from "./line.ts";
import type { Surroundings } from "./surroundings.ts";
import { type Column, formatFacts, formatTable, printable } from "./table.ts";

/** What commands print: data on standard output, everything about it on standard error. */
export class Printer {
  readonly #surroundings: Pick<Surroundings, "argv" | "stdout" | "stderr" | "environment">;

  constructor(surroundings: Pick<Surroundings, "argv" | "stdout" | "stderr" | "environment">) {
    this.#surroundings = surroundings;
  }

  /** Whether a program reads what is printed: its errors are JSON too. */
  get isJson(): boolean {
    return this.#surroundings.argv.includes("--json");
  }

  text(text: string): void {
    this.#surroundings.stdout.write(text);
  }
  /** One JSON value on one line, or readable on a terminal. */
  json(value: unknown): void {
    this.text(`${JSON.stringify(value, undefined, this.#surroundings.stdout.isTTY === true ? 2 : undefined)}\n`);
  }
  /** Rows for people; where there are none, what that means, on standard error. */
  table<Row>(columns: readonly Column<Row>[], rows: readonly Row[], empty: string): void {
    if (rows.length === 0) this.note(empty);
    else this.text(formatTable(columns, rows));
  }
  facts(facts: readonly (readonly [string, string])[]): void {
    this.text(formatFacts(facts));
  }
  lines(lines: readonly Line[]): void {
    const { stdout, environment } = this.#surroundings;
    const isColoured = hasColour(stdout, environment);
    this.text(lines.map((line) => `${formatLine(line, isColoured)}\n`).join(""));
  }
  note(text: string): void {
    this.#surroundings.stderr.write(`${text}\n`);
  }
  /** What is to be known of what was asked, and is no reason for doubt. */
  remarks(texts: readonly string[]): void {
    for (const text of texts) this.note(`note: ${printable(text)}`);
  }
  /** What is odd about what was done. */
  warnings(texts: readonly string[] | undefined): void {
    // An older server says nothing of them.
    for (const text of texts ?? []) this.note(`warning: ${printable(text)}`);
  }
  failure(failure: CommandFailure): void {
    const { code, message, next, reasons, param } = failure;
    if (this.isJson) {
      const more = { ...(param === undefined ? {} : { param }), ...(reasons.length === 0 ? {} : { reasons }) };
      return this.note(JSON.stringify({ error: { code, message, next: next ?? "", ...more } }));
    }
    const { stderr, environment } = this.#surroundings;
    const opening = formatLine({ text: "error:", tone: "alarm" }, hasColour(stderr, environment));
    const lines = [`${opening} ${printable(message)} (${code})`];
    const option = optionOf(param);
    if (option !== undefined && !message.includes(option)) lines.push(`  option: ${option}`);
    for (const reason of reasons.slice(0, 100)) lines.push(`  - ${printable(reason)}`);
    if (next !== undefined && next !== "") lines.push(`  next: ${printable(next)}`);
    return this.note(lines.join("\n"));
  }
}
