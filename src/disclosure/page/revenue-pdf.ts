import { fileURLToPath } from "node:url";
import { momentText } from "../about.ts";
import { percentText, type RevenueFigure, type RevenueReport } from "../revenue/revenue.ts";

const page = { left: 50, width: 495, top: 50, bottom: 770 };

/** The figures and tables of the page, for paper. The same report gives the same bytes: its dates are the report's. */
export async function revenuePdf(report: RevenueReport): Promise<Uint8Array> {
  const { default: Pdf } = await import("pdfkit");
  const font = (name: string): string => fileURLToPath(import.meta.resolve(`dejavu-fonts-ttf/ttf/${name}.ttf`));
  const title = `Revenue of ${report.quarter}`;
  const document = new Pdf({
    size: "A4",
    margins: { top: page.top, left: page.left, right: page.left, bottom: page.top },
    font: font("DejaVuSans"),
    lang: "en",
    displayTitle: true,
    info: { Title: title, Creator: "Bailiwick", Producer: "Bailiwick", CreationDate: new Date(report.at) },
  });
  document.registerFont("regular", font("DejaVuSans")).registerFont("bold", font("DejaVuSans-Bold"));
  const parts: Buffer[] = [];
  const bytes = (async () => {
    for await (const part of document) parts.push(part as Buffer);
    return new Uint8Array(Buffer.concat(parts));
  })();
  const heading = (text: string, size: number) => document.font("bold").fontSize(size).text(text).moveDown(0.4);
  const plain = (text: string) => document.font("regular").fontSize(8).text(text);
  heading(title, 16);
  const provisional = report.status === "provisional" ? " Provisional: a month of this quarter is open." : "";
  plain(`${report.summary}${provisional}`);
  plain(`Installation ${report.installation}, Bailiwick ${report.release}, ${momentText(report.at)}.`).moveDown();
  heading("Figures", 12);
  for (const figure of report.figures) {
    document
      .font("bold")
      .fontSize(9)
      .text(`${figure.id}: ${valueOf(figure, report.currency)}`);
    plain(`${figure.definition} (version ${figure.version})${figure.why === null ? "" : `; ${figure.why}`}`).moveDown(
      0.5,
    );
  }
  const table = (name: string, rows: readonly (readonly [string, ...string[]])[]): void => {
    document.moveDown();
    heading(name, 12);
    for (const [first, ...others] of rows) {
      if (document.y > page.bottom) document.addPage();
      const { y } = document;
      const width = (page.width - 195) / others.length;
      document.font("regular").fontSize(8).text(first, page.left, y, { width: 190 });
      const below = document.y;
      for (const [at, cell] of others.entries()) {
        document.text(cell, page.left + 195 + at * width, y, { width: width - 5, align: "right" });
      }
      document.x = page.left;
      document.y = Math.max(below, document.y);
    }
  };
  const { products, months, topCustomers, currency } = report;
  table(`By product, in ${currency}`, [
    ["", "external", "intersegment"],
    ...products.map(({ product, external, intersegment }) => [product, external, intersegment] as const),
  ]);
  table(`By month, in ${currency}`, [
    ["", "AI", "other", "intersegment"],
    ...months.map(({ month, ai, other, intersegment }) => [month, ai, other, intersegment] as const),
  ]);
  table(
    `Top customers, in ${currency}`,
    topCustomers.map(({ customer, amount }) => [customer.name, amount] as const),
  );
  document.end();
  return bytes;
}

function valueOf({ value, unit }: RevenueFigure, currency: string): string {
  if (value === null) return "not known";
  if (unit === "share") return `${percentText(value)} %`;
  return unit === "money" ? `${value} ${currency}` : value;
}
