import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { extname, join, resolve } from "node:path";
import type { Command } from "commander";
import type { RevenueCharts, RevenueReport } from "../disclosure/index.ts";
import type { LedgerTransaction } from "../gateway/control/index.ts";
import { type CloudOptions, withCloud } from "./connection.ts";
import { client, type CommandContext, type JsonOption, withJson, withRequired } from "./context.ts";
import { CommandFailure } from "./failure.ts";

interface RevenueOptions extends CloudOptions, JsonOption {
  readonly quarter: string;
  readonly currency?: string;
  readonly out?: string;
  readonly auditorsPack?: string;
}

export function addRevenueReport(group: Command, context: CommandContext): void {
  const command = group
    .command("revenue")
    .description(
      "a quarter's revenue as a listed cloud discloses it, each figure with its definition and its postings",
    );
  withRequired(withJson(withCloud(command)), "--quarter <quarter>", "of a calendar year, such as 2026Q1")
    .option("--currency <currency>", "what was posted in this one; default: the price book's")
    .option(
      "--out <file>",
      "write it there instead of on standard output: .html, .pdf or .json; on a terminal only the summary is printed",
    )
    .option(
      "--auditors-pack <folder>",
      "write the report, the whole ledger and what derives one from the other there too",
    )
    .action((options: RevenueOptions) => show(options, context));
}

async function show(options: RevenueOptions, context: CommandContext): Promise<void> {
  const { quarter, currency, out, auditorsPack } = options;
  const { printer, surroundings } = context;
  const kind = out === undefined ? undefined : extname(out).toLowerCase();
  if (kind !== undefined && ![".html", ".htm", ".pdf", ".json"].includes(kind)) {
    throw new CommandFailure("invalid_usage", `${out} is no .html, .pdf or .json: it would hold something else.`, {
      next: "Name a file that ends in .html, .pdf or .json.",
    });
  }
  const isJson = options.json === true || kind === ".json";
  const report = await client(context, options).get<RevenueReport>(
    "/reports/revenue",
    { quarter, currency },
    { idleTimeoutMs: undefined },
  );
  if (auditorsPack !== undefined) {
    const folder = resolve(surroundings.currentFolder, auditorsPack);
    await writePack(folder, report, options, context);
    printer.note(`The auditor's pack is in ${folder}: python3 ${join(folder, "check.py")}`);
  }
  if (out === undefined && isJson) return printer.json(report);
  if (out === undefined && surroundings.stdout.isTTY === true) {
    printer.text(`${report.summary}\n`);
    return printer.note("Name a file for all of it: --out revenue.html, .pdf or .json; --json prints it.");
  }
  if (out === undefined) return printer.text(await pageOf(report));
  const path = resolve(surroundings.currentFolder, out);
  const bytes = isJson ? `${JSON.stringify(report, undefined, 2)}\n` : await paperOf(report, path);
  writing(path, () => writeFileSync(path, bytes));
  printer.note(`Written to ${path}.`);
}

async function paperOf(report: RevenueReport, path: string): Promise<string | Uint8Array> {
  if (extname(path).toLowerCase() !== ".pdf") return pageOf(report);
  const { revenuePdf } = await import("../disclosure/index.ts");
  return revenuePdf(report);
}

/** With its pictures, where the packages that draw are installed. */
async function pageOf(report: RevenueReport): Promise<string> {
  const { renderReport } = await import("../disclosure/index.ts");
  return renderReport(report, await chartsOf(report));
}

async function chartsOf({ months, products, currency }: RevenueReport): Promise<RevenueCharts | undefined> {
  const { loadDrawing, revenueByMonth, revenueByProduct } = await import("../plot/index.ts");
  const drawing = await loadDrawing();
  if (drawing.outcome === "absent" || products.length === 0) return undefined;
  const byMonth = months.map(({ month, ai, other, intersegment }) => ({
    month,
    ai: Number(ai),
    other: Number(other),
    intersegment: Number(intersegment),
  }));
  const byProduct = products.map(({ product, external, intersegment }) => ({
    product,
    external: Number(external),
    intersegment: Number(intersegment),
  }));
  return {
    months: await drawing.draw(revenueByMonth(byMonth, currency)),
    products: await drawing.draw(revenueByProduct(byProduct, currency)),
  };
}

/** Page by page: a ledger may be larger than memory. */
async function writePack(
  folder: string,
  report: RevenueReport,
  options: RevenueOptions,
  context: CommandContext,
): Promise<void> {
  const { packedLedgerName, packFiles } = await import("../disclosure/index.ts");
  const { kindOf, plainText } = await import("../ledger/index.ts");
  writing(folder, () => mkdirSync(folder, { recursive: true }));
  const cloud = client(context, options);
  const written = plainText("csv", kindOf);
  const hash = createHash("sha256");
  let transactions = 0;
  const file = await open(join(folder, packedLedgerName), "w");
  const write = async (text: string): Promise<void> => {
    hash.update(text);
    await file.write(text);
  };
  try {
    await write(written.opening([], []));
    for await (const page of cloud.pages<LedgerTransaction>("/ledger/transactions", {})) {
      transactions += page.length;
      await write(page.map((each) => written.entry(each)).join(""));
    }
  } finally {
    await file.close();
  }
  const ledger = { sha256: hash.digest("hex"), transactions };
  for (const [name, text] of Object.entries(packFiles(report, ledger)))
    writing(folder, () => writeFileSync(join(folder, name), text));
}

function writing(path: string, write: () => void): void {
  try {
    write();
  } catch (error) {
    throw new CommandFailure("unusable_file", `${path} cannot be written: ${(error as Error).message}`, {
      next: "Name a place that this user may write to.",
    });
  }
}
