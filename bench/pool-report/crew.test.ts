import assert from "node:assert/strict";
import { test } from "node:test";
import { runRows } from "./crew.ts";
import { coreRows } from "./matrix.ts";
import type { Row } from "./row.ts";
import type { Answer } from "./worker.ts";

const extent = { seeds: 1, minutes: 1 };
const rows = coreRows(extent).filter(({ name }) => name.startsWith("mixed/2xh100+6xa10"));

function collect(): { readonly answers: Map<string, Answer>; readonly answered: (row: Row, answer: Answer) => void } {
  const answers = new Map<string, Answer>();
  return { answers, answered: (row, answer) => void answers.set(row.name, answer) };
}

test("threads share the rows, and each is answered once", async () => {
  const { answers, answered } = collect();
  await runRows(rows, { threads: 2, rowMaxMs: 60_000, traces: undefined, answered });
  assert.deepEqual([...answers.keys()].sort(), rows.map(({ name }) => name).sort());
  assert.deepEqual(new Set([...answers.values()].map(({ kind }) => kind)), new Set(["result"]));
});

test("a row that cannot be measured, or not in time, stops no other", async () => {
  const { answers, answered } = collect();
  const [first, second] = rows;
  const wrong: Row = { ...first!, setting: { ...first!.setting, shapes: "no-such-model" } };
  await runRows([wrong, second!], { threads: 1, rowMaxMs: 60_000, traces: undefined, answered });
  assert.deepEqual(
    [...answers.values()].map(({ kind }) => kind),
    ["failure", "result"],
  );
  const late = collect();
  await runRows(rows.slice(0, 2), { threads: 1, rowMaxMs: 1, traces: undefined, answered: late.answered });
  assert.deepEqual(
    [...late.answers.values()].map((answer) => (answer.kind === "failure" ? answer.message : "")),
    ["took more than 0.001 s", "took more than 0.001 s"],
  );
});
