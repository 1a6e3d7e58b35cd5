import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { type Command, InvalidArgumentError } from "commander";
import { isId } from "../base/index.ts";
import type { Invoice, PaperFormat } from "../invoicing/index.ts";
import { type CommandContext, withRequired } from "./context.ts";
import { failureOf } from "./failure.ts";

/** Where invoices go, and as what. */
export interface PaperOptions {
  readonly out: string;
  readonly format?: readonly PaperFormat[];
  readonly font?: string;
}

/** An invoice and where it lies now. */
export interface PutInvoice {
  readonly number: string;
  readonly customer: string;
  readonly buyer: string;
  readonly period: string | null;
  readonly currency: string;
  readonly net: string;
  readonly tax: string;
  readonly gross: string;
  readonly files: readonly string[];
}

/** What people call them too. */
const aliases: Readonly<Record<string, PaperFormat>> = { "factur-x": "facturx", xrechnung: "xrechnung-ubl" };

const formats = [
  "json",
  "ubl",
  "cii",
  "xrechnung-ubl",
  "xrechnung-cii",
  "pdf",
  "facturx",
] as const satisfies readonly PaperFormat[];

export function withPapers(command: Command, where = "where the invoices go; what is there stays"): Command {
  return withRequired(command, "--out <folder>", where)
    .option("--format <format>", `${formats.join(", ")}; again for another; default: ubl and pdf`, formatOf)
    .option("--font <file>", "TTF or OTF for PDF, where DejaVu Sans lacks characters");
}

export function today({ surroundings }: CommandContext): string {
  return new Date(surroundings.clock.nowMs()).toISOString().slice(0, 10);
}

/** One invoice in one format, as the file of that name; what is there is replaced. */
export async function writePaper(
  invoice: Invoice,
  format: PaperFormat,
  { out, font }: Pick<PaperOptions, "out" | "font">,
  { surroundings: { currentFolder } }: CommandContext,
): Promise<string> {
  const { paperOf } = await import("../invoicing/index.ts");
  const made = await paperOf(invoice, format, { font: font === undefined ? undefined : resolve(currentFolder, font) });
  if (made.outcome === "refused") throw failureOf(made);
  const path = resolve(currentFolder, out);
  writeFileSync(path, made.paper.bytes);
  return path;
}

export async function putPapers(
  invoices: readonly Invoice[],
  { out, format = ["ubl", "pdf"], font }: PaperOptions,
  { surroundings: { currentFolder } }: CommandContext,
): Promise<readonly PutInvoice[]> {
  const { FolderDelivery, paperOf } = await import("../invoicing/index.ts");
  const delivery = new FolderDelivery(resolve(currentFolder, out));
  const options = { font: font === undefined ? undefined : resolve(currentFolder, font) };
  const rendered: PutInvoice[] = [];
  for (const invoice of invoices) {
    const files: string[] = [];
    for (const each of format) {
      const made = await paperOf(invoice, each, options);
      if (made.outcome === "refused") throw failureOf(made);
      const delivered = await delivery.deliver(made.paper);
      if (delivered.outcome === "refused") throw failureOf(delivered);
      files.push(delivered.place);
    }
    const { number, customer, buyer, period, currency, totals } = invoice;
    const { net, tax, gross } = totals;
    rendered.push({
      number,
      customer,
      buyer: buyer.name,
      period: period?.name ?? null,
      currency,
      net,
      tax,
      gross,
      files,
    });
  }
  return rendered;
}

function formatOf(value: string, before: readonly PaperFormat[] = []): readonly PaperFormat[] {
  const named = aliases[value] ?? value;
  const format = formats.find((each) => each === named);
  if (format === undefined) throw new InvalidArgumentError(`It must be one of ${formats.join(", ")}.`);
  return before.includes(format) ? before : [...before, format];
}

export function printInvoices(rendered: readonly PutInvoice[], { printer }: CommandContext): void {
  printer.table(
    [
      { title: "INVOICE", text: ({ number }) => number },
      { title: "CUSTOMER", text: ({ customer, buyer }) => (isId("org", customer) ? buyer : customer) },
      { title: "PERIOD", text: ({ period }) => period ?? "" },
      { title: "NET", text: ({ net }) => net, align: "right" },
      { title: "TAX", text: ({ tax }) => tax, align: "right" },
      { title: "GROSS", text: ({ gross, currency }) => `${gross} ${currency}`, align: "right" },
      { title: "FILES", text: ({ files }) => String(files.length), align: "right" },
    ],
    rendered,
    "Nothing was used: there is no invoice.",
  );
}
