import type { CommandFailure } from "./failure.ts";
import type { Surroundings } from "./surroundings.ts";
import { type Column, formatFacts, formatTable, printable } from "./table.ts";

/** What commands print: data on standard output, everything about it on standard error. */
export class Printer {
  readonly #surroundings: Pick<Surroundings, "stdout" | "stderr" | "environment">;

  constructor(surroundings: Pick<Surroundings, "stdout" | "stderr" | "environment">) {
    this.#surroundings = surroundings;
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
  note(text: string): void {
    this.#surroundings.stderr.write(`${text}\n`);
  }
  failure(failure: CommandFailure): void {
    const lines = [`${this.#strong("error:")} ${printable(failure.message)} (${failure.code})`];
    for (const reason of failure.reasons.slice(0, 100)) lines.push(`  - ${printable(reason)}`);
    if (failure.next !== undefined && failure.next !== "") lines.push(`  next: ${printable(failure.next)}`);
    this.note(lines.join("\n"));
  }

  /** https://no-color.org: a variable that is set and not empty means no colour. */
  #strong(text: string): string {
    const { stderr, environment } = this.#surroundings;
    const plain = stderr.isTTY !== true || (environment["NO_COLOR"] ?? "") !== "" || environment["TERM"] === "dumb";
    return plain ? text : `\u001B[1;31m${text}\u001B[0m`;
  }
}
