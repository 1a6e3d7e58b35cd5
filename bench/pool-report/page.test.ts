import assert from "node:assert/strict";
import { test } from "node:test";
import { chartsOf } from "./charts.ts";
import { draw } from "./draw.ts";
import { boundName, capacityName, coreRows, scenes } from "./matrix.ts";
import { pageOf } from "./page.ts";
import { Results } from "./results.ts";
import type { CapacityResult, Found, Result, Row } from "./row.ts";

const extent = { seeds: 10, minutes: 30 };
const rows = coreRows(extent);

function gathered(known: Readonly<Record<string, Result>>) {
  const results = new Results();
  for (const row of rows) {
    const result = known[row.name];
    if (result !== undefined) results.add(row, { result, tookMs: 60_000 });
  }
  return { results, rows, keyOf: ({ name }: Row) => name };
}

function capacity(at90: number, at99: number | null, failures: readonly string[] = []): CapacityResult {
  const found = [at90, at99].map((accelerators): Found | null =>
    accelerators === null ? null : { accelerators, variant: "it", figures },
  );
  return { kind: "capacity", found, failures, notes: ["64 models, by seed 1", "64 models, by seed 2"] };
}

const percentiles = { p50: 100, p90: 200, p99: 300 };
const figures: Found["figures"] = {
  attainmentStrict: 0.995,
  attainmentPerSeed: [0.995],
  goodput: 6,
  ttftMs: percentiles,
  tpotMs: percentiles,
  worstModel: { model: "model-01", attainmentStrict: 0.9 },
  requests: 100,
  refused: 0,
  refusals: {},
  switches: 7,
  bytesMoved: 0,
  busyShare: 0.5,
  simulatedTokensPerSecond: 2_000_000,
};

const [first] = scenes;
const some = gathered({
  [capacityName(first!, "link", "ours")]: capacity(6, 7),
  [capacityName(first!, "link", "lru-swap")]: capacity(9, 10, ["lru-swap, 4 devices, seed 1: 3 were never ended"]),
  [capacityName(first!, "link", "fifo-swap")]: capacity(40, null),
  [boundName(first!)]: { kind: "bound", accelerators: [4, 5] },
});
const options = {
  extent,
  traces: "/traces",
  date: "2026-11-26",
  leftOut: new Map([[first!.title, "3 of 9 requests are left out"]]),
};
const page = pageOf(some, options);
/** Spaces and breaks that only align are not what is looked for. */
const cells = page.replaceAll(/\s+/g, " ");

test("a scene's line has the bound, ours, its ratio to the bound, and how much more the best other needs", () => {
  assert.ok(cells.includes("| 64 models, Poisson | 5 | 7 | 1.40 | - | - | - | - | - | 10 | 1.43 |"));
  assert.ok(cells.includes("| 64 models, Poisson | 4 | 6 | 1.50 | - | - | - | - | - | 9 | 1.50 |"));
});

test("what of a workload is in no row is said under the table where its row stands", () => {
  assert.match(page, /\| 64 models, Poisson [^\n]*\n(\|[^\n]*\n)*\n64 models, Poisson: 3 of 9 requests are left out\./);
});

test("the page begins with where ours needs fewer than the others, as many, and more", () => {
  const text = (ours: ReturnType<typeof capacity>, other: ReturnType<typeof capacity>): string =>
    pageOf(
      gathered({ [capacityName(first!, "link", "ours")]: ours, [capacityName(first!, "link", "lru-swap")]: other }),
      options,
    ).replaceAll(/\s+/g, " ");
  assert.match(text(capacity(6, 7), capacity(6, 9)), /that have a row in 1 of 1 workloads/);
  assert.match(
    text(capacity(6, 7), capacity(6, 7)),
    /in 0 of 1 workloads; as many as the best of them in 64 models, Poisson/,
  );
  assert.match(text(capacity(6, 8), capacity(6, 7)), /in 0 of 1 workloads; more in 64 models, Poisson/);
});

test("where ours does not reach it, it needs more than whoever does", () => {
  const unreached = { ...capacity(6, null), found: [null, null] };
  const rows = {
    [capacityName(first!, "open", "ours")]: unreached,
    [capacityName(first!, "open", "lru-swap")]: capacity(6, 7),
  };
  const text = pageOf(gathered(rows), options).replaceAll(/\s+/g, " ");
  assert.match(
    text,
    /open engines, for 99 % met strictly, ours needs fewer [^;]* in 0 of 1 workloads; more in 64 models, Poisson\./,
  );
});

test("who does not reach it says so", () => {
  assert.ok(cells.includes("| fifo-swap | 40 / none | - |"));
});

test("what has not run is named, and what was not brought to an end too", () => {
  assert.match(cells, /capacity\/64 models, Poisson\/link: [^/]*aegaeon/);
  assert.match(cells, /lru-swap: 1, such as lru-swap, 4 devices/);
  assert.ok(!page.includes("rows of recorded traces and ServeGen are left out"));
  assert.ok(
    pageOf(some, { ...options, traces: undefined }).includes("rows of recorded traces and ServeGen are left out"),
  );
});

test("a page of nothing can be read too", () => {
  assert.match(pageOf(gathered({}), options), /Rows: 0 of/);
  assert.deepEqual(chartsOf(new Results()), []);
});

test("a chart is the same text each time it is drawn", async () => {
  const [chart] = chartsOf(some.results);
  const svg = await draw(chart!.spec);
  assert.match(svg, /^<svg /);
  assert.equal(await draw(chart!.spec), svg);
});
