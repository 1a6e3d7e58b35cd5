import { type Command, InvalidArgumentError } from "commander";
import type { Invoice } from "../invoicing/index.ts";
import { type CommandContext, type JsonOption, withJson, withRequired } from "./context.ts";
import { failureOf } from "./failure.ts";
import { failUnlessAll, type PaperOptions, printInvoices, putPapers, today, withPapers } from "./papers.ts";

interface CreditOptions extends PaperOptions, JsonOption {
  readonly invoice: string;
  readonly number: string;
  readonly reason: string;
  readonly line?: readonly { readonly line: string; readonly amount: string }[];
  readonly before?: readonly string[];
  readonly issueDate?: string;
}

export function addCreditCommand(paper: Command, context: CommandContext): void {
  const credit = paper.command("credit").description("a credit note of an invoice, or of parts of its lines");
  withRequired(credit, "--invoice <file>", "the invoice, as `--format json` wrote it");
  withRequired(credit, "--number <number>", "the credit note's, in its own series: CN-2026-000001");
  withRequired(credit, "--reason <text>", "why, for whoever reads it");
  withJson(withPapers(credit))
    .option(
      "--line <line=amount>",
      "so much of a line, before tax; again for another; default: all that is left",
      lineOf,
    )
    .option("--before <file>", "a credit note of it that was issued already; again for another", again)
    .option("--issue-date <day>", "the day on the credit note; default: today (UTC)")
    .action(async (options: CreditOptions) => {
      const { creditOf } = await import("../invoicing/index.ts");
      const { number, reason, issueDate = today(context) } = options;
      const credited = await readFile(options.invoice, context);
      const before: Invoice[] = [];
      for (const path of options.before ?? []) before.push(await readFile(path, context));
      const made = creditOf(credited, { number, issueDate, reason, credits: options.line ?? "all", before });
      if (made.outcome === "refused") throw failureOf(made);
      const { put, failed } = await putPapers([made.invoice], options, context);
      failUnlessAll(failed, 1);
      if (options.json === true) return context.printer.json({ invoices: put });
      return printInvoices(put, context);
    });
}

async function readFile(path: string, { surroundings }: CommandContext): Promise<Invoice> {
  const { readInvoice } = await import("../invoicing/index.ts");
  const { documentInvalid, readDocument } = await import("./document-file.ts");
  const document = readDocument(path, surroundings);
  const read = readInvoice(document.value);
  if (read.outcome === "invalid") throw documentInvalid(path, read.problems.map(document.placed));
  return read.invoice;
}

type Credits = NonNullable<CreditOptions["line"]>;

export function lineOf(value: string, before: Credits = []): Credits {
  const [, line, amount] = /^([^=]{1,20})=(\d[\d.]*)$/.exec(value) ?? [];
  if (line === undefined || amount === undefined) throw new InvalidArgumentError("It must be such as 4=100.00.");
  return [...before, { line, amount }];
}

function again(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}
