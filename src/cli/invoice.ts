import { resolve } from "node:path";
import { type Command, InvalidArgumentError } from "commander";
import type { Invoice, PaperFormat } from "../invoicing/index.ts";
import { type CommandContext, type JsonOption, withJson, withRequired } from "./context.ts";
import { failureOf } from "./failure.ts";
import { invoiced, type InvoicingOptions, withInvoicing } from "./invoicing.ts";

interface RenderOptions extends InvoicingOptions, JsonOption {
  readonly out: string;
  readonly format?: readonly PaperFormat[];
  readonly font?: string;
}

interface Rendered {
  readonly number: string;
  readonly customer: string;
  readonly period: string | null;
  readonly currency: string;
  readonly net: string;
  readonly tax: string;
  readonly gross: string;
  readonly files: readonly string[];
}

const formats = [
  "json",
  "ubl",
  "cii",
  "xrechnung-ubl",
  "xrechnung-cii",
  "pdf",
  "facturx",
] as const satisfies readonly PaperFormat[];

export function addInvoiceCommands(program: Command, context: CommandContext): void {
  const invoice = program.command("invoice").description("invoices of usage, in the formats that laws ask for");
  const render = invoice
    .command("render")
    .description("the invoices of a file of usage, by a price book, into a folder");
  withInvoicing(render);
  withRequired(render, "--out <folder>", "where the invoices go; what is there stays");
  withJson(render)
    .option("--format <format>", `${formats.join(", ")}; again for another; default: ubl and pdf`, formatOf)
    .option("--font <file>", "TTF or OTF for PDF, where DejaVu Sans lacks characters")
    .action(async (options: RenderOptions) => {
      const { invoices, notes } = await invoiced(options, context);
      const rendered = await papersOf(invoices, options, context);
      context.printer.warnings(notes);
      if (options.json === true) return context.printer.json({ invoices: rendered, notes });
      return print(rendered, context);
    });
}

async function papersOf(
  invoices: readonly Invoice[],
  { out, format = ["ubl", "pdf"], font }: RenderOptions,
  { surroundings: { currentFolder } }: CommandContext,
): Promise<readonly Rendered[]> {
  const { FolderDelivery, paperOf } = await import("../invoicing/index.ts");
  const delivery = new FolderDelivery(resolve(currentFolder, out));
  const options = { font: font === undefined ? undefined : resolve(currentFolder, font) };
  const rendered: Rendered[] = [];
  for (const invoice of invoices) {
    const files: string[] = [];
    for (const each of format) {
      const made = await paperOf(invoice, each, options);
      if (made.outcome === "refused") throw failureOf(made);
      const delivered = await delivery.deliver(made.paper);
      if (delivered.outcome === "refused") throw failureOf(delivered);
      files.push(delivered.place);
    }
    const { number, customer, period, currency, totals } = invoice;
    const { net, tax, gross } = totals;
    rendered.push({ number, customer, period: period?.name ?? null, currency, net, tax, gross, files });
  }
  return rendered;
}

function formatOf(value: string, before: readonly PaperFormat[] = []): readonly PaperFormat[] {
  const format = formats.find((each) => each === value);
  if (format === undefined) throw new InvalidArgumentError(`It must be one of ${formats.join(", ")}.`);
  return before.includes(format) ? before : [...before, format];
}

function print(rendered: readonly Rendered[], { printer }: CommandContext): void {
  printer.table(
    [
      { title: "INVOICE", text: ({ number }) => number },
      { title: "CUSTOMER", text: ({ customer }) => customer },
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
