import { createWriteStream, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type Command, InvalidArgumentError } from "commander";
import type { FocusVersion } from "../focus/index.ts";
import { type CommandContext, type JsonOption, withJson, withRequired } from "./context.ts";
import { invoiced, type InvoicingOptions, withInvoicing } from "./invoicing.ts";

interface FocusOptions extends InvoicingOptions, JsonOption {
  readonly out: string;
  readonly focusVersion: FocusVersion;
  readonly format: "csv" | "parquet";
}

const versions = ["1.2", "1.4"] as const satisfies readonly FocusVersion[];

export function addFocusCommand(paper: Command, context: CommandContext): void {
  const focus = paper
    .command("focus")
    .description("the invoices of a file of usage as FOCUS, which tools for cloud costs read");
  withInvoicing(focus);
  withRequired(focus, "--out <file>", "where the rows go");
  withJson(focus)
    .option("--focus-version <version>", versions.join(" or "), versionOf, "1.2")
    .option("--format <format>", "csv or parquet", formatOf, "csv")
    .action(async (options: FocusOptions) => {
      const { invoices, notes } = await invoiced(options, context);
      const { chargesOf, focusCsv, focusParquet } = await import("../focus/index.ts");
      const path = resolve(context.surroundings.currentFolder, options.out);
      const version = options.focusVersion;
      if (options.format === "parquet") writeFileSync(path, await focusParquet(invoices, version));
      else await pipeline(Readable.from(focusCsv(invoices, version)), createWriteStream(path));
      const rows = invoices.reduce((sum, invoice) => sum + chargesOf(invoice).length, 0);
      context.printer.warnings(notes);
      const told = {
        file: path,
        focusVersion: version,
        format: options.format,
        invoices: invoices.length,
        rows,
        notes,
      };
      if (options.json === true) return context.printer.json(told);
      return context.printer.text(`${rows} rows of ${invoices.length} invoices, FOCUS ${version}: ${path}\n`);
    });
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
