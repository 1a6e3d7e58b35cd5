import assert from "node:assert/strict";
import { appendFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import fc from "fast-check";
import { ManualClock, type RequestId, type Usage } from "../base/index.ts";
import type { Sequence, SequenceCounts } from "../engine/index.ts";
import { Tallies, type TalliesOptions, Tally } from "./tally.ts";

const clock = new ManualClock(1_700_000_000_000);
const idOf = (index: number): RequestId => `req_01HF7YAT${String(index).padStart(18, "0")}`;

function folderOf(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "bailiwick-tally-"));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function open(folder: string, boot: string, more: Partial<TalliesOptions> = {}): Tallies {
  const usual = { clock, folder, boot, progressBytes: 1 << 20, unacknowledged: 1_000 };
  return new Tallies({ ...usual, schedule: () => undefined, onFailure: () => undefined, ...more });
}

function begin(tallies: Tallies, index: number): Tally {
  const tally = tallies.begin(idOf(index), { byGateway: true, isAgain: false });
  if ("outcome" in tally) assert.fail(tally.message);
  return tally;
}

/** A sequence that has counted so much. */
function counted(outputTokens: number, inputTokens = 10): Sequence & { tokens: number } {
  return {
    tokens: outputTokens,
    counts(): SequenceCounts {
      return { inputTokens, cachedInputTokens: 1, outputTokens: this.tokens, reasoningTokens: 0 };
    },
    // Nobody reads it here.
    async *[Symbol.asyncIterator]() {},
  };
}

const usageOf = (outputTokens: number): Usage => {
  return { inputTokens: 10, cachedInputTokens: 1, outputTokens, reasoningTokens: 0 };
};

test("what had not ended when the process died ended in error, with the last recorded counts", async (context) => {
  const folder = folderOf(context);
  const first = open(folder, "1");
  const sequence = counted(1);
  const running = begin(first, 1);
  running.add(sequence, true);
  first.record();
  sequence.tokens = 5;
  running.moved();
  first.record();
  const ended = begin(first, 2);
  ended.add(counted(7), true);
  ended.end("length");
  first.record();
  const settled = begin(first, 3);
  settled.end("stop");
  first.record();
  first.acknowledge([idOf(3)]);
  first.record();
  // No close: the process was killed. Its last line was being written.
  appendFileSync(join(folder, "progress-1"), `${idOf(2)} 10 1 9`);
  const second = open(folder, "2");
  assert.deepEqual(await second.counts(idOf(1), 0), { request: idOf(1), usage: usageOf(5), ending: "error" });
  assert.deepEqual(await second.counts(idOf(2), 0), { request: idOf(2), usage: usageOf(7), ending: "length" });
  assert.equal(await second.counts(idOf(3), 0), undefined);
  assert.deepEqual(readdirSync(folder), ["progress-2"]);
  second.acknowledge([idOf(1), idOf(2)]);
  second.close();
  const third = open(folder, "3");
  assert.equal(await third.counts(idOf(1), 0), undefined);
  third.close();
});

test("a question for counts waits for the end, within its bound", async (context) => {
  const tallies = open(folderOf(context), "1");
  const tally = begin(tallies, 1);
  tally.add(counted(3), true);
  const tooEarly = tallies.counts(idOf(1), 100);
  clock.advance(100);
  assert.equal(await tooEarly, "running");
  const patient = tallies.counts(idOf(1), 1_000_000);
  tally.end("abort");
  tallies.record();
  assert.deepEqual(await patient, { request: idOf(1), usage: usageOf(3), ending: "abort" });
  tallies.close();
});

test("several answers: a prompt is counted once, their tokens are summed", () => {
  const tally = new Tally(idOf(1), undefined);
  tally.add(counted(3), true);
  tally.add(counted(4), false);
  assert.deepEqual(tally.usage, usageOf(7));
});

test("an id is counted once, and what nobody acknowledges is bounded", (context) => {
  const tallies = open(folderOf(context), "1", { unacknowledged: 2 });
  begin(tallies, 1).end("stop");
  const again = tallies.begin(idOf(1), { byGateway: true, isAgain: false });
  assert.equal("outcome" in again && again.code, "invalid_request");
  begin(tallies, 2).end("stop");
  tallies.record();
  const third = tallies.begin(idOf(3), { byGateway: true, isAgain: false });
  assert.equal("outcome" in third && third.code, "overloaded");
  clock.advance(8 * 24 * 3_600_000);
  begin(tallies, 3);
  tallies.close();
});

test("the file stays small, whatever goes through it, and keeps what is live", (context) => {
  fc.assert(
    fc.property(fc.array(fc.boolean(), { maxLength: 400 }), (acknowledgements) => {
      const folder = folderOf(context);
      const tallies = open(folder, "1", { progressBytes: 4_096 });
      const kept: number[] = [];
      for (const [index, isAcknowledged] of acknowledgements.entries()) {
        const tally = begin(tallies, index);
        tally.add(counted(index), true);
        tallies.record();
        tally.end("stop");
        tallies.record();
        // At most a few stay, so that the bound is not theirs.
        if (isAcknowledged || kept.length >= 10) tallies.acknowledge([idOf(index)]);
        else kept.push(index);
      }
      tallies.close();
      assert.ok(statSync(join(folder, "progress-1")).size < 4_096 + 1_024);
      const lines = readFileSync(join(folder, "progress-1"), "utf8");
      for (const index of kept) assert.ok(lines.includes(idOf(index)));
      rmSync(folder, { recursive: true });
    }),
    { numRuns: 20 },
  );
});

test("a disk that takes no more stops new requests, not running ones, until it does", async (context) => {
  const folder = join(folderOf(context), "counts");
  const failures: unknown[] = [];
  const tallies = open(folder, "1", { progressBytes: 16, onFailure: (error) => failures.push(error) });
  const tally = begin(tallies, 1);
  tally.add(counted(1), true);
  rmSync(folder, { recursive: true });
  tallies.record();
  assert.equal(failures.length, 1);
  const refused = tallies.begin(idOf(2), { byGateway: true, isAgain: false });
  assert.equal("outcome" in refused && refused.code, "engine_unavailable");
  tally.end("stop");
  tallies.record();
  mkdirSync(folder);
  tallies.sweep();
  begin(tallies, 2);
  tallies.close();
  const next = open(folder, "2");
  assert.deepEqual(await next.counts(idOf(1), 0), { request: idOf(1), usage: usageOf(1), ending: "stop" });
  next.close();
});
