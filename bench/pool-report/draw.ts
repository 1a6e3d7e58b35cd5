import type { TopLevelSpec } from "vega-lite";
import { loadDrawing } from "../../src/plot/index.ts";

/** The chart as SVG text. */
export async function draw(spec: TopLevelSpec): Promise<string> {
  const drawing = await loadDrawing();
  if (drawing.outcome === "absent") throw new Error("vega and vega-lite are not installed");
  return drawing.draw(spec);
}
