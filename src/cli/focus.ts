import type { Command } from "commander";
import type { IssuedDocument } from "../gateway/control/index.ts";
import type { Invoice } from "../invoicing/index.ts";
import { type CloudOptions, withCloud } from "./connection.ts";
import { client, type CommandContext } from "./context.ts";
import { type FocusOptions, withFocus, writeFocus } from "./focus-file.ts";

export function addFocusCommands(program: Command, context: CommandContext): void {
  const group = program.command("focus").description("what was invoiced as FOCUS, which tools for cloud costs read");
  withFocus(
    withCloud(group.command("export").description("write invoices and credit notes, each with all its charges")),
  )
    .option("--period <period...>", "billed in these periods, such as 2026-03; default: all that was issued")
    .action(async (options: CloudOptions & FocusOptions & { readonly period?: readonly string[] }) => {
      const cloud = client(context, options);
      const invoices: Invoice[] = [];
      for (const period of options.period ?? [undefined]) {
        const rows = await cloud.list<IssuedDocument>("/invoice-documents", { billedIn: period });
        invoices.push(...rows.map(({ document }) => document as unknown as Invoice));
      }
      await writeFocus(invoices, options, context);
    });
}
