import { createWriteStream, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type Command, InvalidArgumentError } from "commander";
import type { FocusVersion } from "../focus/index.ts";
import type { Invoice } from "../invoicing/index.ts";
import { type CommandContext, type JsonOption, withJson, withRequired } from "./context.ts";

/** Where rows of FOCUS go, and as what. */
export interface FocusOptions extends JsonOption {
  readonly out: string;
  readonly focusVersion: FocusVersion;
  readonly format: "csv" | "parquet";
}

const versions = ["1.2", "1.4"] as const satisfies readonly FocusVersion[];

export function withFocus(command: Command): Command {
  withRequired(command, "--out <file>", "where the rows go");
  return withJson(command)
    .option("--focus-version <version>", versions.join(" or "), versionOf, "1.2")
    .option("--format <format>", "csv or parquet", formatOf, "csv");
}

/** Writes invoices as rows, and says how many. */
export async function writeFocus(
  invoices: readonly Invoice[],
  { out, focusVersion, format, json }: FocusOptions,
  { printer, surroundings }: CommandContext,
  more: object = {},
): Promise<void> {
  const { chargesOf, focusCsv, focusParquet } = await import("../focus/index.ts");
  const file = resolve(surroundings.currentFolder, out);
  if (format === "parquet") writeFileSync(file, await focusParquet(invoices, focusVersion));
  else await pipeline(Readable.from(focusCsv(invoices, focusVersion)), createWriteStream(file));
  const rows = invoices.reduce((sum, invoice) => sum + chargesOf(invoice).length, 0);
  if (json === true) return printer.json({ file, focusVersion, format, invoices: invoices.length, rows, ...more });
  return printer.text(`${rows} rows of ${invoices.length} invoices, FOCUS ${focusVersion}: ${file}\n`);
}

function versionOf(value: string): FocusVersion {
  const version = versions.find((each) => each === value);
  if (version !== undefined) return version;
  throw new InvalidArgumentError(`It must be ${versions.join(" or ")}.`);
}

function formatOf(value: string): "csv" | "parquet" {
  if (value === "csv" || value === "parquet") return value;
  throw new InvalidArgumentError("It must be csv or parquet.");
}
