import type PDFDocument from "pdfkit";

type Document = InstanceType<typeof PDFDocument>;

/** What a bar is made of, from its beginning on. */
export interface Bar {
  readonly name: string;
  readonly parts: readonly number[];
}

/** Colours that are told apart in grey too, and by who sees no red or green (Okabe and Ito). */
const colours = ["#0072b2", "#e69f00", "#999999"];
const geometry = { left: 160, right: 460, row: 18, bar: 11 };

export function barsHeight(bars: readonly Bar[]): number {
  return bars.length * geometry.row + 22;
}

/** Bars that lie, one below the other, with their sums at their ends and a legend below; amounts below 0 have no length. */
export function drawBars(
  document: Document,
  bars: readonly Bar[],
  legend: readonly string[],
  labelOf: (sum: number) => string,
): void {
  const left = document.page.margins.left;
  const most = Math.max(...bars.map(({ parts }) => sumOf(parts)), 1e-12);
  let y = document.y;
  for (const { name, parts } of bars) {
    document.fillColor("black").text(name, left, y + 1, { width: geometry.left - left - 8, lineBreak: false });
    let x = geometry.left;
    for (const [at, part] of parts.entries()) {
      const width = (Math.max(part, 0) / most) * (geometry.right - geometry.left);
      if (width > 0) document.rect(x, y, width, geometry.bar).fill(colours[at]);
      x += width;
    }
    document.fillColor("black").text(labelOf(sumOf(parts)), x + 6, y + 1, { lineBreak: false });
    y += geometry.row;
  }
  let x = geometry.left;
  for (const [at, text] of legend.entries()) {
    document.rect(x, y + 4, 8, 8).fill(colours[at]);
    document.fillColor("black").text(text, x + 12, y + 3, { lineBreak: false });
    x += 24 + document.widthOfString(text);
  }
  document.text("", left, y + 22);
}

function sumOf(parts: readonly number[]): number {
  return parts.reduce((sum, part) => sum + Math.max(part, 0), 0);
}
