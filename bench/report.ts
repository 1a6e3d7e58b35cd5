/** What every bench hands back, and how it is shown: a table for people, one JSON line for programs. */
import { cpus, release, totalmem } from "node:os";

export interface Bench {
  readonly name: string;
  /** What it measures side by side, of which `--only` chooses; undefined: it leaves nothing out. */
  readonly targets?: readonly string[];
  /** Throws only when the bench itself could not run; a missed aim is a result. */
  run(options: BenchOptions): Promise<Outcome>;
}

export interface BenchOptions {
  /** A smoke run: seconds instead of minutes, figures that mean little. */
  readonly quick: boolean;
  /** Only these targets; undefined: all. Aims that need another one are not met. */
  readonly only: readonly string[] | undefined;
  /** How many entries the log's bench fills its log with; undefined: its own number. */
  readonly entries: number | undefined;
  /** Whose model is run, where a real one is. */
  readonly dataFolder: string;
  /** A line on how far the bench is, for people. */
  readonly progress: (line: string) => void;
}

export interface Outcome {
  /** The raw figures, from which the aims can be computed again. */
  readonly results: Readonly<Record<string, unknown>>;
  readonly aims: readonly Aim[];
  readonly table: { readonly columns: readonly string[]; readonly rows: readonly (readonly string[])[] };
  /** What a reader of the table should know: a peer that is missing, for instance. */
  readonly notes: readonly string[];
}

export interface Aim {
  readonly name: string;
  /** The bound, in the unit of `value`: "<= 2.2". */
  readonly aim: string;
  /** null: could not be measured, which is not met. */
  readonly value: number | null;
  readonly met: boolean;
}

/** An aim that is met by a value up to `bound`. */
export function atMost(name: string, value: number | undefined, bound: number | undefined): Aim {
  const aim = bound === undefined ? "<= (not measured)" : `<= ${rounded(bound)}`;
  if (value === undefined || bound === undefined)
    return { name, aim, value: value === undefined ? null : rounded(value), met: false };
  return { name, aim, value: rounded(value), met: value <= bound };
}

/** An aim that is met by a value from `bound` on. */
export function atLeast(name: string, value: number | undefined, bound: number): Aim {
  const aim = `>= ${rounded(bound)}`;
  if (value === undefined) return { name, aim, value: null, met: false };
  return { name, aim, value: rounded(value), met: value >= bound };
}

/** Three decimals: more is noise here. */
export function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}

/** The line that `--json` prints last. */
export function jsonLine(bench: string, { results, aims }: Outcome): string {
  return JSON.stringify({ bench, machine: machine(), results, aims });
}

export function printed(bench: string, { table, aims, notes }: Outcome): string {
  const aimRows = aims.map(({ name, aim, value, met }) => [
    name,
    aim,
    value === null ? "-" : String(value),
    met ? "yes" : "NO",
  ]);
  return [
    `${bench}, on ${describeMachine()}`,
    "",
    aligned([table.columns, ...table.rows]),
    "",
    aligned([["aim", "bound", "value", "met"], ...aimRows]),
    ...notes.map((note) => `- ${note}`),
    "",
  ].join("\n");
}

function aligned(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join("  ");
  return rows.map((row) => line(row).trimEnd()).join("\n");
}

function machine(): Readonly<Record<string, string | number>> {
  return {
    platform: process.platform,
    architecture: process.arch,
    kernel: release(),
    processor: cpus()[0]?.model.trim() ?? "unknown",
    cores: cpus().length,
    memoryBytes: totalmem(),
    node: process.versions.node,
  };
}

function describeMachine(): string {
  const { processor, cores, platform, architecture, node } = machine();
  return `${cores} cores (${processor}), ${platform} ${architecture}, Node ${node}`;
}
