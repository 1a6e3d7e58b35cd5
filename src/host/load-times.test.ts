import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { LoadTimes } from "./load-times.ts";

const models = [
  { name: "a", key: "1", estimateMs: 100 },
  { name: "again", key: "1", estimateMs: 100 },
  { name: "b", key: "2", estimateMs: 400 },
  { name: "c", key: "3", estimateMs: 1_000 },
];

test("what was seen counts, also at the next start; the rest is guessed by how far off the estimates were", (context) => {
  const folder = mkdtempSync(join(tmpdir(), "bailiwick-loads-"));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  const times = new LoadTimes(folder, models);
  const guesses = (of: LoadTimes): readonly number[] => models.map(({ name }) => Math.round(of.guessMs(name)));
  assert.deepEqual(guesses(times), [100, 100, 400, 1_000], "nothing was seen: the estimates stand");
  times.took("a", 800);
  assert.deepEqual(guesses(times), [800, 800, 3_200, 8_000], "the same file under another name takes as long");
  times.took("b", 800);
  assert.deepEqual(guesses(times), [800, 800, 800, 4_000], "eight times and twice are four times in the mean");
  times.took("b", 1_600);
  assert.deepEqual(guesses(times), [800, 800, 1_200, 4_899]);
  assert.deepEqual(guesses(new LoadTimes(folder, models)), [800, 800, 1_200, 4_899]);
  const others = [{ name: "d", key: "4", estimateMs: 50 }];
  assert.equal(new LoadTimes(folder, others).guessMs("d"), 50, "what is not served any more says nothing");
  writeFileSync(join(folder, "load-times.json"), '{"1": -5');
  assert.deepEqual(guesses(new LoadTimes(folder, models)), [100, 100, 400, 1_000]);
});

test("where nothing can be written the times are known all the same", () => {
  const times = new LoadTimes("/nonexistent/for/this/test", models);
  times.took("a", 300);
  assert.equal(times.guessMs("a"), 300);
});
