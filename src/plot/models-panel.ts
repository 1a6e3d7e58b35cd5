import type { ModelTtft } from "../sim/index.ts";
import { colours, legendBeside, logSeconds, widthPx } from "./look.ts";

/** As many as can be told apart side by side. */
const modelsMost = 80;
/** As many as have room for their names. */
const namedMost = 24;

/** Each model's p50 and p99, slowest first: one that is always late hides in figures of all requests. */
export function modelsPanel(models: readonly ModelTtft[], objectiveMs: number): object {
  const shown = models.slice(0, modelsMost);
  const which = shown.length < models.length ? `the ${shown.length} slowest of ${models.length} models` : "each model";
  const names = shown.map(({ model }) => model);
  const domain = ["p50", "p99"];
  const encoding = { field: "series", type: "nominal", legend: legendBeside };
  return {
    title: { text: `time to the first token in s, of ${which}`, frame: "group" },
    width: widthPx,
    height: 130,
    encoding: {
      y: { field: "value", type: "quantitative", title: null, ...logSeconds },
    },
    layer: [
      {
        name: "models",
        data: { values: shown.flatMap(({ model, p50, p99 }) => [row(model, "p50", p50), row(model, "p99", p99)]) },
        mark: { type: "point", filled: true, size: 45, opacity: 1 },
        encoding: {
          x: { field: "model", type: "nominal", scale: { domain: names }, ...axisOf(names) },
          color: { ...encoding, scale: { domain, range: [colours.blue, colours.vermilion] } },
          shape: { ...encoding, scale: { domain, range: ["circle", "diamond"] } },
        },
      },
      {
        name: "models-line",
        data: { values: [{ value: objectiveMs / 1000 }] },
        mark: { type: "rule", color: colours.black, strokeDash: [2, 3] },
      },
    ],
  };
}

function row(model: string, series: string, ms: number) {
  return { model, series, value: ms / 1000 };
}

function axisOf(names: readonly string[]): object {
  if (names.length > namedMost) return { axis: { labels: false, ticks: false }, title: "models, slowest first" };
  return { axis: { labelAngle: -35, labelLimit: 120 }, title: null };
}
