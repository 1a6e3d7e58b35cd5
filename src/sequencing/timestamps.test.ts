import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { ManualClock } from "../base/index.ts";
import { timestampResource, Timestamps } from "./timestamps.ts";

/** A log that grows, and an authority whose replies name what they are over. */
function growing(context: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), "bailiwick-timestamps-"));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  const clock = new ManualClock(0);
  const asked: string[] = [];
  const failures: unknown[] = [];
  let isAway = false;
  const open = () =>
    new Timestamps({
      clock,
      stamp: (note) => {
        asked.push(note.toString());
        return isAway ? Promise.reject(new Error("away")) : Promise.resolve(Buffer.from(`over ${note.toString()}`));
      },
      onFailure: (error) => failures.push(error),
    });
  const pass = async (ms: number): Promise<void> => {
    clock.advance(ms);
    // What the clock has set off writes its files before the next turn.
    for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
  };
  const shownTo = (timestamps: Timestamps, size: number): void =>
    timestamps.shown({ size, note: Buffer.from(`checkpoint ${size}`), folder });
  const textOf = (path: string) => timestampResource(folder, path)?.bytes.toString();
  return { asked, failures, open, pass, shownTo, textOf, away: (is: boolean) => void (isAway = is) };
}

const hourMs = 3_600_000;

test("the newest checkpoint is dated at once and then once an hour, where the log has grown", async (context) => {
  const { asked, open, pass, shownTo, textOf } = growing(context);
  const timestamps = open();
  assert.equal(textOf("timestamps"), "");
  for (const size of [1, 2]) shownTo(timestamps, size);
  await pass(0);
  for (const size of [3, 4]) shownTo(timestamps, size);
  await pass(hourMs - 1);
  assert.deepEqual(asked, ["checkpoint 2"]);
  await pass(1);
  await pass(5 * hourMs);
  assert.deepEqual(asked, ["checkpoint 2", "checkpoint 4"], "nothing new was shown since");
  assert.equal(textOf("timestamps"), "4\n2\n");
  assert.deepEqual([textOf("timestamps/4"), textOf("timestamps/4.tsr")], ["checkpoint 4", "over checkpoint 4"]);
  for (const path of ["timestamps/3", "timestamps/04", "timestamps/../begun", "timestamps/4.tsr.new", "timestamps/"])
    assert.equal(textOf(path), undefined, path);
  const after = open();
  shownTo(after, 4);
  await pass(0);
  assert.equal(asked.length, 2, "another process has had it dated");
});

test("an authority that is away is told of and asked again, for what is newest then; nobody is asked after the end", async (context) => {
  const { asked, failures, away, open, pass, shownTo, textOf } = growing(context);
  away(true);
  const timestamps = open();
  shownTo(timestamps, 1);
  await pass(0);
  assert.equal(failures.length, 1);
  shownTo(timestamps, 2);
  away(false);
  await pass(299_999);
  assert.deepEqual(asked, ["checkpoint 1"]);
  await pass(1);
  assert.deepEqual([asked.at(-1), textOf("timestamps")], ["checkpoint 2", "2\n"]);
  shownTo(timestamps, 3);
  timestamps.close();
  await pass(2 * hourMs);
  assert.equal(asked.length, 2);
});
