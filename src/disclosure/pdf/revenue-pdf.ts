import { fileURLToPath } from "node:url";
import type PDFDocument from "pdfkit";
import { momentText, periodText } from "../about.ts";
import type { RevenueReport } from "../revenue/revenue.ts";
import { moneyText, percentText, titleOf, valueText } from "../revenue/words.ts";

type Document = InstanceType<typeof PDFDocument>;
type Cells = readonly string[];

const page = { left: 50, right: 545, bottom: 50 };

/** A quarter's revenue on paper: PDF/A-3b with its font in it. The same report gives the same bytes. */
export async function revenuePdf(report: RevenueReport): Promise<Uint8Array> {
  const { default: Pdf } = await import("pdfkit");
  const title = `Revenue of ${report.quarter}`;
  const document = new Pdf({
    size: "A4",
    margins: { top: 50, left: page.left, right: 50, bottom: page.bottom },
    bufferPages: true,
    font: dejaVu("DejaVuSans"),
    lang: "en",
    pdfVersion: "1.7",
    subset: "PDF/A-3b" as never,
    displayTitle: true,
    info: { Title: title, Creator: "Bailiwick", Producer: "Bailiwick", CreationDate: new Date(report.at) },
  });
  document.registerFont("regular", dejaVu("DejaVuSans")).registerFont("bold", dejaVu("DejaVuSans-Bold"));
  const bytes = bytesOf(document);
  draw(document, title, report);
  numberPages(document, title);
  document.end();
  return bytes;
}

function dejaVu(name: string): string {
  return fileURLToPath(import.meta.resolve(`dejavu-fonts-ttf/ttf/${name}.ttf`));
}

async function bytesOf(document: Document): Promise<Uint8Array> {
  const parts: Buffer[] = [];
  for await (const part of document) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

function draw(document: Document, title: string, report: RevenueReport): void {
  const { currency, figures, products, months, topCustomers, summary, at, release, installation, period } = report;
  document.font("bold").fontSize(18).text(title);
  document.moveDown(0.4).fontSize(11).text(summary);
  document.font("regular").fontSize(8).moveDown(0.6);
  document.text(
    `${periodText(period)}, the end not included. Made ${momentText(at)} by Bailiwick ${release}, ${installation}.`,
  );
  heading(document, "Figures");
  table(
    document,
    ["Figure", "Value", "Of"],
    [215, 140, 140],
    figures.map((figure) => [
      titleOf(figure.id),
      valueText(figure, currency),
      figure.denominator === null ? "" : titleOf(figure.denominator),
    ]),
  );
  heading(document, `By product, in ${currency}`);
  table(
    document,
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
  heading(document, `By month, in ${currency}`);
  table(
    document,
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
  heading(document, `Largest customers by external revenue, in ${currency}`);
  table(
    document,
    ["Customer", "Revenue", "Share of external"],
    [255, 130, 110],
    topCustomers.map(({ customer, amount, share }) => [customer.name, moneyText(amount), `${percentText(share)} %`]),
  );
  heading(document, "Definitions");
  for (const { id, version, definition, value, why, postings } of figures) {
    document
      .font("bold")
      .fontSize(8)
      .text(`${titleOf(id)}  (${id}, version ${version})`, page.left);
    document.font("regular").text(`${definition}.${value === null ? ` None: ${why}.` : ""}`);
    if (postings !== null && postings.accounts.length > 0)
      document.text(`Postings to ${postings.accounts.join(", ")} in ${postings.months.join(", ")}.`);
    document.moveDown(0.5);
  }
}

function heading(document: Document, text: string): void {
  document.moveDown(1).font("bold").fontSize(11).text(text, page.left);
  document.moveDown(0.3).font("regular").fontSize(8);
}

/** The first column's cells begin at its left, those with digits end at their right. */
function table(document: Document, heads: Cells, columnStyles: readonly number[], rows: readonly Cells[]): void {
  if (rows.length === 0) {
    document.text("None.", page.left);
    return;
  }
  const align = (at: number): "left" | "right" =>
    rows.some((row) => /^-?\d/.test(row[at] ?? "") && at > 0) ? "right" : "left";
  const cells = (texts: Cells) => texts.map((text, at) => ({ text, align: { x: align(at) } as const }));
  document.table({
    position: { x: page.left, y: document.y },
    columnStyles: [...columnStyles],
    defaultStyle: { border: [0, 0, 0.5, 0], borderColor: "#c9d1d9", padding: 3 },
    data: [cells(heads), ...rows.map(cells)],
  });
}

function numberPages(document: Document, title: string): void {
  const { start, count } = document.bufferedPageRange();
  for (let at = start; at < start + count; at++) {
    document.switchToPage(at);
    // Below the margin, where a text would begin another page.
    document.page.margins.bottom = 0;
    document.fontSize(7).text(`${title}, page ${at + 1} of ${count}`, page.left, 800, { lineBreak: false });
    document.page.margins.bottom = page.bottom;
  }
}
