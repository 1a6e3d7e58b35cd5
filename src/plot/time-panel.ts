import type { Course, CourseWindow } from "../sim/index.ts";
import { colours, legendBeside, widthPx } from "./look.ts";

export interface Series {
  readonly name: string;
  readonly colour: string;
  readonly dash: readonly number[];
  /** Undefined: there is nothing to tell of that window, and the line has a gap. */
  readonly of: (window: CourseWindow) => number | undefined;
}

interface TimePanel {
  readonly name: string;
  readonly title: string;
  readonly series: readonly Series[];
  /** What vega-lite is told of the vertical axis besides. */
  readonly y: object;
  readonly line?: { readonly value: number; readonly text: string };
  readonly heightPx: number;
  /** Whether the time is written below: once is enough for panels that stand below one another. */
  readonly hasTime?: boolean;
}

/** Lines over simulated time: each seed's thin, and their mean thick. */
export function timePanel(course: Course, panel: TimePanel): object {
  const { unit, unitMs } = unitOf(course);
  const hasTime = panel.hasTime === true;
  return {
    title: { text: panel.title, frame: "group" },
    width: widthPx,
    height: panel.heightPx,
    encoding: {
      x: {
        field: "at",
        type: "quantitative",
        title: hasTime ? unit : null,
        scale: { domain: [0, endOf(course) / unitMs], nice: false },
        axis: { labels: hasTime },
      },
      y: { field: "value", type: "quantitative", title: null, ...panel.y },
    },
    layer: [...thinLayer(course, panel, unitMs), ...meanLayers(course, panel, unitMs), ...lineLayer(panel)],
  };
}

/** Of one seed the mean says it all. */
function thinLayer(course: Course, { name, series }: TimePanel, unitMs: number): object[] {
  if (course.seeds.length === 1) return [];
  return [
    {
      name: `${name}-seeds`,
      data: { values: seedRows(course, series, unitMs) },
      mark: { type: "line", strokeWidth: 0.7, opacity: 0.45 },
      encoding: { detail: { field: "seed", type: "nominal" }, color: coloured(series) },
    },
  ];
}

/** With a point for each window: a line does not show one between two gaps. */
function meanLayers(course: Course, { name, series }: TimePanel, unitMs: number): object[] {
  const data = { values: meanRows(course, series, unitMs) };
  const color = coloured(series);
  const range = series.map(({ dash }) => dash);
  const strokeDash = { ...color, scale: { domain: color.scale.domain, range } };
  return [
    { name: `${name}-mean`, data, mark: { type: "line", strokeWidth: 2.2 }, encoding: { color, strokeDash } },
    { name: `${name}-mean-points`, data, mark: { type: "circle", size: 14, opacity: 1 }, encoding: { color } },
  ];
}

function coloured(series: readonly Series[]) {
  const scale = { domain: series.map(({ name }) => name), range: series.map(({ colour }) => colour) };
  const legend = series.length === 1 ? null : { ...legendBeside, symbolType: "stroke", symbolOpacity: 1 };
  return { field: "series", type: "nominal", scale, legend };
}

function lineLayer({ name, line }: TimePanel): object[] {
  if (line === undefined) return [];
  const data = { values: [{ value: line.value, text: line.text }] };
  return [
    {
      name: `${name}-line`,
      data,
      mark: { type: "rule", color: colours.black, strokeDash: [2, 3] },
      encoding: { x: null },
    },
    {
      name: `${name}-line-text`,
      data,
      mark: { type: "text", align: "left", baseline: "middle", dx: 5, fontSize: 12 },
      encoding: { x: { value: widthPx }, text: { field: "text" } },
    },
  ];
}

interface Row {
  readonly series: string;
  readonly seed?: number;
  readonly at: number;
  readonly value: number | null;
}

function seedRows({ seeds }: Course, series: readonly Series[], unitMs: number): readonly Row[] {
  return series.flatMap(({ name, of }) =>
    seeds.flatMap((windows, seed) =>
      windows.map((window): Row => ({ series: name, seed, at: middle(window) / unitMs, value: of(window) ?? null })),
    ),
  );
}

function meanRows({ seeds }: Course, series: readonly Series[], unitMs: number): readonly Row[] {
  return series.flatMap(({ name, of }) =>
    seeds[0]!.map((window, index): Row => {
      const values = seeds.flatMap((windows) => of(windows[index]!) ?? []);
      const value = values.length === 0 ? null : values.reduce((sum, each) => sum + each, 0) / values.length;
      return { series: name, at: middle(window) / unitMs, value };
    }),
  );
}

function middle({ fromMs, toMs }: CourseWindow): number {
  return (fromMs + toMs) / 2;
}

/** Of the last window as a clock shows it: what came last may have come a little before. */
function endOf({ seeds, windowMs }: Course): number {
  return Math.max(seeds[0]!.at(-1)!.toMs, seeds[0]!.length * windowMs);
}

function unitOf(course: Course): { readonly unit: string; readonly unitMs: number } {
  const endMs = endOf(course);
  if (endMs < 180_000) return { unit: "seconds", unitMs: 1_000 };
  if (endMs < 6 * 3_600_000) return { unit: "minutes", unitMs: 60_000 };
  return { unit: "hours", unitMs: 3_600_000 };
}
