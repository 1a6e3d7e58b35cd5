import type { TopLevelSpec } from "vega-lite";
import { rules } from "../../src/pool/index.ts";
import { accelerators, type Attainment, boundOfScene } from "./cells.ts";
import {
  ablationName,
  ablationScenes,
  capacityName,
  loads,
  mainPolicies,
  overloadPolicies,
  overloadScenes,
  scenes,
} from "./matrix.ts";
import { overloadMeasures } from "./overload-tables.ts";
import type { Results } from "./results.ts";

export interface Chart {
  /** Of the file, without its ending. */
  readonly name: string;
  readonly spec: TopLevelSpec;
}

type Datum = Readonly<Record<string, string | number>>;

/** Nothing is drawn of what has not run; a chart without any of it is not made. */
export function chartsOf(results: Results): readonly Chart[] {
  const charts = [
    capacityChart(results, 0.99),
    capacityChart(results, 0.9),
    ...overloadMeasures.map((measure) => overloadChart(results, measure)),
    ablationChart(results),
  ];
  return charts.flatMap(({ name, spec, data }) => (data.length === 0 ? [] : [{ name, spec }]));
}

type Drawn = Chart & { readonly data: readonly Datum[] };

const policyOrder = ["bound", ...mainPolicies];
/** Okabe and Ito's colours, which who sees fewer colours can tell apart too; ours is the strongest. */
const colours = ["#000000", "#d55e00", "#0072b2", "#009e73", "#56b4e9", "#cc79a7", "#e69f00", "#999999"];

/** Each policy has its colour in all charts; the legend has those that a chart may show. */
function colourOf(policies: readonly string[]) {
  const range = policies.map((policy) => colours[policyOrder.indexOf(policy)]!);
  return { field: "policy", type: "nominal", scale: { domain: policies, range }, legend: { title: null } } as const;
}

function capacityChart(results: Results, attainment: Attainment): Drawn {
  const data = scenes.flatMap((scene): Datum[] => {
    const bound = boundOfScene(results, scene, attainment);
    const ofPolicies = mainPolicies.flatMap((policy): Datum[] => {
      const count = accelerators(results, capacityName(scene, "link", policy), attainment);
      return typeof count === "number" ? [{ workload: scene.title, policy, accelerators: count }] : [];
    });
    return bound === undefined
      ? ofPolicies
      : [{ workload: scene.title, policy: "bound", accelerators: bound }, ...ofPolicies];
  });
  return drawn(`capacity-${100 * attainment}`, data, {
    title: `H100 for ${100 * attainment} % met strictly`,
    width: 560,
    height: { step: 6 },
    mark: { type: "point", filled: true, size: 70, opacity: 0.9 },
    encoding: {
      y: { field: "workload", type: "nominal", sort: scenes.map(({ title }) => title), title: null },
      x: { field: "accelerators", type: "quantitative", scale: { type: "log", base: 2 }, title: "accelerators" },
      // Policies that need the same stand below one another.
      yOffset: { field: "policy", type: "nominal", sort: policyOrder },
      color: colourOf(policyOrder),
      shape: { field: "policy", type: "nominal", scale: { domain: policyOrder }, legend: { title: null } },
    },
  });
}

function overloadChart(results: Results, { name, title, axis, of }: (typeof overloadMeasures)[number]): Drawn {
  const data = overloadScenes.flatMap((scene) =>
    overloadPolicies.flatMap((policy) =>
      loads.flatMap((load): Datum[] => {
        const value = of(results, scene, policy, load);
        return value === undefined ? [] : [{ workload: scene.title, policy, load, value }];
      }),
    ),
  );
  return drawn(`overload-${name}`, data, {
    title,
    facet: { column: { field: "workload", type: "nominal", title: null } },
    spec: {
      width: 300,
      height: 220,
      mark: { type: "line", point: true },
      encoding: {
        x: { field: "load", type: "quantitative", title: "load" },
        y: { field: "value", type: "quantitative", title: axis },
        color: colourOf(overloadPolicies),
      },
    },
  });
}

function ablationChart(results: Results): Drawn {
  const data = ablationScenes.flatMap((scene) => {
    const datum = (rule: string, name: string): Datum[] => {
      const count = accelerators(results, name, 0.99);
      return typeof count === "number" ? [{ workload: scene.title, rule, accelerators: count }] : [];
    };
    return [
      ...datum("nothing", capacityName(scene, "link", "ours")),
      ...rules.flatMap((rule) => datum(rule, ablationName(scene, rule))),
    ];
  });
  return drawn("ablations", data, {
    title: "H100 for 99 %, ours with one rule left out",
    facet: { column: { field: "workload", type: "nominal", title: null } },
    spec: {
      width: 180,
      height: { step: 20 },
      mark: "bar",
      encoding: {
        y: { field: "rule", type: "nominal", sort: ["nothing", ...rules], title: null },
        x: { field: "accelerators", type: "quantitative", title: "accelerators" },
        color: { value: colours[1]! },
      },
    },
  });
}

function drawn(name: string, data: readonly Datum[], spec: object): Drawn {
  const whole = { data: { values: data }, config: { font: "sans-serif", background: "white" }, ...spec };
  return { name, data, spec: whole as unknown as TopLevelSpec };
}
