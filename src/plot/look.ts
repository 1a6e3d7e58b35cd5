import type { TopLevelSpec } from "vega-lite";

/**
 * Okabe and Ito's colours, which who sees fewer colours can tell apart too. Series differ by dashes or shapes besides,
 * because a printer may have no colours.
 */
export const colours = { blue: "#0072b2", vermilion: "#d55e00", green: "#009e73", black: "#000000" } as const;

export const widthPx = 640;

/** Right of a panel, and of the words that stand at the end of its lines. */
export const legendBeside = { title: null, orient: "right", offset: 76 } as const;

/** Times of an engine go from milliseconds to minutes: equal factors, equal distances. */
export const logSeconds = {
  scale: { type: "log", nice: false, padding: 8 },
  axis: {
    values: [0.001, 0.01, 0.1, 1, 10, 100, 1_000, 10_000].flatMap((power) => [power, 2 * power, 5 * power]),
    format: "~g",
    labelOverlap: "greedy",
  },
} as const;

const config = {
  font: "sans-serif",
  background: "white",
  padding: 12,
  view: { stroke: null },
  axis: {
    labelFontSize: 12,
    titleFontSize: 12,
    titleFontWeight: "normal",
    gridColor: "#dddddd",
    domainColor: "#666666",
  },
  title: { anchor: "start", fontSize: 13, fontWeight: "bold" },
  legend: { labelFontSize: 12, symbolStrokeWidth: 2, symbolSize: 300 },
  concat: { spacing: 18 },
} as const;

/** A whole picture. vega-lite's own types are as wide as its language, so a chart is held by what its tests find in it. */
export function withLook(spec: object): TopLevelSpec {
  return { config, ...spec } as unknown as TopLevelSpec;
}
