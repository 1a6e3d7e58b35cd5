import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { type Command, InvalidArgumentError } from "commander";
import { isId, type Refusal } from "../base/index.ts";
import type { FolderDelivery, Invoice, Paper, PaperFormat } from "../invoicing/index.ts";
import { type CommandContext, withRequired } from "./context.ts";
import { type CommandFailure, failureOf } from "./failure.ts";

/** Where invoices go, and as what. */
export interface PaperOptions {
  readonly out: string;
  readonly format?: readonly PaperFormat[];
  readonly font?: string;
}

/** An invoice and where it lies now. */
export interface PutInvoice {
  readonly number: string;
  readonly customer: string;
  readonly buyer: string;
  readonly period: string | null;
  readonly currency: string;
  readonly net: string;
  readonly tax: string;
  readonly gross: string;
  readonly files: readonly string[];
}

/** What people call them too. */
const aliases: Readonly<Record<string, PaperFormat>> = { "factur-x": "facturx", xrechnung: "xrechnung-ubl" };

const formats = [
  "json",
  "ubl",
  "cii",
  "xrechnung-ubl",
  "xrechnung-cii",
  "pdf",
  "facturx",
] as const satisfies readonly PaperFormat[];

function endingOf(format: PaperFormat): "json" | "pdf" | "xml" {
  if (format === "json") return "json";
  return format === "pdf" || format === "facturx" ? "pdf" : "xml";
}

/** What a file of one document holds: what `--format` says, else what its ending does; undefined: `--out` is a folder. */
export function fileFormat({ out, format }: PaperOptions, command: Command): PaperFormat | undefined {
  const ending = /\.(pdf|xml|json)$/.exec(out)?.[1];
  if (ending === undefined) return undefined;
  const [asked, ...others] = format ?? formats.filter((each) => endingOf(each) === ending).slice(0, 1);
  if (asked === undefined || others.length > 0) {
    command.error("error: a file holds one document in one --format; name a folder", { exitCode: 2 });
  }
  if (endingOf(asked) === ending) return asked;
  const mismatch = `error: --format ${asked} is written as .${endingOf(asked)}, and --out ends in .${ending}`;
  return command.error(mismatch, { exitCode: 2 });
}

export function withPapers(command: Command, where = "where the invoices go; what is there stays"): Command {
  return withRequired(command, "--out <folder>", where)
    .option("--format <format>", `${formats.join(", ")}; again for another; default: ubl and pdf`, formatOf)
    .option("--font <file>", "TTF or OTF for PDF, where DejaVu Sans lacks characters");
}

export function today({ surroundings }: CommandContext): string {
  return new Date(surroundings.clock.nowMs()).toISOString().slice(0, 10);
}

/** One invoice in one format, as the file of that name; what is there is replaced. */
export async function writePaper(
  invoice: Invoice,
  format: PaperFormat,
  { out, font }: Pick<PaperOptions, "out" | "font">,
  { surroundings: { currentFolder } }: CommandContext,
): Promise<string> {
  const { paperOf } = await import("../invoicing/index.ts");
  const made = await paperOf(invoice, format, { font: font === undefined ? undefined : resolve(currentFolder, font) });
  if (made.outcome === "refused") throw failureOf(made);
  const path = resolve(currentFolder, out);
  writeFileSync(path, made.paper.bytes);
  return path;
}

/** One that could not be written, in none of its formats, and why. */
export interface FailedPaper {
  readonly number: string;
  readonly refusal: Refusal;
}

/** Each invoice in all of its formats, or in none: what keeps one from being written keeps no other. */
export async function putPapers(
  invoices: readonly Invoice[],
  options: PaperOptions,
  { surroundings: { currentFolder } }: CommandContext,
): Promise<{ readonly put: readonly PutInvoice[]; readonly failed: readonly FailedPaper[] }> {
  const { FolderDelivery } = await import("../invoicing/index.ts");
  const delivery = new FolderDelivery(resolve(currentFolder, options.out));
  const put: PutInvoice[] = [];
  const failed: FailedPaper[] = [];
  for (const invoice of invoices) {
    const made = await papersOf(invoice, options, currentFolder);
    const files = "outcome" in made ? made : await delivered(made, delivery);
    if ("outcome" in files) failed.push({ number: invoice.number, refusal: files });
    else put.push(putInvoice(invoice, files));
  }
  return { put, failed };
}

/** Looks whether each can be written, before any is: numbers that nobody has issued yet must not lack some. Each is made twice, so that few are in memory. */
export async function refuseUnlessWritable(
  invoices: readonly Invoice[],
  options: PaperOptions,
  { surroundings: { currentFolder } }: CommandContext,
): Promise<void> {
  const failed: FailedPaper[] = [];
  for (const invoice of invoices) {
    const made = await papersOf(invoice, options, currentFolder);
    if ("outcome" in made) failed.push({ number: invoice.number, refusal: made });
  }
  if (failed.length > 0)
    throw manyFailed(failed, `${failed.length} of ${invoices.length} cannot be written; none was.`);
}

async function papersOf(
  invoice: Invoice,
  { format = ["ubl", "pdf"], font }: PaperOptions,
  currentFolder: string,
): Promise<readonly Paper[] | Refusal> {
  const { paperOf } = await import("../invoicing/index.ts");
  const options = { font: font === undefined ? undefined : resolve(currentFolder, font) };
  const papers: Paper[] = [];
  for (const each of format) {
    const made = await paperOf(invoice, each, options);
    if (made.outcome === "refused") return made;
    papers.push(made.paper);
  }
  return papers;
}

async function delivered(papers: readonly Paper[], delivery: FolderDelivery): Promise<readonly string[] | Refusal> {
  const files: string[] = [];
  for (const paper of papers) {
    const done = await delivery.deliver(paper);
    if (done.outcome === "refused") return done;
    files.push(done.place);
  }
  return files;
}

function putInvoice(
  { number, customer, buyer, period, currency, totals }: Invoice,
  files: readonly string[],
): PutInvoice {
  const { net, tax, gross } = totals;
  return { number, customer, buyer: buyer.name, period: period?.name ?? null, currency, net, tax, gross, files };
}

export function failedTold({ number, refusal: { code, message, reasons = [] } }: FailedPaper) {
  return { number, code, message, reasons };
}

/** After the others were told: which were not written, each with its reasons. */
export function failUnlessAll(failed: readonly FailedPaper[], all: number): void {
  const [first] = failed;
  if (first === undefined) return;
  if (all === 1) throw failureOf(first.refusal);
  throw manyFailed(failed, `${failed.length} of ${all} could not be written; the others were.`);
}

function manyFailed(failed: readonly FailedPaper[], message: string): CommandFailure {
  const { refusal } = failed[0]!;
  const reasons = failed.flatMap(({ number, refusal: { message: why, reasons: more = [] } }) => [
    `${number}: ${why}`,
    ...more.map((reason) => `${number}: ${reason}`),
  ]);
  return failureOf({ ...refusal, message, reasons });
}

function formatOf(value: string, before: readonly PaperFormat[] = []): readonly PaperFormat[] {
  const named = aliases[value] ?? value;
  const format = formats.find((each) => each === named);
  if (format === undefined) throw new InvalidArgumentError(`It must be one of ${formats.join(", ")}.`);
  return before.includes(format) ? before : [...before, format];
}

export function printInvoices(rendered: readonly PutInvoice[], { printer }: CommandContext): void {
  printer.table(
    [
      { title: "INVOICE", text: ({ number }) => number },
      { title: "CUSTOMER", text: ({ customer, buyer }) => (isId("org", customer) ? buyer : customer) },
      { title: "PERIOD", text: ({ period }) => period ?? "" },
      { title: "NET", text: ({ net }) => net, align: "right" },
      { title: "TAX", text: ({ tax }) => tax, align: "right" },
      { title: "GROSS", text: ({ gross, currency }) => `${gross} ${currency}`, align: "right" },
      { title: "FILES", text: ({ files }) => String(files.length), align: "right" },
    ],
    rendered,
    "Nothing was used: there is no invoice.",
  );
}
