import assert from "node:assert/strict";
import test from "node:test";
import { faultsIn, mayIssue, numberIn, seriesKey } from "./numbering.ts";

const series = { seller: "cloud", kind: "invoice", year: 2026, prefix: "INV" } as const;

test("numbers follow one another in a series of seller, kind and year; credit notes have their own", () => {
  assert.deepEqual(
    [numberIn(series, 0), numberIn(series, 1), numberIn(series, 1_234_567)],
    ["INV-2026-000001", "INV-2026-000002", "INV-2026-1234568"],
  );
  const keys = [
    series,
    { ...series, kind: "credit-note" },
    { ...series, year: 2027 },
    { ...series, seller: "other" },
  ] as const;
  assert.equal(new Set(keys.map(seriesKey)).size, 4);
});

test("a number's day lies in its year and not before the number before it", () => {
  assert.equal(mayIssue(series, "2026-01-01", undefined), undefined);
  assert.equal(mayIssue(series, "2026-04-01", "2026-04-01"), undefined);
  for (const [day, newest] of [
    ["2026-03-31", "2026-04-01"],
    ["2027-01-01", undefined],
    ["2026-02-30", undefined],
  ] as const) {
    assert.equal(mayIssue(series, day, newest)?.outcome, "refused", day);
  }
});

test("gaps, repetitions and strangers in a series are found, and a whole one has none", () => {
  const whole = Array.from({ length: 20 }, (_, last) => numberIn(series, last));
  assert.deepEqual(faultsIn(series, whole.toReversed()), []);
  const broken = [...whole.slice(0, 7), ...whole.slice(8, 12), ...whole.slice(15), whole[2]!, "INV-2025-000001", "X-1"];
  assert.deepEqual(faultsIn(series, broken), [
    "INV-2025-000001 is none of the series",
    "X-1 is none of the series",
    "INV-2026-000003 is there twice",
    "INV-2026-000008 is missing",
    "INV-2026-000013 to INV-2026-000015 are missing",
  ]);
});
