import type { Command } from "commander";
import { type CommandContext, type JsonOption, withJson } from "./context.ts";
import { addCreditCommand } from "./credit.ts";
import { invoiced, type InvoicingOptions, withInvoicing } from "./invoicing.ts";
import { type PaperOptions, printInvoices, putPapers, withPapers } from "./papers.ts";

type RenderOptions = InvoicingOptions & PaperOptions & JsonOption;

export function addInvoiceCommands(program: Command, context: CommandContext): void {
  const invoice = program.command("invoice").description("invoices of usage, in the formats that laws ask for");
  const render = invoice
    .command("render")
    .description("the invoices of a file of usage, by a price book, into a folder");
  withJson(withPapers(withInvoicing(render))).action(async (options: RenderOptions) => {
    const { invoices, notes } = await invoiced(options, context);
    const put = await putPapers(invoices, options, context);
    context.printer.warnings(notes);
    if (options.json === true) return context.printer.json({ invoices: put, notes });
    return printInvoices(put, context);
  });
  addCreditCommand(invoice, context);
}
