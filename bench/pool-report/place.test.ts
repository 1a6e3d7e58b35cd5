import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { coreRows } from "./matrix.ts";
import type { ReportOptions } from "./options.ts";
import { placeOf } from "./place.ts";
import { Results } from "./results.ts";

const extent = { seeds: 10, minutes: 30 };
const rows = coreRows(extent).slice(0, 3);
const options: ReportOptions = {
  traces: "/traces",
  only: "capacity/",
  isQuick: false,
  isPublished: false,
  cache: "/cache",
  extent,
};

function known(count: number) {
  const results = new Results();
  for (const row of rows.slice(0, count)) {
    results.add(row, { result: { kind: "bound", accelerators: [1, 1] }, tookMs: 1 });
  }
  return { results, rows };
}

test("a part of the rows is written beside the cache, and says why", () => {
  const { folder, why } = placeOf(known(2), options, "/repo");
  assert.equal(folder, join("/cache", "part"));
  assert.match(why, /it lacks 1 of 3 rows.*--publish/);
  assert.equal(placeOf(known(3), { ...options, traces: undefined }, "/repo").folder, join("/cache", "part"));
});

test("all rows, no pattern, and who insists are published; a quick run is not", () => {
  const published = { folder: join("/repo", "docs/reports"), why: "" };
  assert.deepEqual(placeOf(known(3), options, "/repo"), published);
  assert.deepEqual(placeOf(known(0), { ...options, only: undefined }, "/repo"), published);
  assert.deepEqual(placeOf(known(0), { ...options, isPublished: true }, "/repo"), published);
  assert.equal(placeOf(known(3), { ...options, isQuick: true }, "/repo").folder, join("/cache", "quick"));
});
