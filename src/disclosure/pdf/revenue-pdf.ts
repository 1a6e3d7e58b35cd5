import type PDFDocument from "pdfkit";
import { type Typeface, typefaceOf } from "../../typeface/index.ts";
import { momentText } from "../about.ts";
import { quarterText, type RevenueReport } from "../revenue/revenue.ts";
import { growthText, markOf, moneyText, percentText, titleOf, valueText } from "../revenue/words.ts";

import { type Bar, barsHeight, drawBars } from "./bars.ts";

type Document = InstanceType<typeof PDFDocument>;
type Cells = readonly string[];

/** What is drawn on, and the letters that it is written in. */
interface Pen {
  readonly document: Document;
  readonly typeface: Typeface;
}

const page = { left: 50, right: 545, bottom: 50 };

/** A quarter's revenue on paper: PDF/A-3b with its font in it. The same report gives the same bytes. */
export async function revenuePdf(report: RevenueReport): Promise<Uint8Array> {
  const { default: Pdf } = await import("pdfkit");
  const title = `Revenue of ${report.quarter}`;
  const typeface = typefaceOf();
  const document = new Pdf({
    size: "A4",
    margins: { top: 50, left: page.left, right: 50, bottom: page.bottom },
    bufferPages: true,
    font: typeface.regular,
    lang: "en",
    pdfVersion: "1.7",
    subset: "PDF/A-3b" as never,
    displayTitle: true,
    info: { Title: title, Creator: "Bailiwick", Producer: "Bailiwick", CreationDate: new Date(report.at) },
  });
  const bytes = bytesOf(document);
  const pen: Pen = { document, typeface };
  draw(pen, title, report);
  numberPages(pen, title);
  document.end();
  return bytes;
}

async function bytesOf(document: Document): Promise<Uint8Array> {
  const parts: Buffer[] = [];
  for await (const part of document) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

function draw(pen: Pen, title: string, report: RevenueReport): void {
  const { document, typeface } = pen;
  const { summary, at, release, installation, status, figures } = report;
  typeface.set(document, "bold", title).fontSize(18).text(title);
  document.moveDown(0.4).fontSize(11).text(summary);
  typeface.set(document, "regular", "").fontSize(8).moveDown(0.6);
  document.text(`${quarterText(report)}. State: ${status}.`);
  document.text(`Made ${momentText(at)} by Bailiwick ${release}, ${installation}.`);
  drawFigures(pen, report);
  drawProducts(pen, report);
  drawMonths(pen, report);
  drawCustomers(pen, report);
  heading(pen, "Definitions", 60);
  for (const figure of figures) drawDefinition(pen, figure);
}

function drawFigures(pen: Pen, { figures, currency }: RevenueReport): void {
  heading(pen, "Figures", tableHeight(figures));
  const columns = [
    { title: "Figure", width: 215 },
    { title: "Value", width: 140, isNumber: true },
    { title: "Of", width: 140 },
  ];
  table(
    pen,
    columns,
    figures.map((figure) => [
      titleOf(figure.id),
      `${valueText(figure, currency)}${markOf(figure)}`,
      figure.denominator === null ? "" : titleOf(figure.denominator),
    ]),
  );
}

function drawProducts(pen: Pen, { products, currency }: RevenueReport): void {
  const bars = products.map(({ product, external, intersegment }) => ({
    name: titleOf(product),
    parts: [Number(external), Number(intersegment)],
  }));
  heading(pen, `By product, in ${currency}`, tableHeight(products) + barsHeight(bars));
  const columns = [
    { title: "Product", width: 135 },
    { title: "Tag", width: 60 },
    { title: "External", width: 110, isNumber: true },
    { title: "Intersegment", width: 110, isNumber: true },
    { title: "On the year", width: 80, isNumber: true },
  ];
  table(
    pen,
    columns,
    products.map(({ product, tag, external, intersegment, growth }) => [
      titleOf(product),
      tag === "ai" ? "AI" : "other",
      moneyText(external),
      moneyText(intersegment),
      growth === null ? "–" : growthText(growth),
    ]),
  );
  if (bars.length > 0) chart(pen, bars, ["External", "Intersegment"]);
}

function drawMonths(pen: Pen, { months, currency }: RevenueReport): void {
  const bars = months.map(({ month, ai, other, intersegment }) => ({
    name: month,
    parts: [Number(ai), Number(other), Number(intersegment)],
  }));
  heading(pen, `By month, in ${currency}`, tableHeight(months) + barsHeight(bars));
  const columns = [
    { title: "Month", width: 80 },
    { title: "State", width: 85 },
    { title: "AI, external", width: 110, isNumber: true },
    { title: "Other, external", width: 110, isNumber: true },
    { title: "Intersegment", width: 110, isNumber: true },
  ];
  table(
    pen,
    columns,
    months.map(({ month, status, ai, other, intersegment }) => [
      month,
      status,
      moneyText(ai),
      moneyText(other),
      moneyText(intersegment),
    ]),
  );
  chart(pen, bars, ["AI, external", "Other, external", "Intersegment"]);
}

function drawCustomers(pen: Pen, { topCustomers, currency }: RevenueReport): void {
  heading(pen, `Largest customers by external revenue, in ${currency}`, tableHeight(topCustomers));
  const columns = [
    { title: "Customer", width: 255 },
    { title: "Revenue", width: 130, isNumber: true },
    { title: "Share of external", width: 110, isNumber: true },
  ];
  table(
    pen,
    columns,
    topCustomers.map(({ customer, amount, share }) => [customer.name, moneyText(amount), `${percentText(share)} %`]),
  );
}

/** Whole on a page, as it is read. */
function drawDefinition({ document, typeface }: Pen, figure: RevenueReport["figures"][number]): void {
  const { id, version, definition, value, why, caveat, postings } = figure;
  const texts = [
    `${definition}.${value === null ? ` None: ${why}.` : ""}`,
    ...(caveat === null ? [] : [`* Mind: ${caveat}.`]),
    ...(postings !== null && postings.accounts.length > 0
      ? [`Postings to ${postings.accounts.join(", ")} in ${postings.months.join(", ")}.`]
      : []),
  ];
  typeface.set(document, "regular", "").fontSize(8);
  const width = page.right - page.left;
  const height = texts.reduce((sum, text) => sum + document.heightOfString(text, { width }), 12);
  keepTogether(document, height);
  typeface.set(document, "bold", "").text(`${titleOf(id)}  (${id}, version ${version})`, page.left);
  typeface.set(document, "regular", "");
  for (const text of texts) document.text(text);
  document.moveDown(0.5);
}

/** A heading with what stands below it, so high, on one page. */
function heading({ document, typeface }: Pen, text: string, below: number): void {
  keepTogether(document, below + 30);
  typeface.set(document.moveDown(1), "bold", text).fontSize(11).text(text, page.left);
  typeface.set(document.moveDown(0.3), "regular", "").fontSize(8);
}

/** What is higher than a page begins where it is. */
function keepTogether(document: Document, height: number): void {
  const { top, bottom } = document.page.margins;
  const whole = document.page.height - top - bottom;
  if (height <= whole && document.y + height > document.page.height - bottom) document.addPage();
}

function chart({ document, typeface }: Pen, bars: readonly Bar[], legend: readonly string[]): void {
  typeface.set(document.moveDown(0.8), "regular", "").fontSize(8);
  drawBars(document, bars, legend, (sum) => moneyText(sum.toFixed(2)));
}

const rowHeight = 16.5;

function tableHeight(rows: readonly unknown[]): number {
  return (rows.length + 1) * rowHeight;
}

interface Column {
  readonly title: string;
  readonly width: number;
  /** Numbers end at their right. */
  readonly isNumber?: boolean;
}

function table({ document, typeface }: Pen, columns: readonly Column[], rows: readonly Cells[]): void {
  if (rows.length === 0) {
    document.text("None.", page.left);
    return;
  }
  const cells = (texts: Cells) =>
    texts.map((text, at) => ({
      text,
      font: { src: typeface.named(document, "regular", text) },
      align: { x: columns[at]!.isNumber === true ? "right" : "left" } as const,
    }));
  document.table({
    position: { x: page.left, y: document.y },
    columnStyles: columns.map(({ width }) => width),
    defaultStyle: { border: [0, 0, 0.5, 0], borderColor: "#c9d1d9", padding: 3 },
    data: [cells(columns.map(({ title }) => title)), ...rows.map(cells)],
  });
}

function numberPages({ document, typeface }: Pen, title: string): void {
  const { start, count } = document.bufferedPageRange();
  for (let at = start; at < start + count; at++) {
    document.switchToPage(at);
    // Below the margin, where a text would begin another page.
    document.page.margins.bottom = 0;
    typeface
      .set(document, "regular", title)
      .fontSize(7)
      .text(`${title}, page ${at + 1} of ${count}`, page.left, 800, { lineBreak: false });
    document.page.margins.bottom = page.bottom;
  }
}
