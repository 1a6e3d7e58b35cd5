import type PDFDocument from "pdfkit";
import { refuse } from "../../base/index.ts";
import type { Invoice } from "../document/invoice.ts";
import type { Preview } from "../document/preview.ts";
import { type Typeface, typefaceOf } from "../../typeface/index.ts";
import { describeFacturX, facturXFile } from "./factur-x.ts";
import { draftSheetOf, type Sheet, sheetOf } from "./sheet.ts";
import { type Written, xmlOf } from "./xml.ts";

type Document = InstanceType<typeof PDFDocument>;

export interface PdfOptions {
  /** A font (TTF or OTF) for texts that the ones that come along have no letters for, such as Korean. */
  readonly font?: string | undefined;
}

const page = { left: 50, right: 545, top: 50, bottom: 770 };
const columns = { id: 50, name: 75, quantity: 250, price: 345, net: 465 };

/** PDF/A-3b with its font in it. The same invoice gives the same bytes: its dates are the day of issue. */
export async function pdfOf(invoice: Invoice, options: PdfOptions = {}): Promise<Written> {
  return printed(sheetOf(invoice), invoice.issueDate, options);
}

/** The same with CII inside, for machines: Factur-X (ZUGFeRD) of profile EN 16931. */
export async function facturXOf(invoice: Invoice, options: PdfOptions = {}): Promise<Written> {
  const xml = await xmlOf(invoice, "cii");
  return xml.outcome === "written" ? printed(sheetOf(invoice), invoice.issueDate, options, xml.bytes) : xml;
}

/** A draft for people to look at, marked as one on each page; for machines there is none. */
export async function draftPdfOf(draft: Preview, options: PdfOptions = {}): Promise<Written> {
  return printed(draftSheetOf(draft), draft.issueDate, options);
}

async function printed(sheet: Sheet, day: string, { font }: PdfOptions, cii?: Uint8Array): Promise<Written> {
  const { default: Pdf } = await import("pdfkit");
  const typeface = typefaceOf(font);
  const issuedAt = new Date(`${day}T00:00:00Z`);
  const document = new Pdf({
    size: "A4",
    margins: { top: page.top, left: page.left, right: 50, bottom: 50 },
    bufferPages: true,
    font: typeface.regular,
    lang: "en",
    pdfVersion: "1.7",
    subset: "PDF/A-3b" as never,
    displayTitle: true,
    info: { Title: sheet.title, Creator: "Bailiwick", Producer: "Bailiwick", CreationDate: issuedAt },
  });
  draw({ document, typeface }, sheet);
  const { missing } = typeface;
  if (missing !== undefined) {
    return refuse(
      "format_unsupported",
      `No font here has "${missing}" with the rest of its text: name one with --font.`,
    );
  }
  const bytes = bytesOf(document);
  if (cii !== undefined) {
    document.file(Buffer.from(cii), { ...facturXFile, creationDate: issuedAt, modifiedDate: issuedAt });
    describeFacturX(document);
  }
  document.end();
  return { outcome: "written", bytes: await bytes };
}

async function bytesOf(document: Document): Promise<Uint8Array> {
  const parts: Buffer[] = [];
  for await (const part of document) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

/** What is drawn on, and the letters that it is written in. */
interface Pen {
  readonly document: Document;
  readonly typeface: Typeface;
}

interface Place {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly align?: "right" | "center";
}

function write({ document, typeface }: Pen, weight: "regular" | "bold", text: string, place: Place): void {
  const { x, y, ...options } = place;
  typeface.set(document, weight, text).text(text, x, y, options);
}

function heightOf({ document, typeface }: Pen, text: string, width: number): number {
  return typeface.set(document, "regular", text).heightOfString(text, { width });
}

function draw(pen: Pen, sheet: Sheet): void {
  const { document } = pen;
  document.fontSize(18);
  write(pen, "bold", sheet.title, { x: page.left, y: page.top, width: page.right - page.left });
  document.fontSize(9);
  drawNotes(pen, sheet.warnings);
  const top = document.y + 14;
  const left = drawTexts(pen, ["From", ...sheet.seller], { x: page.left, y: top, width: 170 });
  const middle = drawTexts(pen, ["To", ...sheet.buyer], { x: 230, y: top, width: 160 });
  const right = drawFacts(pen, sheet.facts, { x: 400, y: top, width: page.right - 400 });
  drawRows(pen, sheet, Math.max(left, middle, right) + 18);
  drawTotals(pen, sheet);
  drawNotes(pen, sheet.notes);
  finishPages(pen, sheet);
}

/** The first text is a heading. Returns where it ends. */
function drawTexts(pen: Pen, texts: readonly string[], place: Place): number {
  write(pen, "bold", texts[0]!, place);
  for (const text of texts.slice(1)) write(pen, "regular", text, { ...place, y: pen.document.y });
  return pen.document.y;
}

function drawFacts(pen: Pen, facts: Sheet["facts"], place: Place): number {
  pen.document.y = place.y;
  for (const [name, value] of facts) {
    write(pen, "bold", name, { ...place, y: pen.document.y });
    write(pen, "regular", value, { ...place, y: pen.document.y });
  }
  return pen.document.y;
}

const rowWidths = { quantity: 85, price: 115, net: page.right - columns.net };

function drawHeadings(pen: Pen, y: number): number {
  const { document } = pen;
  document.fontSize(8);
  write(pen, "bold", "Item", { x: columns.name, y, width: 100 });
  write(pen, "bold", "Quantity", { x: columns.quantity, y, width: rowWidths.quantity, align: "right" });
  write(pen, "bold", "Price", { x: columns.price, y, width: rowWidths.price, align: "right" });
  write(pen, "bold", "Net", { x: columns.net, y, width: rowWidths.net, align: "right" });
  drawRule(document, y + 13);
  return y + 17;
}

function drawRule(document: Document, y: number): void {
  document.moveTo(page.left, y).lineTo(page.right, y).lineWidth(0.5).stroke();
}

function drawRows(pen: Pen, { rows }: Sheet, from: number): void {
  const { document } = pen;
  const width = columns.quantity - columns.name;
  let y = drawHeadings(pen, from);
  for (const { id, name, details, quantity, price, net } of rows) {
    document.fontSize(8);
    const nameHeight = heightOf(pen, name, width);
    const priceHeight = heightOf(pen, price, rowWidths.price);
    document.fontSize(7);
    const detailHeights = details.map((detail) => heightOf(pen, detail, 2 * width));
    const height = Math.max(nameHeight + detailHeights.reduce((sum, each) => sum + each, 0), priceHeight) + 6;
    if (y + height > page.bottom) {
      document.addPage();
      y = drawHeadings(pen, page.top);
    }
    document.fontSize(8);
    write(pen, "regular", id, { x: columns.id, y, width: 24 });
    write(pen, "regular", name, { x: columns.name, y, width });
    write(pen, "regular", quantity, { x: columns.quantity, y, width: rowWidths.quantity, align: "right" });
    write(pen, "regular", price, { x: columns.price, y, width: rowWidths.price, align: "right" });
    write(pen, "regular", net, { x: columns.net, y, width: rowWidths.net, align: "right" });
    document.fontSize(7);
    let below = y + nameHeight;
    for (const [at, detail] of details.entries()) {
      write(pen, "regular", detail, { x: columns.name, y: below, width: 2 * width });
      below += detailHeights[at]!;
    }
    y += height;
  }
  document.y = y;
}

function drawTotals(pen: Pen, { totals }: Sheet): void {
  const { document } = pen;
  const height = totals.length * 14 + 20;
  if (document.y + height > page.bottom) document.addPage();
  let y = document.y + 8;
  drawRule(document, y - 4);
  document.fontSize(9);
  for (const [index, [name, amount]] of totals.entries()) {
    const weight = index === totals.length - 1 ? "bold" : "regular";
    write(pen, weight, name, { x: columns.quantity, y, width: columns.net - columns.quantity - 20 });
    write(pen, weight, amount, { x: columns.price, y, width: page.right - columns.price, align: "right" });
    y += 14;
  }
  document.fontSize(8);
  document.y = y + 8;
}

function drawNotes(pen: Pen, notes: readonly string[]): void {
  const width = page.right - page.left;
  for (const note of notes) write(pen, "regular", note, { x: page.left, y: pen.document.y + 4, width });
}

/** What stands on every page: its number, and the mark of what is no invoice. */
function finishPages(pen: Pen, { title, mark }: Sheet): void {
  const { document } = pen;
  const { count } = document.bufferedPageRange();
  for (let index = 0; index < count; index++) {
    document.switchToPage(index);
    // Below the margin, where text would begin another page.
    document.page.margins.bottom = 0;
    document.fontSize(7);
    const place: Place = { x: page.left, y: 805, width: page.right - page.left, align: "center" };
    write(pen, "regular", `${title}, page ${index + 1} of ${count}`, place);
    if (mark !== null) drawMark(pen, mark);
  }
}

/** Across the page, so faint that what is below it can be read. */
function drawMark(pen: Pen, mark: string): void {
  const { document } = pen;
  const { width, height } = document.page;
  document.save();
  document.rotate(-45, { origin: [width / 2, height / 2] });
  document.fontSize(150).fillOpacity(0.12);
  write(pen, "bold", mark, { x: 0, y: height / 2 - 90, width, align: "center" });
  document.restore();
}
