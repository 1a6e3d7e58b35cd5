import type { TopLevelSpec } from "vega-lite";
import type { Capacity } from "../sim/index.ts";
import { colours, widthPx, withLook } from "./look.ts";
import { percentOf, type Subject, titleOf } from "./title.ts";

export type CapacityFigures = Pick<Capacity, "bound" | "tried"> & {
  /** Undefined: not reached with the most that were tried. */
  readonly accelerators: number | undefined;
  /** Share that every seed has to reach. */
  readonly attainment: number;
};

/** How much of the requests the worst seed met, by number of accelerators; what was wanted, and what nobody can do. */
export function capacityChart(figures: CapacityFigures, subject: Subject): TopLevelSpec {
  const { accelerators, bound, tried, attainment } = figures;
  const text =
    accelerators === undefined
      ? `${subject.policy} does not meet ${percentOf(attainment)} strictly with ${tried.at(-1)!.accelerators} ${subject.fleet}`
      : `${subject.policy} needs ${accelerators} ${subject.fleet} to meet ${percentOf(attainment)} strictly`;
  return withLook({
    title: titleOf(text, subject, [
      `least of the seeds, for each number that was tried; nobody does with fewer than ${bound}`,
    ]),
    width: widthPx,
    height: 300,
    layer: [...lines(figures), ...points(figures, subject.fleet)],
  });
}

interface Point {
  readonly accelerators: number;
  readonly percent: number;
  readonly result: "enough" | "too few";
}

function points({ tried, attainment }: CapacityFigures, device: string): readonly object[] {
  const values = tried.flatMap(({ accelerators, attainmentPerSeed }): Point[] => {
    if (attainmentPerSeed === undefined) return [];
    const least = Math.min(...attainmentPerSeed);
    return [{ accelerators, percent: 100 * least, result: least >= attainment ? "enough" : "too few" }];
  });
  const domain = ["enough", "too few"];
  const result = { field: "result", type: "nominal", legend: { title: null, orient: "bottom" } };
  const encoding = {
    x: {
      field: "accelerators",
      type: "quantitative",
      scale: { type: "log", base: 2, nice: false, padding: 20 },
      axis: { values: values.map(({ accelerators }) => accelerators), format: "d", labelOverlap: "greedy" },
      title: `accelerators (${device})`,
    },
    y: {
      field: "percent",
      type: "quantitative",
      scale: { domain: [0, 100] },
      title: "requests met strictly, in %",
    },
  };
  return [
    { name: "tried-line", data: { values }, mark: { type: "line", color: "#999999", strokeWidth: 1 }, encoding },
    {
      name: "tried",
      data: { values },
      mark: { type: "point", filled: true, size: 110, opacity: 1 },
      encoding: {
        ...encoding,
        color: { ...result, scale: { domain, range: [colours.blue, colours.vermilion] } },
        shape: { ...result, scale: { domain, range: ["circle", "triangle-down"] } },
      },
    },
  ];
}

function lines({ bound, attainment }: CapacityFigures): readonly object[] {
  const rule = { type: "rule", strokeWidth: 1.5 };
  const text = { type: "text", fontSize: 12, align: "left" };
  const wanted = { values: [{ percent: 100 * attainment, text: `wanted: ${percentOf(attainment)}` }] };
  const least = { values: [{ accelerators: bound, text: `lower bound: ${bound}` }] };
  const y = { field: "percent", type: "quantitative" };
  const x = { field: "accelerators", type: "quantitative" };
  const label = { field: "text" };
  return [
    { name: "wanted", data: wanted, mark: { ...rule, color: colours.black, strokeDash: [2, 3] }, encoding: { y } },
    {
      name: "wanted-text",
      data: wanted,
      mark: { ...text, baseline: "middle", dx: 5 },
      encoding: { y, x: { value: widthPx }, text: label },
    },
    { name: "bound", data: least, mark: { ...rule, color: colours.green, strokeDash: [8, 4] }, encoding: { x } },
    {
      name: "bound-text",
      data: least,
      mark: { ...text, color: colours.green, baseline: "bottom", dx: 5 },
      encoding: { x, y: { value: 296 }, text: label },
    },
  ];
}
