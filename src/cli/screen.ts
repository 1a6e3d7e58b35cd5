import { formatLine, type Line } from "./line.ts";
import type { Output } from "./surroundings.ts";

// Control sequences of xterm, which every terminal of today has (DECSET 1049, 25 and 7; ECMA-48 CUP, EL and ED).
const enter = "\u001B[?1049h\u001B[?25l\u001B[?7l";
const leave = "\u001B[?7h\u001B[?25h\u001B[?1049l";
const home = "\u001B[H";
const clearLine = "\u001B[K";
const clearBelow = "\u001B[J";

/**
 * A terminal's second screen, drawn anew in place, also when the terminal changes its size. What stood on the first one
 * is back once this one is closed.
 */
export class Screen {
  readonly #output: Output;
  readonly #isColoured: boolean;
  readonly #redraw = (): void => this.#draw();
  #lines: readonly Line[] = [];
  #isOpen = false;

  constructor(output: Output, isColoured: boolean) {
    this.#output = output;
    this.#isColoured = isColoured;
  }

  show(lines: readonly Line[]): void {
    this.#lines = lines;
    if (!this.#isOpen) {
      this.#isOpen = true;
      this.#output.write(enter);
      this.#output.on?.("resize", this.#redraw);
    }
    this.#draw();
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#output.off?.("resize", this.#redraw);
    this.#output.write(leave);
  }

  /** One write, so that no half of a picture is seen. */
  #draw(): void {
    const columns = sizeOr(this.#output.columns, 80);
    const rows = sizeOr(this.#output.rows, 24);
    const drawn = fitting(this.#lines, rows).map((line) => {
      // To clear behind a full line would take its last character on some terminals.
      const text = cut(line.text, Math.max(1, columns - 1));
      return formatLine({ ...line, text }, this.#isColoured) + clearLine;
    });
    this.#output.write(home + drawn.join("\r\n") + clearBelow);
  }
}

/** Terminals that do not know their size, as some of programs and containers, report none or 0. */
export function sizeOr(size: number | undefined, usual: number): number {
  return size === undefined || size === 0 ? usual : size;
}

/** As much of a text as has room, and a sign where that is not all. */
function cut(text: string, columns: number): string {
  const characters = Array.from(text);
  return characters.length <= columns ? text : `${characters.slice(0, columns - 1).join("")}…`;
}

/** A line too many would scroll the first away. */
function fitting(lines: readonly Line[], rows: number): readonly Line[] {
  if (lines.length <= rows) return lines;
  const shown = lines.slice(0, Math.max(0, rows - 1));
  return [...shown, { text: `… ${lines.length - shown.length} more lines`, tone: "faint" }];
}
