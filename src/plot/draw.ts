import type * as Vega from "vega";
import type * as VegaLite from "vega-lite";

/** What draws, as package.json has it; who installs Bailiwick without them adds them by these names. */
export const drawingPackages = ["vega@6.4.0", "vega-lite@6.5.0"] as const;

export type Drawing =
  | { readonly outcome: "loaded"; readonly draw: (spec: VegaLite.TopLevelSpec) => Promise<string> }
  | { readonly outcome: "absent" };

type Packages = readonly [vega: typeof Vega, vegaLite: typeof VegaLite];

/** Loads what turns a chart into SVG text. Nothing else needs these packages, so they may not be installed. */
export async function loadDrawing(load: () => Promise<Packages> = loadPackages): Promise<Drawing> {
  try {
    const packages = await load();
    return { outcome: "loaded", draw: (spec) => draw(packages, spec) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ERR_MODULE_NOT_FOUND") return { outcome: "absent" };
    throw error;
  }
}

async function loadPackages(): Promise<Packages> {
  return Promise.all([import("vega"), import("vega-lite")]);
}

/** Without a browser or a canvas: widths of words are estimated, and the same everywhere. */
async function draw([{ parse, View }, { compile }]: Packages, spec: VegaLite.TopLevelSpec): Promise<string> {
  const view = new View(parse(compile(spec).spec), { renderer: "none" });
  try {
    return `${await view.toSVG()}\n`;
  } finally {
    view.finalize();
  }
}
