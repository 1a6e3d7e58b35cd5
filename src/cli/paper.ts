import type { Command } from "commander";
import { type CommandContext, type JsonOption, withJson } from "./context.ts";
import { addCreditCommand } from "./credit.ts";
import { addFocusCommand } from "./paper-focus.ts";
import { invoiced, type InvoicingOptions, withInvoicing } from "./invoicing.ts";
import {
  failUnlessAll,
  type PaperOptions,
  printInvoices,
  putPapers,
  refuseUnlessWritable,
  withPapers,
} from "./papers.ts";

type RenderOptions = InvoicingOptions & PaperOptions & JsonOption;

export function addPaperCommands(program: Command, context: CommandContext): void {
  const paper = program.command("paper").description("invoices of a file of usage, without a server: to check a bill");
  const render = paper.command("render").description("the invoices of a file of usage, by a price book, into a folder");
  withJson(withPapers(withInvoicing(render))).action(async (options: RenderOptions) => {
    const { invoices, notes } = await invoiced(options, context);
    await refuseUnlessWritable(invoices, options, context);
    const { put, failed } = await putPapers(invoices, options, context);
    failUnlessAll(failed, invoices.length);
    context.printer.warnings(notes);
    if (options.json === true) return context.printer.json({ invoices: put, notes });
    return printInvoices(put, context);
  });
  addCreditCommand(paper, context);
  addFocusCommand(paper, context);
}
