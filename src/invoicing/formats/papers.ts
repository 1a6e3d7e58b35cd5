import type { Refusal } from "../../base/index.ts";
import type { Invoice } from "../document/invoice.ts";
import { facturXOf, pdfOf, type PdfOptions } from "./pdf.ts";
import { type Written, type XmlFormat, xmlOf } from "./xml.ts";

export const paperFormats = ["json", "ubl", "cii", "xrechnung-ubl", "xrechnung-cii", "pdf", "facturx"] as const;

export type PaperFormat = (typeof paperFormats)[number];

/** An invoice as one file. */
export interface Paper {
  readonly invoice: string;
  /** Behind the number: "ubl.xml", so that an invoice in several formats has several names. */
  readonly extension: string;
  readonly mediaType: string;
  readonly bytes: Uint8Array;
}

const extensions: Readonly<Record<PaperFormat, string>> = {
  json: "json",
  ubl: "ubl.xml",
  cii: "cii.xml",
  "xrechnung-ubl": "xrechnung-ubl.xml",
  "xrechnung-cii": "xrechnung-cii.xml",
  pdf: "pdf",
  facturx: "facturx.pdf",
};

/** The same invoice has the same bytes in a format, whenever and wherever it is asked for. */
export async function paperOf(
  invoice: Invoice,
  format: PaperFormat,
  options: PdfOptions = {},
): Promise<{ readonly outcome: "written"; readonly paper: Paper } | Refusal> {
  const written = await bytesOf(invoice, format, options);
  if (written.outcome === "refused") return written;
  const extension = extensions[format];
  const kind = /\w+$/.exec(extension)![0];
  const mediaType = kind === "xml" ? "application/xml" : `application/${kind}`;
  return { outcome: "written", paper: { invoice: invoice.number, extension, mediaType, bytes: written.bytes } };
}

async function bytesOf(invoice: Invoice, format: PaperFormat, options: PdfOptions): Promise<Written> {
  if (format === "json")
    return { outcome: "written", bytes: Buffer.from(`${JSON.stringify(invoice, undefined, 2)}\n`) };
  if (format === "pdf") return pdfOf(invoice, options);
  if (format === "facturx") return facturXOf(invoice, options);
  return xmlOf(invoice, format satisfies XmlFormat);
}
