import type { Command } from "commander";
import type { CommandContext } from "./context.ts";
import { type FocusOptions, formatFor, withFocus, writeFocus } from "./focus-file.ts";
import { invoiced, type InvoicingOptions, withInvoicing } from "./invoicing.ts";

export function addFocusCommand(paper: Command, context: CommandContext): void {
  const focus = paper
    .command("focus")
    .description("the invoices of a file of usage as FOCUS, which tools for cloud costs read");
  withFocus(withInvoicing(focus)).action(async (options: InvoicingOptions & FocusOptions) => {
    formatFor(options);
    const { invoices, notes } = await invoiced(options, context);
    context.printer.warnings(notes);
    return writeFocus(invoices, options, context, { notes });
  });
}
