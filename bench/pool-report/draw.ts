import { parse, View } from "vega";
import { compile, type TopLevelSpec } from "vega-lite";

/** The chart as SVG text. Without a browser or a canvas: widths of words are estimated, and the same everywhere. */
export async function draw(spec: TopLevelSpec): Promise<string> {
  const view = new View(parse(compile(spec).spec), { renderer: "none" });
  try {
    return `${await view.toSVG()}\n`;
  } finally {
    view.finalize();
  }
}
