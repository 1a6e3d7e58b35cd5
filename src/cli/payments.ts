import type { Command } from "commander";
import type { SettledInvoice } from "../gateway/control/index.ts";
import { type CloudOptions, withCloud } from "./connection.ts";
import { client, type CommandContext, type JsonOption, withJson } from "./context.ts";
import { pathOf } from "./control-client.ts";
import { once } from "./once.ts";

interface PayOptions extends CloudOptions, JsonOption {
  readonly id?: string;
  readonly amount?: string;
  readonly date?: string;
}

interface RefundOptions extends PayOptions {
  readonly payment?: string;
}

/** What arrives of an invoice, and what goes back. */
export function addPaymentCommands(group: Command, context: CommandContext): void {
  const pay = group.command("pay <invoice>").description("note that an invoice has been paid, or a part of it");
  withSettlement(pay, "default: all that is open").action(async (invoice: string, options: PayOptions) => {
    const { amount, date } = options;
    // All that is open is paid once, whatever it is called.
    const id = options.id ?? (amount === undefined ? undefined : context.surroundings.ids.mint("pay"));
    const ask = async (): Promise<SettledInvoice> =>
      client(context, options).send("POST", pathOf`/invoices/${invoice}/payment`, { id, amount, date });
    const settled = await (id === undefined ? ask() : once(id, ask));
    if (options.json === true) return context.printer.json(settled);
    const { amount: paid, currency } = settled;
    return context.printer.text(`${paid} ${currency} have been paid of ${settled.invoice}, ${standing(settled)}.\n`);
  });
  const refund = group
    .command("refund <invoice>")
    .description("note what went back to the customer: what credit notes left owed, or a payment that did not last");
  withSettlement(refund, "default: all that is owed to the customer")
    .option("--payment <id>", "the payment that did not last (`invoice show`): all of it is open again")
    .action(async (invoice: string, options: RefundOptions) => {
      const { id = context.surroundings.ids.mint("rfd"), amount, date, payment } = options;
      const ask = async (): Promise<SettledInvoice> =>
        client(context, options).send("POST", pathOf`/invoices/${invoice}/refund`, { id, amount, date, payment });
      const settled = await once(id, ask);
      if (options.json === true) return context.printer.json(settled);
      const { amount: back, currency } = settled;
      return context.printer.text(`${back} ${currency} went back of ${settled.invoice}, ${standing(settled)}.\n`);
    });
}

function withSettlement(command: Command, whole: string): Command {
  return withJson(withCloud(command))
    .option("--amount <amount>", `so much; ${whole}`)
    .option("--id <id>", "your own, so that it may be repeated: it is noted once; default: a new one")
    .option("--date <day>", "when the money moved, by the price book's clock; default: today");
}

function standing({ open, currency, state }: SettledInvoice): string {
  if (open.startsWith("-")) return `whose customer is owed ${open.slice(1)} ${currency}`;
  return state === "paid" ? "of which nothing is open" : `of which ${open} ${currency} are open`;
}
