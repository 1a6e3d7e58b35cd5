import type { Command } from "commander";
import type { RatedUsage } from "../ledger/index.ts";
import { billed, type BillingOptions, withBilling } from "./billing.ts";
import { type CommandContext, type JsonOption, withJson } from "./context.ts";
import type { Printer } from "./printer.ts";

type RateOptions = JsonOption & BillingOptions;

type Rated = RatedUsage & {
  readonly records: number;
  readonly duplicates: number;
  readonly notes: readonly string[];
};

export function addRateCommand(program: Command, context: CommandContext): void {
  const rate = program
    .command("rate")
    .description("what usage costs by a price book: every line of a bill, checked by anyone");
  withJson(withBilling(rate)).action(async (options: RateOptions) => {
    const { rated, records, duplicates, notes } = await billed(options, context);
    context.printer.warnings(notes);
    const told = { ...rated, records, duplicates, notes };
    if (options.json === true) return context.printer.json(told);
    return print(told, context.printer);
  });
}

function print({ lines, bills, unrated, totals }: Rated, printer: Printer): void {
  printer.table(
    [
      { title: "CUSTOMER", text: ({ customer }) => customer },
      { title: "PERIOD", text: ({ period }) => period },
      { title: "SKU", text: ({ sku }) => sku },
      { title: "PRICES", text: ({ priceVersion }) => priceVersion },
      { title: "QUANTITY", text: ({ quantity }) => quantity, align: "right" },
      { title: "AMOUNT", text: ({ amount }) => amount, align: "right" },
      { title: "ROUNDED", text: ({ rounded, currency }) => `${rounded} ${currency}`, align: "right" },
    ],
    lines,
    "Nothing has a price.",
  );
  if (bills.length > 1) {
    printer.text("\n");
    printer.table(
      [
        { title: "BILL", text: ({ customer, period }) => `${customer} ${period}` },
        { title: "NET", text: ({ net }) => net, align: "right" },
        { title: "TAX", text: ({ tax }) => tax, align: "right" },
        { title: "GROSS", text: ({ gross, currency }) => `${gross} ${currency}`, align: "right" },
      ],
      bills,
      "",
    );
  }
  if (unrated.length > 0) {
    printer.text("\n");
    printer.table(
      [
        { title: "UNRATED", text: ({ customer, period, sku }) => `${customer} ${period} ${sku}` },
        { title: "REASON", text: ({ reason }) => reason },
        { title: "QUANTITY", text: ({ quantity }) => quantity, align: "right" },
      ],
      unrated,
      "",
    );
  }
  printer.text("\n");
  for (const { currency, net, tax, gross, residual } of totals) {
    printer.facts([
      ["net", `${net} ${currency}`],
      ["tax", `${tax} ${currency}`],
      ["gross", `${gross} ${currency}`],
      ["residual", `${residual} ${currency}`],
    ]);
  }
}
