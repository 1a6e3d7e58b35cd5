import { type Command, InvalidArgumentError } from "commander";
import type { Invoice } from "../invoicing/index.ts";
import { billed, type BillingOptions, withBilling } from "./billing.ts";
import { type CommandContext, withRequired } from "./context.ts";
import { CommandFailure, failureOf } from "./failure.ts";
import { today } from "./papers.ts";

/** The options by which bills become invoices. */
export interface InvoicingOptions extends BillingOptions {
  readonly parties: string;
  readonly issueDate?: string;
  readonly firstNumber: number;
}

export interface Invoiced {
  readonly invoices: readonly Invoice[];
  readonly notes: readonly string[];
}

export function withInvoicing(command: Command): Command {
  withRequired(withBilling(command), "--parties <file>", "seller, buyers, payment: YAML or JSON");
  return command
    .option("--issue-date <day>", "the day on the invoices; default: today (UTC)")
    .option("--first-number <number>", "of the year's series, for the first invoice", ordinal, 1);
}

/** Every bill's invoice, in the bills' order; where one of them cannot be, none is. */
export async function invoiced(options: InvoicingOptions, context: CommandContext): Promise<Invoiced> {
  const { invoiceOf, mayIssue, numberIn, readParties } = await import("../invoicing/index.ts");
  const { documentInvalid, readDocument } = await import("./document-file.ts");
  const document = readDocument(options.parties, context.surroundings);
  const read = readParties(document.value);
  if (read.outcome === "invalid") throw documentInvalid(options.parties, read.problems.map(document.placed));
  const { parties } = read;
  const { billing, notes, timeZone } = await billed(options, context);
  const issueDate = options.issueDate ?? today(context);
  const year = Number(issueDate.slice(0, 4));
  const series = { seller: parties.seller.name, kind: "invoice", year, prefix: parties.numbers.invoice } as const;
  const wrong = mayIssue(series, issueDate, undefined);
  if (wrong !== undefined) throw failureOf(wrong);
  const invoices: Invoice[] = [];
  const reasons: string[] = [];
  for (const bill of billing.bills) {
    const number = numberIn(series, options.firstNumber - 1 + invoices.length);
    const made = invoiceOf(bill, { number, issueDate, timeZone, parties });
    if (made.outcome === "issued") invoices.push(made.invoice);
    else reasons.push(`${bill.customer} ${bill.period.name}: ${made.message}`);
  }
  if (reasons.length === 0) return { invoices, notes };
  const message = `${reasons.length} of ${billing.bills.length} bills cannot be invoiced.`;
  throw new CommandFailure("invoice_incomplete", message, {
    reasons,
    next: "Say what is missing in the parties or the price book's taxes; nothing was written.",
  });
}

function ordinal(text: string): number {
  const value = Number(text);
  if (/^\d{1,9}$/.test(text) && value > 0) return value;
  throw new InvalidArgumentError("It must be a whole number from 1.");
}
