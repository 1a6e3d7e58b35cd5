import type { Command } from "commander";
import type { Credited, Invoice, WholeInvoice } from "../gateway/control/index.ts";
import { type CloudOptions, withCloud } from "./connection.ts";
import { client, type CommandContext, type JsonOption, withJson, withRequired } from "./context.ts";
import { pathOf } from "./control-client.ts";

type Options = CloudOptions & JsonOption;

export function addInvoiceCommands(program: Command, context: CommandContext): void {
  const { printer } = context;
  const group = program.command("invoice").description("what customers owe for a period");
  withJson(withCloud(group.command("list").description("list invoices")))
    .option("--organisation <organisation>", "one organisation's")
    .option("--period <period>", "one period's, such as 2026-03")
    .action(async (options: Options & { organisation?: string; period?: string }) => {
      const { organisation, period } = options;
      const rows = await client(context, options).list<Invoice>("/invoices", { organisation, period });
      if (options.json === true) return printer.json(rows);
      return printer.table<Invoice>(
        [
          { title: "INVOICE", text: ({ id }) => id },
          { title: "ORGANISATION", text: ({ organisation }) => organisation.name },
          { title: "PERIOD", text: ({ period }) => period },
          { title: "STATE", text: ({ state }) => state },
          { title: "NET", text: ({ net }) => net, align: "right" },
          { title: "TAX", text: ({ tax }) => tax, align: "right" },
          { title: "GROSS", text: ({ gross, currency }) => `${gross} ${currency}`, align: "right" },
          { title: "DRAWN", text: ({ drawn }) => drawn, align: "right" },
        ],
        rows,
        "There is none.",
      );
    });
  withJson(withCloud(group.command("show <invoice>").description("print an invoice with its lines"))).action(
    async (id: string, options: Options) => {
      const invoice = await client(context, options).get<WholeInvoice>(pathOf`/invoices/${id}`);
      if (options.json === true) return printer.json(invoice);
      const { stringify } = await import("yaml");
      return printer.text(stringify(invoice));
    },
  );
  const credit = withJson(
    withCloud(
      group.command("credit <invoice>").description("take a part of an invoice back, with its tax, in the open period"),
    ),
  );
  withRequired(credit, "--account <account>", "the revenue, such as revenue/ai-inference");
  withRequired(credit, "--net <amount>", "without tax").action(
    async (id: string, options: Options & { account: string; net: string }) => {
      const { account, net } = options;
      const body = { account, net };
      const credited = await client(context, options).send<Credited>("POST", pathOf`/invoices/${id}/credits`, body);
      if (options.json === true) return printer.json(credited);
      const { currency, gross, tax } = credited;
      return printer.text(`${gross} ${currency} are credited: ${credited.net} of ${account}, and ${tax} of tax.\n`);
    },
  );
}
