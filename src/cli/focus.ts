import type { Command } from "commander";
import type { Invoice as InvoiceRow, IssuedDocument } from "../gateway/control/index.ts";
import type { Invoice } from "../invoicing/index.ts";
import { type CloudOptions, withCloud } from "./connection.ts";
import { client, type CommandContext } from "./context.ts";
import { type FocusOptions, formatFor, withFocus, writeFocus } from "./focus-file.ts";

export function addFocusCommands(program: Command, context: CommandContext): void {
  const group = program.command("focus").description("what was invoiced as FOCUS, which tools for cloud costs read");
  withFocus(
    withCloud(group.command("export").description("write invoices and credit notes, each with all its charges")),
  )
    .option("--period <period...>", "billed in these periods, such as 2026-03; default: all that was issued")
    .action(async (options: CloudOptions & FocusOptions & { readonly period?: readonly string[] }) => {
      formatFor(options);
      const cloud = client(context, options);
      const invoices: Invoice[] = [];
      let drafts = 0;
      for (const period of options.period ?? [undefined]) {
        const rows = await cloud.list<IssuedDocument>("/invoice-documents", { billedIn: period });
        invoices.push(...rows.map(({ document }) => document as unknown as Invoice));
        drafts += (await cloud.list<InvoiceRow>("/invoices", { period })).filter(
          ({ state }) => state === "draft",
        ).length;
      }
      const left = drafts === 0 ? undefined : `${drafts === 1 ? "a draft is" : `${drafts} drafts are`} not in it`;
      if (left !== undefined) context.printer.warnings([leftOut(left, options.period)]);
      await writeFocus(invoices, options, context, { drafts, ...(left !== undefined && { left }) });
    });
}

function leftOut(left: string, periods: readonly string[] | undefined): string {
  const finalize = (periods ?? ["..."]).map((period) => `\`bailiwick invoice finalize --period ${period}\``);
  return `${left}: only what was issued is told; ${finalize.join(", ")} makes invoices of drafts`;
}
