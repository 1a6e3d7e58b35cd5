import type { Command } from "commander";
import type { FinalizedPeriod, Invoice, IssuedDocument, WholeInvoice } from "../gateway/control/index.ts";
import type { Invoice as Document } from "../invoicing/index.ts";
import { isId } from "../base/index.ts";
import { lineOf } from "./credit.ts";
import { type CloudOptions, withCloud } from "./connection.ts";
import { client, type CommandContext, type JsonOption, withJson, withRequired } from "./context.ts";
import { type ControlClient, pathOf } from "./control-client.ts";
import { CommandFailure } from "./failure.ts";
import { once } from "./once.ts";
import {
  failedTold,
  failUnlessAll,
  fileFormat,
  type PaperOptions,
  printInvoices,
  putPapers,
  withPapers,
  writePaper,
} from "./papers.ts";
import { addPaymentCommands } from "./payments.ts";
import { previewDrafts } from "./preview.ts";

type Options = CloudOptions & JsonOption;

export function addInvoiceCommands(program: Command, context: CommandContext): void {
  const { printer } = context;
  const group = program
    .command("invoice")
    .description("what customers owe for a period, and for credits that they buy");
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
          { title: "OF", text: ({ kind }) => kind },
          { title: "PERIOD", text: ({ period }) => period },
          { title: "NUMBER", text: ({ number }) => number ?? "" },
          { title: "STATE", text: ({ state }) => state },
          { title: "NET", text: ({ net }) => net, align: "right" },
          { title: "TAX", text: ({ tax }) => tax, align: "right" },
          { title: "GROSS", text: ({ gross, currency }) => `${gross} ${currency}`, align: "right" },
          { title: "DRAWN", text: ({ drawn }) => drawn, align: "right" },
          { title: "PAID", text: ({ paid }) => paid, align: "right" },
          { title: "OPEN", text: ({ open }) => open, align: "right" },
        ],
        rows,
        "There is none.",
      );
    });
  addShow(group, context);
  addCreditNotes(group, context);
  addFinalize(group, context);
  addCorrections(group, context);
  addPaymentCommands(group, context);
  addRender(group, context);
}

function addShow(group: Command, context: CommandContext): void {
  const { printer } = context;
  const show = group.command("show <invoice>").description("print an invoice with its lines, or a credit note");
  withJson(withCloud(show)).action(async (named: string, options: Options) => {
    const cloud = client(context, options);
    const found = (await creditNoteOf(cloud, named)) ?? (await cloud.get<WholeInvoice>(pathOf`/invoices/${named}`));
    if (options.json === true) return printer.json(found);
    const { stringify } = await import("yaml");
    return printer.text(stringify(found));
  });
}

/** The credit note of this number, where it is one's. */
async function creditNoteOf(cloud: ControlClient, number: string): Promise<IssuedDocument["document"] | undefined> {
  if (isId("inv", number)) return undefined;
  const [found] = await cloud.list<IssuedDocument>("/invoice-documents", { number, kind: "credit-note" });
  return found?.document;
}

function addCreditNotes(group: Command, context: CommandContext): void {
  const { printer } = context;
  withJson(withCloud(group.command("credit-notes").description("list the credit notes that were issued")))
    .option("--period <period>", "those of one period's invoices, such as 2026-03")
    .action(async (options: Options & { period?: string }) => {
      const asked = { kind: "credit-note", period: options.period };
      const rows = await client(context, options).list<IssuedDocument>("/invoice-documents", asked);
      if (options.json === true) return printer.json(rows);
      return printer.table<Document>(
        [
          { title: "NUMBER", text: ({ number }) => number },
          { title: "OF", text: ({ preceding }) => preceding?.number ?? "" },
          { title: "CUSTOMER", text: ({ buyer }) => buyer.name },
          { title: "ISSUED", text: ({ issueDate }) => issueDate },
          { title: "NET", text: ({ totals }) => totals.net, align: "right" },
          { title: "TAX", text: ({ totals }) => totals.tax, align: "right" },
          { title: "GROSS", text: ({ totals, currency }) => `${totals.gross} ${currency}`, align: "right" },
          { title: "REASON", text: ({ note }) => note ?? "" },
        ],
        rows.map(({ document }) => document as unknown as Document),
        "None was issued.",
      );
    });
}

function addFinalize(group: Command, context: CommandContext): void {
  const { printer } = context;
  withJson(
    withCloud(
      group
        .command("finalize [invoice]")
        .description("make a draft final, under the next number; with --period all of a period's drafts that can be"),
    ),
  )
    .option("--period <period>", "such as 2026-03")
    .action(async (id: string | undefined, options: Options & { period?: string }, command: Command) => {
      const cloud = client(context, options);
      if (oneOf(id, options.period, command) === "invoice") {
        const made = await cloud.send<IssuedDocument>("POST", pathOf`/invoices/${id!}/finalize`, {});
        return options.json === true ? printer.json(made) : printer.text(`${made.invoice} is ${made.number}.\n`);
      }
      const path = pathOf`/ledger/periods/${options.period!}/finalize`;
      const { issued, refused, refusals, before } = await cloud.sendPatiently<FinalizedPeriod>(path, {});
      // Whoever goes on to send invoices should know that some are not there.
      if (refusals > 0) context.end(1);
      if (options.json === true) return printer.json({ issued, refused, refusals, before });
      const stay = refusals === 0 ? "" : `, ${refusals} ${refusals === 1 ? "stays a draft" : "stay drafts"}`;
      const was = before === 0 ? "" : ` now, ${before} ${before === 1 ? "was" : "were"} before`;
      printer.text(`${issued.length} ${issued.length === 1 ? "invoice is" : "invoices are"} final${was}${stay}.\n`);
      return printer.warnings(refused.map(({ invoice, message }) => `${invoice}: ${message}`));
    });
}

function oneOf(invoice: string | undefined, period: string | undefined, command: Command): "invoice" | "period" {
  if ((invoice === undefined) === (period === undefined)) {
    command.error("error: name an invoice, or --period", { exitCode: 2 });
  }
  return invoice === undefined ? "period" : "invoice";
}

interface CreditOptions extends Options {
  readonly id?: string;
  readonly reason: string;
  readonly account?: string;
  readonly net?: string;
  readonly line?: readonly { readonly line: string; readonly amount: string }[];
}

function addCorrections(group: Command, context: CommandContext): void {
  const { printer } = context;
  const told = ({ number, document }: IssuedDocument, { json }: JsonOption): void => {
    const { currency, totals } = document as unknown as Document;
    if (json === true) return printer.json(document);
    const { gross, net, tax } = totals;
    return printer.text(`${number}: ${gross} ${currency} are credited: ${net}, and ${tax} of tax.\n`);
  };
  const credit = withJson(
    withCloud(
      group
        .command("credit <invoice>")
        .description("take an invoice, or a part of it, back with its tax, by a credit note in the open period"),
    ),
  )
    .option("--id <id>", "your own, so that it may be repeated: it is credited once; default: a new one")
    .option("--account <account>", "of which revenue, such as revenue/ai-inference")
    .option("--net <amount>", "so much of the account, without tax")
    .option(
      "--line <line=amount>",
      "so much of a line, before tax; again for another; default: all that is left",
      lineOf,
    );
  withRequired(credit, "--reason <text>", "why, for whoever reads the credit note").action(
    async (id: string, options: CreditOptions) => {
      const { id: creditId = context.surroundings.ids.mint("req"), reason, account, net, line } = options;
      const body = { id: creditId, reason, account, net, lines: line };
      const path = pathOf`/invoices/${id}/credits`;
      told(await once(creditId, () => client(context, options).send<IssuedDocument>("POST", path, body)), options);
    },
  );
  const whole = withJson(
    withCloud(group.command("void <invoice>").description("take an invoice back as a whole, by a credit note")),
  );
  withRequired(whole, "--reason <text>", "why, for whoever reads the credit note").action(
    async (id: string, options: CreditOptions) => {
      const { reason } = options;
      told(
        await client(context, options).send<IssuedDocument>("POST", pathOf`/invoices/${id}/void`, { reason }),
        options,
      );
    },
  );
}

type RenderOptions = Options & PaperOptions & { readonly period?: string; readonly preview?: boolean };

function addRender(group: Command, context: CommandContext): void {
  const { printer } = context;
  const render = group
    .command("render [invoice]")
    .description(
      "write what was issued, by an invoice's id or a document's number, or all of a period with its credit notes",
    );
  withJson(
    withCloud(
      withPapers(
        render,
        "a folder, where what is there stays; or a file of one document, whose ending says its format (.xml: ubl)",
      ),
    ),
  )
    .option("--period <period>", "such as 2026-03")
    .option("--preview", "drafts instead, as the PDF that they would become, marked as drafts; takes no number")
    .action(async (id: string | undefined, options: RenderOptions, command: Command) => {
      oneOf(id, options.period, command);
      if (options.preview === true) return previewDrafts(id, options, context, command);
      const format = fileFormat(options, command);
      const found = await documentsFor(id, options, context);
      if (format !== undefined) {
        if (found.length !== 1) command.error("error: a file holds one document; name a folder", { exitCode: 2 });
        const file = await writePaper(found[0]!, format, options, context);
        const { number } = found[0]!;
        return options.json === true ? printer.json({ number, file }) : printer.text(`${number}: ${file}\n`);
      }
      const { put, failed } = await putPapers(found, options, context);
      if (options.json === true) printer.json({ invoices: put, failed: failed.map(failedTold) });
      // Where none was written, the error says all.
      else if (put.length > 0) printInvoices(put, context);
      failUnlessAll(failed, found.length);
    });
}

async function documentsFor(
  id: string | undefined,
  options: RenderOptions,
  context: CommandContext,
): Promise<readonly Document[]> {
  const filter = id === undefined ? { period: options.period } : isId("inv", id) ? { invoice: id } : { number: id };
  const rows = await client(context, options).list<IssuedDocument>("/invoice-documents", filter);
  // An invoice's id names it alone; its credit notes have numbers of their own.
  const asked = id !== undefined && isId("inv", id) ? rows.filter(({ kind }) => kind === "invoice") : rows;
  if (asked.length > 0) return asked.map(({ document }) => document as unknown as Document);
  const which = id === undefined ? `of ${options.period} was issued` : `called ${id} was issued`;
  throw new CommandFailure("not_found", `Nothing ${which}.`, { next: "Make drafts final: `invoice finalize`." });
}
