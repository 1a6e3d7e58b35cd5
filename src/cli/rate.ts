import { resolve } from "node:path";
import { type Command, InvalidArgumentError } from "commander";
import type { RatedUsage } from "../ledger/index.ts";
import { type CommandContext, type JsonOption, withJson, withRequired } from "./context.ts";
import { CommandFailure } from "./failure.ts";
import type { Printer } from "./printer.ts";
import { told } from "./workload.ts";

interface RateOptions extends JsonOption {
  readonly priceBook: string;
  readonly usage: string;
  readonly period?: readonly string[];
  readonly jurisdiction?: string;
  readonly taxPercent?: string;
  readonly reverseCharge?: boolean;
}

type Rated = RatedUsage & {
  readonly records: number;
  readonly duplicates: number;
  readonly notes: readonly string[];
};

export function addRateCommand(program: Command, context: CommandContext): void {
  const rate = program
    .command("rate")
    .description("what usage costs by a price book: every line of a bill, checked by anyone");
  withRequired(rate, "--price-book <file>", "prices, contracts, taxes: YAML or JSON");
  withRequired(rate, "--usage <file>", "CSV, JSON lines, or a list of JSON; records, or CloudEvents");
  withJson(rate)
    .option(
      "--period <period>",
      "bill this one only, such as 2026-03; again for another; default: each that is in the usage",
      again,
    )
    .option("--jurisdiction <country>", "where every customer is taxed, whatever the price book says")
    .option("--tax-percent <percent>", "the rate of tax, whatever the price book says")
    .option("--reverse-charge", "customers owe the tax themselves: bills have none")
    .action(async (options: RateOptions) => {
      const rated = await told(() => ratedOf(options, context), "docs/reference/rate.md explains usage files.");
      context.printer.warnings(rated.notes);
      if (options.json === true) return context.printer.json(rated);
      return print(rated, context.printer);
    });
}

async function ratedOf(options: RateOptions, { surroundings }: CommandContext): Promise<Rated> {
  const { billsOf, ratedUsage, readBook, UsageSums } = await import("../ledger/index.ts");
  const { UsageFile } = await import("../metering/index.ts");
  const { documentInvalid, readDocument } = await import("./document-file.ts");
  const document = readDocument(options.priceBook, surroundings);
  const read = readBook(document.value);
  if (read.outcome === "invalid") throw documentInvalid(options.priceBook, read.problems.map(document.placed));
  const { calendar } = read.book;
  const periods = options.period?.map((name) => {
    const period = calendar.periodOf(name);
    if (period !== undefined) return period;
    throw new CommandFailure("invalid_usage", `--period: "${name}" is no period of this price book.`, {
      next: "Name it as 2026-03, 2026-Q1 or 2026: as long as the price book's `period` says.",
    });
  });
  const sums = new UsageSums(read.book);
  const usage = new UsageFile(resolve(surroundings.currentFolder, options.usage), (midnightMs) =>
    calendar.instantMs(midnightMs),
  );
  await usage.read((event) => sums.add(event));
  const taxPercent = options.taxPercent === undefined ? undefined : await percentOf(options.taxPercent);
  const { jurisdiction, reverseCharge } = options;
  const rated = ratedUsage(sums, billsOf(sums, { periods, jurisdiction, taxPercent, reverseCharge }));
  const { records, duplicates, ignored } = usage;
  return { ...rated, records, duplicates, notes: notesOn(rated, [...ignored]) };
}

/** What a bill of it would lack. */
function notesOn({ unrated, bills }: RatedUsage, ignored: readonly string[]): readonly string[] {
  const untaxed = [...new Set(bills.filter(isUntaxed).map(({ customer }) => customer))];
  const more = untaxed.length > 5 ? ` and ${untaxed.length - 5} more` : "";
  return [
    ...(unrated.length === 0 ? [] : [`${unrated.length} sums of usage have no price, and are in no line: see unrated`]),
    ...(untaxed.length === 0
      ? []
      : [`no rate of tax is known for ${untaxed.slice(0, 5).join(", ")}${more}: none was added`]),
    ...(ignored.length === 0 ? [] : [`columns or members that mean nothing here: ${ignored.join(", ")}`]),
  ];
}

function isUntaxed({ taxPercent, reverseCharge }: RatedUsage["bills"][number]): boolean {
  return taxPercent === null && !reverseCharge;
}

async function percentOf(text: string) {
  const { parseFraction } = await import("../ledger/index.ts");
  const percent = parseFraction(text);
  if (percent !== undefined && percent.numerator >= 0n && percent.numerator <= percent.denominator * 100n)
    return percent;
  throw new CommandFailure("invalid_usage", `--tax-percent is "${text}", but must be from 0 to 100.`, {
    next: "Write it as 6 or 19.5.",
  });
}

function again(value: string, before: readonly string[] = []): readonly string[] {
  if (before.length >= 100) throw new InvalidArgumentError("100 periods at most.");
  return [...before, value];
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
