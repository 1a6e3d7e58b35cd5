import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { Command } from "commander";
import type { Invoice, PreviewedInvoice } from "../gateway/control/index.ts";
import type { Preview } from "../invoicing/index.ts";
import type { CloudOptions } from "./connection.ts";
import { client, type CommandContext, type JsonOption } from "./context.ts";
import { pathOf } from "./control-client.ts";
import { CommandFailure, failureOf } from "./failure.ts";
import type { PaperOptions } from "./papers.ts";

type PreviewOptions = CloudOptions & JsonOption & PaperOptions & { readonly period?: string };

interface Drawn {
  readonly invoice: string;
  readonly customer: string;
  readonly currency: string;
  readonly net: string;
  readonly gross: string | null;
  readonly file: string;
  readonly missing: readonly string[];
}

/** Drafts as PDF, marked as what they are; what lies there of an earlier look is replaced, because a draft changes. */
export async function previewDrafts(
  id: string | undefined,
  options: PreviewOptions,
  context: CommandContext,
  command: Command,
): Promise<void> {
  if (options.format?.some((format) => format !== "pdf") === true || /\.(xml|json)$/.test(options.out)) {
    command.error("error: a draft is no invoice: --preview writes PDF alone", { exitCode: 2 });
  }
  const isFile = options.out.endsWith(".pdf");
  if (isFile && id === undefined) command.error("error: a file holds one draft; name a folder", { exitCode: 2 });
  const drawn: Drawn[] = [];
  const cloud = client(context, options);
  for (const draft of id === undefined ? await draftsOf(options, context) : [id]) {
    const found = await cloud.get<PreviewedInvoice>(pathOf`/invoices/${draft}/preview`);
    drawn.push(
      await draw(found, isFile ? options.out : join(options.out, `draft-${found.invoice}.pdf`), options, context),
    );
  }
  const { printer } = context;
  if (options.json === true) return printer.json({ drafts: drawn });
  for (const { invoice, file } of drawn) printer.text(`${invoice}, a draft: ${file}\n`);
  printer.warnings(drawn.flatMap(({ invoice, missing }) => missing.map((each) => `${invoice}: ${each}`)));
}

async function draftsOf(options: PreviewOptions, context: CommandContext): Promise<readonly string[]> {
  const rows = await client(context, options).list<Invoice>("/invoices", { period: options.period });
  const drafts = rows.filter(({ state }) => state === "draft").map(({ id }) => id);
  if (drafts.length > 0) return drafts;
  throw new CommandFailure("not_found", `No invoice of ${options.period} is a draft.`, {
    next: "`invoice render` without --preview writes what was issued.",
  });
}

async function draw(
  { invoice, document }: PreviewedInvoice,
  out: string,
  { font }: PaperOptions,
  { surroundings: { currentFolder } }: CommandContext,
): Promise<Drawn> {
  const { draftPdfOf } = await import("../invoicing/index.ts");
  const draft = document as unknown as Preview;
  const made = await draftPdfOf(draft, { font: font === undefined ? undefined : resolve(currentFolder, font) });
  if (made.outcome === "refused") throw failureOf(made);
  const file = resolve(currentFolder, out);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, made.bytes);
  const { customer, currency, net, totals, missing } = draft;
  return { invoice, customer, currency, net, gross: totals?.gross ?? null, file, missing };
}
