import { writeFileSync } from "node:fs";
import { extname, resolve } from "node:path";
import type { Command } from "commander";
import type { TopLevelSpec } from "vega-lite";
import type { CommandContext } from "./context.ts";
import { CommandFailure } from "./failure.ts";

export interface PlotOption {
  readonly plot?: string;
}

/** A file to draw into. */
export interface Plot {
  write(spec: TopLevelSpec): Promise<void>;
}

export function withPlot(command: Command): Command {
  return command.option("--plot <file>", "draw it too: an SVG file, which is written over where it is there");
}

/**
 * Sees before anything is simulated that a plot can be drawn; undefined where none is asked for. That its file cannot be
 * written is found out when it is: after the figures are printed, so that they are not lost with it.
 */
export async function openPlot({ plot }: PlotOption, context: CommandContext): Promise<Plot | undefined> {
  if (plot === undefined) return undefined;
  if (extname(plot).toLowerCase() !== ".svg") {
    throw new CommandFailure("invalid_option", `--plot writes SVG, and "${plot}" does not end in .svg.`, {
      next: "Name a file such as plot.svg. As PNG: rsvg-convert --zoom 2 --output plot.png plot.svg (librsvg), or any browser.",
    });
  }
  const { drawingPackages, loadDrawing } = await import("../plot/index.ts");
  const drawing = await loadDrawing();
  if (drawing.outcome === "absent") {
    throw new CommandFailure("missing_package", "--plot draws with packages that are not installed.", {
      next: `Install them beside Bailiwick: npm install ${drawingPackages.join(" ")}`,
    });
  }
  const path = resolve(context.surroundings.currentFolder, plot);
  return {
    async write(spec) {
      writePlot(path, await drawing.draw(spec));
      context.printer.note(`The plot is in ${path}.`);
    },
  };
}

function writePlot(path: string, svg: string): void {
  try {
    writeFileSync(path, svg);
  } catch (error) {
    throw new CommandFailure("unwritable_file", `${path} cannot be written: ${(error as Error).message}`, {
      next: "Name a file with --plot that this user may write; the figures above are whole.",
    });
  }
}
