import type PDFDocument from "pdfkit";
import { type Typeface, typefaceOf } from "../../typeface/index.ts";
import { momentText, periodText } from "../about.ts";
import type { RevenueReport } from "../revenue/revenue.ts";
import { moneyText, percentText, titleOf, valueText } from "../revenue/words.ts";

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
  const { currency, figures, products, months, topCustomers, summary, at, release, installation, period } = report;
  const { document, typeface } = pen;
  typeface.set(document, "bold", title).fontSize(18).text(title);
  document.moveDown(0.4).fontSize(11).text(summary);
  typeface.set(document, "regular", "").fontSize(8).moveDown(0.6);
  document.text(
    `${periodText(period)}, the end not included. Made ${momentText(at)} by Bailiwick ${release}, ${installation}.`,
  );
  heading(pen, "Figures");
  table(
    pen,
    ["Figure", "Value", "Of"],
    [215, 140, 140],
    figures.map((figure) => [
      titleOf(figure.id),
      valueText(figure, currency),
      figure.denominator === null ? "" : titleOf(figure.denominator),
    ]),
  );
  heading(pen, `By product, in ${currency}`);
  table(
    pen,
    ["Product", "Tag", "External", "Intersegment", "On the year"],
    [135, 60, 110, 110, 80],
    products.map(({ product, tag, external, intersegment, growth }) => [
      titleOf(product),
      tag === "ai" ? "AI" : "other",
      moneyText(external),
      moneyText(intersegment),
      growth === null ? "–" : `${percentText(growth)} %`,
    ]),
  );
  heading(pen, `By month, in ${currency}`);
  table(
    pen,
    ["Month", "State", "AI, external", "Other, external", "Intersegment"],
    [80, 85, 110, 110, 110],
    months.map(({ month, status, ai, other, intersegment }) => [
      month,
      status,
      moneyText(ai),
      moneyText(other),
      moneyText(intersegment),
    ]),
  );
  heading(pen, `Largest customers by external revenue, in ${currency}`);
  table(
    pen,
    ["Customer", "Revenue", "Share of external"],
    [255, 130, 110],
    topCustomers.map(({ customer, amount, share }) => [customer.name, moneyText(amount), `${percentText(share)} %`]),
  );
  heading(pen, "Definitions");
  for (const { id, version, definition, value, why, postings } of figures) {
    typeface
      .set(document, "bold", "")
      .fontSize(8)
      .text(`${titleOf(id)}  (${id}, version ${version})`, page.left);
    typeface.set(document, "regular", "").text(`${definition}.${value === null ? ` None: ${why}.` : ""}`);
    if (postings !== null && postings.accounts.length > 0)
      document.text(`Postings to ${postings.accounts.join(", ")} in ${postings.months.join(", ")}.`);
    document.moveDown(0.5);
  }
}

function heading({ document, typeface }: Pen, text: string): void {
  typeface.set(document.moveDown(1), "bold", text).fontSize(11).text(text, page.left);
  typeface.set(document.moveDown(0.3), "regular", "").fontSize(8);
}

/** The first column's cells begin at its left, those with digits end at their right. */
function table(
  { document, typeface }: Pen,
  heads: Cells,
  columnStyles: readonly number[],
  rows: readonly Cells[],
): void {
  if (rows.length === 0) {
    document.text("None.", page.left);
    return;
  }
  const align = (at: number): "left" | "right" =>
    rows.some((row) => /^-?\d/.test(row[at] ?? "") && at > 0) ? "right" : "left";
  const cells = (texts: Cells) =>
    texts.map((text, at) => ({
      text,
      font: { src: typeface.named(document, "regular", text) },
      align: { x: align(at) } as const,
    }));
  document.table({
    position: { x: page.left, y: document.y },
    columnStyles: [...columnStyles],
    defaultStyle: { border: [0, 0, 0.5, 0], borderColor: "#c9d1d9", padding: 3 },
    data: [cells(heads), ...rows.map(cells)],
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
