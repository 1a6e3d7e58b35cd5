import type { TopLevelSpec } from "vega-lite";
import { colours, widthPx, withLook } from "./look.ts";

/** Revenue of a month by kind, as numbers: a picture is read to a few digits. */
export interface MonthFigures {
  readonly month: string;
  readonly ai: number;
  readonly other: number;
  readonly intersegment: number;
}

export interface ProductFigures {
  readonly product: string;
  readonly external: number;
  readonly intersegment: number;
}

const patterns = ["AI, external", "other, external", "intersegment"] as const;

/** Months beside one another, each a stack of what it is made of. */
export function revenueByMonth(months: readonly MonthFigures[], currency: string): TopLevelSpec {
  const values = months.flatMap(({ month, ai, other, intersegment }) =>
    [ai, other, intersegment].map((amount, at) => ({ month, amount, order: at, kind: patterns[at] })),
  );
  return withLook({
    title: "Revenue by month",
    width: widthPx,
    height: 240,
    data: { values },
    mark: { type: "bar", width: { band: 0.5 }, stroke: "white", strokeWidth: 1 },
    encoding: {
      x: { field: "month", type: "nominal", axis: { labelAngle: 0 }, title: null },
      y: { field: "amount", type: "quantitative", title: currency, axis: { format: "~s" } },
      order: { field: "order" },
      color: {
        field: "kind",
        type: "nominal",
        scale: { domain: [...patterns], range: [colours.blue, colours.green, colours.vermilion] },
        legend: { title: null, orient: "bottom" },
      },
    },
  });
}

/** Products below one another, the largest first. */
export function revenueByProduct(products: readonly ProductFigures[], currency: string): TopLevelSpec {
  const values = products.flatMap(({ product, external, intersegment }) => [
    { product, kind: "external", amount: external },
    { product, kind: "intersegment", amount: intersegment },
  ]);
  return withLook({
    title: "Revenue by product",
    width: widthPx - 120,
    height: { step: 34 },
    data: { values },
    mark: { type: "bar", stroke: "white", strokeWidth: 1 },
    encoding: {
      y: { field: "product", type: "nominal", sort: { field: "amount", op: "sum", order: "descending" }, title: null },
      x: { field: "amount", type: "quantitative", title: currency, axis: { format: "~s" } },
      color: {
        field: "kind",
        type: "nominal",
        scale: { domain: ["external", "intersegment"], range: [colours.blue, colours.vermilion] },
        legend: { title: null, orient: "bottom" },
      },
    },
  });
}
