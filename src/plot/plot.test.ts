import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test, type TestContext } from "node:test";
import type { TopLevelSpec } from "vega-lite";
import type { Course, CourseWindow } from "../sim/index.ts";
import { capacityChart, courseChart, drawingPackages, loadDrawing } from "./index.ts";
import { type Element, marksOf, readSvg, wordsOf } from "./testing.ts";
import { percentOf, timeOf } from "./title.ts";

const subject = {
  policy: "ours",
  fleet: "4xH100",
  workload: `trace "<&>".csv`,
  models: "qwen2.5-7b",
  objective: { ttftMs: 10_000, tpotMs: 100 },
};

function windowAt(index: number, more: Partial<CourseWindow> = {}): CourseWindow {
  const times = { fromMs: index * 60_000, toMs: (index + 1) * 60_000 };
  return { ...times, requestsPerSecond: 5 + index, metShare: 0.95, ttftMs: { p50: 900, p99: 4_000 }, ...more };
}

const windows = [0, 1, 2, 3, 4].map((index) => windowAt(index));
const models = [
  { model: "b", p50: 900, p99: 4_000 },
  { model: "a", p50: 800, p99: 3_000 },
];
const course: Course = { windowMs: 60_000, seeds: [windows, windows, windows], models };

/** Drawn without a word of warning: an operator would see it, and it would be of our chart. */
async function drawn(spec: TopLevelSpec, context: TestContext): Promise<Element> {
  const warn = context.mock.method(console, "warn", () => undefined);
  const drawing = await loadDrawing();
  assert.ok(drawing.outcome === "loaded");
  const svg = await drawing.draw(spec);
  assert.equal(await drawing.draw(spec), svg, "the same text each time");
  assert.equal(warn.mock.callCount(), 0);
  return readSvg(svg);
}

test("a course has its title, its axes, a line for each seed and a point for each window", async (context) => {
  const svg = await drawn(courseChart(course, 0.95, subject), context);
  const words = wordsOf(svg);
  assert.ok(words.includes("ours on 4xH100: 95 % met strictly"));
  assert.ok(
    words.some((text) => text.startsWith('trace "&lt;&amp;&gt;".csv, models qwen2.5-7b; first token within 10 s, ')),
  );
  assert.ok(words.some((text) => /3 seeds/.test(text)));
  for (const word of ["minutes", "requests arriving per second", "objective", "p50", "p99", "90", "100"]) {
    assert.ok(words.includes(word), word);
  }
  for (const [name, count] of [
    ["met-seeds", 3],
    ["met-mean", 1],
    ["met-mean-points", 5],
    ["arrivals-seeds", 3],
    ["arrivals-mean-points", 5],
    ["ttft-seeds", 6],
    ["ttft-mean", 2],
    ["ttft-mean-points", 10],
    ["ttft-line", 1],
    ["models", 4],
    ["models-line", 1],
  ] as const) {
    assert.equal(marksOf(svg, name).length, count, name);
  }
  const [middle, tail] = marksOf(svg, "ttft-mean");
  assert.notEqual(middle!.attributes.get("stroke"), tail!.attributes.get("stroke"));
  assert.notEqual(middle!.attributes.get("stroke-dasharray"), tail!.attributes.get("stroke-dasharray"));
});

test("one seed is one line; a window without requests is a gap; one model needs no panel of models", async (context) => {
  const empty = windowAt(2, { requestsPerSecond: 0, metShare: undefined, ttftMs: undefined });
  const seed = windows.map((window, index) => (index === 2 ? empty : window));
  const chart = courseChart({ windowMs: 60_000, seeds: [seed], models: [models[0]!] }, 0.4, subject);
  const svg = await drawn(chart, context);
  assert.equal(marksOf(svg, "met-seeds").length, 0);
  assert.equal(marksOf(svg, "models").length, 0);
  assert.equal(marksOf(svg, "arrivals-mean-points").length, 5);
  const path = marksOf(svg, "met-mean")[0]!.attributes.get("d")!;
  assert.equal(path.match(/M/g)?.length, 2, "two pieces");
});

test("many models are the slowest of them, without names", async (context) => {
  const many = Array.from({ length: 200 }, (_, index) => ({ model: `model-${index}`, p50: 300, p99: 900 - index }));
  const svg = await drawn(courseChart({ ...course, models: many }, 1, subject), context);
  assert.equal(marksOf(svg, "models").length, 160);
  assert.ok(wordsOf(svg).some((text) => /the 80 slowest of 200 models/.test(text)));
  assert.ok(!wordsOf(svg).includes("model-0"));
});

test("a capacity has a point for each number that was tried, what was wanted and the bound", async (context) => {
  const tried = [
    { accelerators: 1, attainmentPerSeed: undefined },
    { accelerators: 2, attainmentPerSeed: [0.5, 0.4] },
    { accelerators: 3, attainmentPerSeed: [1, 0.98] },
    { accelerators: 4, attainmentPerSeed: [0.99, 1] },
  ];
  const figures = { accelerators: 4, bound: 3, tried, attainment: 0.99 };
  const svg = await drawn(capacityChart(figures, { ...subject, fleet: "H100" }), context);
  const words = wordsOf(svg);
  for (const word of [
    "ours needs 4 H100 to meet 99 % strictly",
    "accelerators (H100)",
    "requests met strictly, in %",
  ]) {
    assert.ok(words.includes(word), word);
  }
  assert.ok(words.includes("wanted: 99 %") && words.includes("lower bound: 3"));
  const points = marksOf(svg, "tried");
  assert.equal(points.length, 3, "what could not run is no point");
  assert.equal(new Set(points.map(({ attributes }) => attributes.get("fill"))).size, 2);
  assert.equal(marksOf(svg, "wanted").length, 1);
  assert.equal(marksOf(svg, "bound").length, 1);
});

test("a capacity that was not reached says so in its title", async (context) => {
  const tried = [1, 2].map((accelerators) => ({ accelerators, attainmentPerSeed: [0.3 * accelerators] }));
  const figures = { accelerators: undefined, bound: 3, attainment: 0.99, tried };
  const svg = await drawn(capacityChart(figures, { ...subject, fleet: "H100" }), context);
  assert.ok(wordsOf(svg).includes("ours does not meet 99 % strictly with 2 H100"));
  assert.equal(marksOf(svg, "tried").length, 2);
});

test("a share is rounded down, and a time has the unit that it is spoken of in", () => {
  assert.deepEqual([1, 0.99, 0.99999, 0.123456].map(percentOf), ["100 %", "99 %", "99.99 %", "12.34 %"]);
  assert.deepEqual([100, 1_500, 10_000, 600_000].map(timeOf), ["100 ms", "1.5 s", "10 s", "10 min"]);
});

test("packages that are absent are an outcome, any other failure to load them is an error", async () => {
  const absent = Object.assign(new Error("no package"), { code: "ERR_MODULE_NOT_FOUND" });
  assert.deepEqual(await loadDrawing(() => Promise.reject(absent)), { outcome: "absent" });
  await assert.rejects(
    loadDrawing(() => Promise.reject(new Error("broken"))),
    /broken/,
  );
});

test("the packages that the command names are the ones that are tested with and declared", () => {
  const manifest = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as Record<
    string,
    Record<string, unknown>
  >;
  for (const each of drawingPackages) {
    const [name, version] = each.split("@") as [string, string];
    assert.equal(manifest["devDependencies"]![name], version);
    assert.equal(manifest["peerDependencies"]![name], version);
    assert.deepEqual(manifest["peerDependenciesMeta"]![name], { optional: true });
  }
});
