import { createWriteStream, writeFileSync } from "node:fs";
import { extname, resolve } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type Command, InvalidArgumentError } from "commander";
import type { FocusVersion } from "../focus/index.ts";
import type { Invoice } from "../invoicing/index.ts";
import { CommandFailure } from "./failure.ts";
import { type CommandContext, type JsonOption, withJson, withRequired } from "./context.ts";

type Format = "csv" | "parquet";

/** Where rows of FOCUS go, and as what. */
export interface FocusOptions extends JsonOption {
  readonly out: string;
  readonly focusVersion: FocusVersion;
  /** Left out: as the file's name ends. */
  readonly format?: Format;
}

const versions = ["1.2", "1.4"] as const satisfies readonly FocusVersion[];

export function withFocus(command: Command): Command {
  withRequired(command, "--out <file>", "where the rows go");
  return withJson(command)
    .option("--focus-version <version>", versions.join(" or "), versionOf, "1.2")
    .option(
      "--format <format>",
      "csv or parquet; default: as the file's name ends, csv where it has no ending",
      formatOf,
    );
}

const formats: Readonly<Record<string, Format>> = { ".csv": "csv", ".parquet": "parquet" };

/** What a file is to hold, which its ending must not contradict. Asked before anything else, so that nothing is done in vain. */
export function formatFor({ out, format }: Pick<FocusOptions, "out" | "format">): Format {
  const ending = extname(out).toLowerCase();
  const ended = formats[ending];
  if (ended === undefined && (format !== undefined || ending === "")) return format ?? "csv";
  if (ended !== undefined && ended === (format ?? ended)) return ended;
  const message =
    ended === undefined
      ? `${out} is no .csv or .parquet: it would hold something else.`
      : `${out} would hold ${format}, and its name says ${ended}.`;
  throw new CommandFailure("invalid_usage", message, {
    next: "Name a file that ends in .csv or .parquet, and leave --format out.",
  });
}

/** Writes invoices as rows, and says how many. `left`: what is not among them, in words. */
export async function writeFocus(
  invoices: readonly Invoice[],
  { out, focusVersion, json, ...options }: FocusOptions,
  { printer, surroundings }: CommandContext,
  { left, ...more }: { readonly left?: string } & Readonly<Record<string, unknown>> = {},
): Promise<void> {
  const format = formatFor({ out, ...options });
  const { chargesOf, focusCsv, focusParquet } = await import("../focus/index.ts");
  const file = resolve(surroundings.currentFolder, out);
  if (format === "parquet") writeFileSync(file, await focusParquet(invoices, focusVersion));
  else await pipeline(Readable.from(focusCsv(invoices, focusVersion)), createWriteStream(file));
  const rows = invoices.reduce((sum, invoice) => sum + chargesOf(invoice).length, 0);
  if (json === true) return printer.json({ file, focusVersion, format, invoices: invoices.length, rows, ...more });
  const behind = left === undefined ? "" : `; ${left}`;
  return printer.text(`${rows} rows of ${invoices.length} invoices, FOCUS ${focusVersion}: ${file}${behind}\n`);
}

function versionOf(value: string): FocusVersion {
  const version = versions.find((each) => each === value);
  if (version !== undefined) return version;
  throw new InvalidArgumentError(`It must be ${versions.join(" or ")}.`);
}

function formatOf(value: string): Format {
  if (value === "csv" || value === "parquet") return value;
  throw new InvalidArgumentError("It must be csv or parquet.");
}
