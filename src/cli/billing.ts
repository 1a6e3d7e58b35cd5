import { resolve } from "node:path";
import { type Command, InvalidArgumentError } from "commander";
import type { Billing, RatedUsage } from "../ledger/index.ts";
import { type CommandContext, withRequired } from "./context.ts";
import { CommandFailure } from "./failure.ts";
import { told } from "./workload.ts";

/** The options by which usage becomes bills. */
export interface BillingOptions {
  readonly priceBook: string;
  readonly usage: string;
  readonly period?: readonly string[];
  readonly jurisdiction?: string;
  readonly taxPercent?: string;
  readonly reverseCharge?: boolean;
}

export interface Billed {
  readonly billing: Billing;
  readonly rated: RatedUsage;
  readonly records: number;
  readonly duplicates: number;
  /** The price book's. */
  readonly timeZone: string;
  /** What a bill of it would lack. */
  readonly notes: readonly string[];
}

export function withBilling(command: Command): Command {
  withRequired(command, "--price-book <file>", "prices, contracts, taxes: YAML or JSON");
  withRequired(command, "--usage <file>", "CSV, JSON lines, or a list of JSON; records, or CloudEvents");
  return command
    .option(
      "--period <period>",
      "bill this one only, such as 2026-03; again for another; default: each that is in the usage",
      again,
    )
    .option("--jurisdiction <country>", "where every customer is taxed, whatever the price book says")
    .option("--tax-percent <percent>", "the rate of tax, whatever the price book says")
    .option("--reverse-charge", "customers owe the tax themselves: bills have none");
}

/** Reads a price book and usage, and bills it, without a server. */
export async function billed(options: BillingOptions, context: CommandContext): Promise<Billed> {
  return told(() => read(options, context), "docs/reference/rate.md explains usage files.");
}

/** Events between two words about how far it is. */
const saidEvery = 250_000;

async function read(options: BillingOptions, { surroundings, printer }: CommandContext): Promise<Billed> {
  const { billsOf, leftOut, leftOutText, ratedUsage, readBook, UsageSums } = await import("../ledger/index.ts");
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
  const { contracts, customers } = read.book;
  const named = new Set([...contracts.keys(), ...customers.keys()]);
  const usage = new UsageFile(
    resolve(surroundings.currentFolder, options.usage),
    (midnightMs) => calendar.instantMs(midnightMs),
    (customer) => named.has(customer),
  );
  const used = new Set<string>();
  let events = 0;
  await usage.read((event) => {
    sums.add(event);
    used.add(event.customer);
    if (++events % saidEvery === 0) printer.note(`${events} events are read`);
  });
  const taxPercent = options.taxPercent === undefined ? undefined : await percentOf(options.taxPercent);
  const { jurisdiction, reverseCharge } = options;
  const billing = billsOf(sums, { periods, jurisdiction, taxPercent, reverseCharge });
  const rated = ratedUsage(sums, billing);
  const { records, duplicates, ignored } = usage;
  const notes = [...notesOn(rated, ignored.all), ...notesOnCustomers(named, used), ...leftOutText(leftOut(read.book))];
  return { billing, rated, records, duplicates, timeZone: calendar.timeZone, notes };
}

function notesOn({ unrated, bills }: RatedUsage, ignored: readonly string[]): readonly string[] {
  const untaxed = [...new Set(bills.filter(isUntaxed).map(({ customer }) => customer))];
  return [
    ...(unrated.length === 0
      ? []
      : [
          `${unrated.length} ${unrated.length === 1 ? "sum of usage has no price, and is" : "sums of usage have no price, and are"} in no line: see unrated`,
        ]),
    ...(untaxed.length === 0 ? [] : [`no rate of tax is known for ${fewOf(untaxed)}: none was added`]),
    ...(ignored.length === 0 ? [] : [`columns or members that mean nothing here: ${ignored.join(", ")}`]),
  ];
}

/** Where the price book and the usage name the same customers otherwise, contracts and tax fall away unseen. */
function notesOnCustomers(named: ReadonlySet<string>, used: ReadonlySet<string>): readonly string[] {
  const idle = [...named].filter((customer) => !used.has(customer));
  const unknown = [...used].filter((customer) => !named.has(customer));
  if (idle.length === 0 || unknown.length === 0) return [];
  return [
    `the price book has terms of ${fewOf(idle)}, of whom there is no usage, and the usage is of ${fewOf(unknown)} too: if they are the same by other names, this is not their bill`,
  ];
}

function fewOf(names: readonly string[]): string {
  return `${names.slice(0, 5).join(", ")}${names.length > 5 ? ` and ${names.length - 5} more` : ""}`;
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
