import type { TopLevelSpec } from "vega-lite";
import type { Course } from "../sim/index.ts";
import { colours, logSeconds, widthPx, withLook } from "./look.ts";
import { modelsPanel } from "./models-panel.ts";
import { type Series, timePanel } from "./time-panel.ts";
import { percentOf, type Subject, timeOf, titleOf } from "./title.ts";

/** A simulation over its time: what was met, what came, how long first tokens took, and whose took longest. */
export function courseChart(course: Course, attained: number, subject: Subject): TopLevelSpec {
  const seeds = course.seeds.length;
  const lines = seeds === 1 ? [] : [`thin: each of ${seeds} seeds; thick: their mean`];
  const every = `that came in each ${timeOf(course.windowMs)}`;
  const panels = [
    timePanel(course, {
      name: "met",
      title: `requests met strictly, in % of those ${every}`,
      series: [metSeries],
      y: { scale: { domainMin: lowestPercent(course), domainMax: 100 } },
      heightPx: 130,
    }),
    timePanel(course, {
      name: "arrivals",
      title: "requests arriving per second",
      series: [arrivalSeries],
      y: { scale: { zero: true } },
      heightPx: 90,
    }),
    timePanel(course, {
      name: "ttft",
      title: `time to the first token in s, of requests ${every}`,
      series: ttftSeries,
      y: logSeconds,
      line: { value: subject.objective.ttftMs / 1000, text: "objective" },
      heightPx: 130,
      hasTime: true,
    }),
    ...(course.models.length > 1 ? [modelsPanel(course.models, subject.objective.ttftMs)] : []),
  ];
  return withLook({
    title: titleOf(`${subject.policy} on ${subject.fleet}: ${percentOf(attained)} met strictly`, subject, lines),
    width: widthPx,
    vconcat: panels,
    resolve: { scale: { color: "independent", strokeDash: "independent", shape: "independent" } },
  });
}

const metSeries: Series = {
  name: "met",
  colour: colours.green,
  dash: [1, 0],
  of: ({ metShare }) => (metShare === undefined ? undefined : 100 * metShare),
};
const arrivalSeries: Series = {
  name: "arriving",
  colour: colours.black,
  dash: [1, 0],
  of: ({ requestsPerSecond }) => requestsPerSecond,
};
const ttftSeries: readonly Series[] = [
  { name: "p50", colour: colours.blue, dash: [1, 0], of: ({ ttftMs }) => ttftMs && ttftMs.p50 / 1000 },
  { name: "p99", colour: colours.vermilion, dash: [6, 3], of: ({ ttftMs }) => ttftMs && ttftMs.p99 / 1000 },
];

/** Not from 0 where all is near 100, or a miss would not be seen; nor so near that one would look like many. */
function lowestPercent({ seeds }: Course): number {
  const least = Math.min(1, ...seeds.flat().flatMap(({ metShare }) => metShare ?? []));
  return Math.min(90, 10 * Math.floor(10 * least));
}
