import { fileURLToPath } from "node:url";
import type PDFDocument from "pdfkit";
import { refuse } from "../../base/index.ts";
import type { Invoice } from "../document/invoice.ts";
import { describeFacturX, facturXFile } from "./factur-x.ts";
import { type Sheet, sheetOf } from "./sheet.ts";
import { type Written, xmlOf } from "./xml.ts";

type Document = InstanceType<typeof PDFDocument>;

export interface PdfOptions {
  /** A font (TTF or OTF) in the place of DejaVu Sans, which has no Chinese, Japanese and Korean. */
  readonly font?: string | undefined;
}

const page = { left: 50, right: 545, top: 50, bottom: 770 };
const columns = { id: 50, name: 75, quantity: 250, price: 345, net: 465 };

/** PDF/A-3b with its font in it. The same invoice gives the same bytes: its dates are the day of issue. */
export async function pdfOf(invoice: Invoice, options: PdfOptions = {}): Promise<Written> {
  return printed(invoice, options);
}

/** The same with CII inside, for machines: Factur-X (ZUGFeRD) of profile EN 16931. */
export async function facturXOf(invoice: Invoice, options: PdfOptions = {}): Promise<Written> {
  const xml = await xmlOf(invoice, "cii");
  return xml.outcome === "written" ? printed(invoice, options, xml.bytes) : xml;
}

async function printed(invoice: Invoice, { font }: PdfOptions, cii?: Uint8Array): Promise<Written> {
  const { default: Pdf } = await import("pdfkit");
  const [regular, bold] = font === undefined ? dejaVu() : [font, font];
  const sheet = sheetOf(invoice);
  const issuedAt = new Date(`${invoice.issueDate}T00:00:00Z`);
  const document = new Pdf({
    size: "A4",
    margins: { top: page.top, left: page.left, right: 50, bottom: 50 },
    bufferPages: true,
    font: regular,
    lang: "en",
    pdfVersion: "1.7",
    subset: "PDF/A-3b" as never,
    displayTitle: true,
    info: { Title: sheet.title, Creator: "Bailiwick", Producer: "Bailiwick", CreationDate: issuedAt },
  });
  document.registerFont("regular", regular).registerFont("bold", bold);
  const missing = missingGlyph(document, sheet);
  if (missing !== undefined) {
    return refuse("format_unsupported", `The font has no "${missing}": name one that has it with --font.`);
  }
  const bytes = bytesOf(document);
  if (cii !== undefined) {
    document.file(Buffer.from(cii), { ...facturXFile, creationDate: issuedAt, modifiedDate: issuedAt });
    describeFacturX(document);
  }
  draw(document, sheet);
  document.end();
  return { outcome: "written", bytes: await bytes };
}

function dejaVu(): readonly [regular: string, bold: string] {
  return [
    fileURLToPath(import.meta.resolve("dejavu-fonts-ttf/ttf/DejaVuSans.ttf")),
    fileURLToPath(import.meta.resolve("dejavu-fonts-ttf/ttf/DejaVuSans-Bold.ttf")),
  ];
}

async function bytesOf(document: Document): Promise<Uint8Array> {
  const parts: Buffer[] = [];
  for await (const part of document) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

/** A character that would be an empty box, which an invoice must not have where a name should be. */
function missingGlyph(document: Document, sheet: Sheet): string | undefined {
  // The library has no other way to ask the font that it has opened.
  const { _font } = document as unknown as { _font: { font: { hasGlyphForCodePoint(code: number): boolean } } };
  const text = JSON.stringify(sheet).replaceAll(/\\[a-z"\\]/g, "");
  return [...new Set(text)].find((character) => !_font.font.hasGlyphForCodePoint(character.codePointAt(0)!));
}

function draw(document: Document, sheet: Sheet): void {
  document.font("bold").fontSize(18).text(sheet.title, page.left, page.top);
  document.fontSize(9);
  const top = document.y + 14;
  const left = drawTexts(document, ["From", ...sheet.seller], page.left, top, 170);
  const middle = drawTexts(document, ["To", ...sheet.buyer], 230, top, 160);
  const right = drawFacts(document, sheet.facts, 400, top);
  drawRows(document, sheet, Math.max(left, middle, right) + 18);
  drawTotals(document, sheet);
  drawNotes(document, sheet.notes);
  numberPages(document, sheet.title);
}

/** The first text is a heading. Returns where it ends. */
function drawTexts(document: Document, texts: readonly string[], x: number, y: number, width: number): number {
  document.font("bold").text(texts[0]!, x, y, { width });
  document.font("regular");
  for (const text of texts.slice(1)) document.text(text, x, document.y, { width });
  return document.y;
}

function drawFacts(document: Document, facts: Sheet["facts"], x: number, y: number): number {
  document.y = y;
  for (const [name, value] of facts) {
    document.font("bold").text(name, x, document.y, { width: page.right - x });
    document.font("regular").text(value, x, document.y, { width: page.right - x });
  }
  return document.y;
}

function drawHeadings(document: Document, y: number): number {
  document.font("bold").fontSize(8);
  document.text("", columns.id, y).text("Item", columns.name, y);
  document.text("Quantity", columns.quantity, y, { width: 85, align: "right" });
  document.text("Price", columns.price, y, { width: 115, align: "right" });
  document.text("Net", columns.net, y, { width: page.right - columns.net, align: "right" });
  document.font("regular");
  document
    .moveTo(page.left, y + 13)
    .lineTo(page.right, y + 13)
    .lineWidth(0.5)
    .stroke();
  return y + 17;
}

function drawRows(document: Document, { rows }: Sheet, from: number): void {
  let y = drawHeadings(document, from);
  for (const { id, name, details, quantity, price, net } of rows) {
    const small = details.join("\n");
    const width = columns.quantity - columns.name;
    document.fontSize(8);
    const nameHeight = document.heightOfString(name, { width });
    const priceHeight = document.heightOfString(price, { width: 115 });
    document.fontSize(7);
    const height = Math.max(nameHeight + document.heightOfString(small, { width: 2 * width }), priceHeight) + 6;
    if (y + height > page.bottom) {
      document.addPage();
      y = drawHeadings(document, page.top);
    }
    document.fontSize(8).text(id, columns.id, y, { width: 24 }).text(name, columns.name, y, { width });
    document.text(quantity, columns.quantity, y, { width: 85, align: "right" });
    document.text(price, columns.price, y, { width: 115, align: "right" });
    document.text(net, columns.net, y, { width: page.right - columns.net, align: "right" });
    document.fontSize(7).text(small, columns.name, y + nameHeight, { width: 2 * width });
    y += height;
  }
  document.y = y;
}

function drawTotals(document: Document, { totals }: Sheet): void {
  const height = totals.length * 14 + 20;
  if (document.y + height > page.bottom) document.addPage();
  let y = document.y + 8;
  document
    .moveTo(page.left, y - 4)
    .lineTo(page.right, y - 4)
    .lineWidth(0.5)
    .stroke();
  document.fontSize(9);
  for (const [index, [name, amount]] of totals.entries()) {
    document.font(index === totals.length - 1 ? "bold" : "regular");
    document.text(name, columns.quantity, y, { width: columns.net - columns.quantity - 20 });
    document.text(amount, columns.price, y, { width: page.right - columns.price, align: "right" });
    y += 14;
  }
  document.font("regular").fontSize(8);
  document.y = y + 8;
}

function drawNotes(document: Document, notes: readonly string[]): void {
  for (const note of notes) document.text(note, page.left, document.y + 4, { width: page.right - page.left });
}

function numberPages(document: Document, title: string): void {
  const { count } = document.bufferedPageRange();
  for (let index = 0; index < count; index++) {
    document.switchToPage(index);
    // Below the margin, where text would begin another page.
    document.page.margins.bottom = 0;
    const text = `${title}, page ${index + 1} of ${count}`;
    document.fontSize(7).text(text, page.left, 805, { width: page.right - page.left, align: "center" });
  }
}
