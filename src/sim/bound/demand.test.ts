import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { prefillMs, type Speed, stepMs } from "../../pool/index.ts";
import type { SimulatedRequest } from "../outcome.ts";
import { chainOf } from "./chain.ts";
import { TokenCosts } from "./costs.ts";
import { demandsMs } from "./demand.ts";
import { demandWithMissedMs } from "./missed.ts";
import { requestsOf } from "./testing.ts";

/** Few enough to try everything. */
const tinyRequests = fc
  .array(
    fc.record({
      atMs: fc.integer({ min: 0, max: 14 }),
      ttftMs: fc.integer({ min: 1, max: 8 }),
      tpotMs: fc.integer({ min: 1, max: 4 }),
      inputTokens: fc.integer({ min: 1, max: 12 }),
      outputTokens: fc.integer({ min: 1, max: 4 }),
    }),
    { minLength: 1, maxLength: 3 },
  )
  .map(requestsOf);

const partMs = fc.integer({ min: 0, max: 5 });
const speeds = fc.record({
  prefillFixedMs: partMs,
  prefillTokenMs: fc.constantFrom(0, 0.1, 0.5, 1),
  prefillTokenSquaredMs: fc.constantFrom(0, 0, 0.1),
  decodeFixedMs: partMs,
  decodeSequenceMs: fc.constantFrom(0, 1, 3),
  decodeContextTokenMs: fc.constantFrom(0, 0.1, 1),
  loadMs: fc.constant(0),
});

test("demand is never more than the cheapest way to meet all deadlines, prompts made again among them", () => {
  let equal = 0;
  fc.assert(
    fc.property(speeds, tinyRequests, (speed, requests) => {
      const cheapestMs = cheapest(speed, requests);
      const demandMs = demandsMs([chainsOf(speed, requests)], 0, [1000])[0]!;
      assert.ok(demandMs <= cheapestMs + 1e-9, `${demandMs} > ${cheapestMs}`);
      if (demandMs > cheapestMs - 1e-9) equal++;
    }),
    { numRuns: 300 },
  );
  assert.ok(equal > 100, `only ${equal} of 300 are as high as they can be`);
});

test("whichever requests are missed, the demand that is left is no less than what was said", () => {
  fc.assert(
    fc.property(speeds, tinyRequests, fc.integer({ min: 1, max: 2 }), (speed, requests, missedMax) => {
      const demandMs = demandWithMissedMs([chainsOf(speed, requests)], 0, 1000, missedMax, 12);
      for (const met of without(requests, missedMax)) {
        const cheapestMs = cheapest(speed, met);
        assert.ok(demandMs <= cheapestMs + 1e-9, `${demandMs} > ${cheapestMs} for ${met.map(({ id }) => id).join()}`);
      }
    }),
    { numRuns: 200 },
  );
});

test("more requests never lower the demand of a window", () => {
  fc.assert(
    fc.property(speeds, tinyRequests, tinyRequests, fc.integer({ min: -1, max: 20 }), (speed, some, more, fromMs) => {
      const endsMs = [10, 15, 20, 30, 50, 1000].filter((endMs) => endMs > fromMs);
      const few = demandsMs([chainsOf(speed, some)], fromMs, endsMs);
      const many = demandsMs([chainsOf(speed, [...some, ...more])], fromMs, endsMs);
      for (const [end, demandMs] of few.entries()) assert.ok(many[end]! >= demandMs - 1e-9);
    }),
    { numRuns: 300 },
  );
});

test("a window that is longer at either side asks for no less", () => {
  fc.assert(
    fc.property(speeds, tinyRequests, fc.integer({ min: 0, max: 20 }), (speed, requests, fromMs) => {
      const chains = chainsOf(speed, requests);
      const endsMs = [25, 30, 50, 1000];
      const short = demandsMs([chains], fromMs, endsMs);
      const long = demandsMs([chains], fromMs - 2, endsMs);
      for (const [end, demandMs] of short.entries()) {
        assert.ok(long[end]! >= demandMs - 1e-9);
        if (end > 0) assert.ok(demandMs >= short[end - 1]! - 1e-9);
      }
    }),
    { numRuns: 300 },
  );
});

function chainsOf(speed: Speed, requests: readonly SimulatedRequest[]): ReturnType<typeof chainOf>[] {
  const costs = new TokenCosts(speed, speed, 20);
  return requests.map((request) => chainOf(request, costs)).toSorted((a, b) => a.atMs - b.atMs);
}

function without(requests: readonly SimulatedRequest[], missed: number): SimulatedRequest[][] {
  if (missed === 0) return [[...requests]];
  return requests.flatMap((_, index) => without(requests.toSpliced(index, 1), missed - 1));
}

/**
 * By trying: any goes at the times at which tokens are due (earlier ones could as well wait until then), each a prompt
 * turn or a decode step for any of the requests that have come. They cost what they cost and take no time.
 */
function cheapest(speed: Speed, requests: readonly SimulatedRequest[]): number {
  const dues = requests.map(({ atMs, objective, outputTokens }) =>
    Array.from({ length: outputTokens }, (_, token) => atMs + objective.ttftMs + token * objective.tpotMs),
  );
  let states = new Map([[requests.map(() => 0).join(), 0]]);
  for (const time of [...new Set(dues.flat())].sort((a, b) => a - b)) {
    const reached = new Map(states);
    // A go only adds tokens, so that in the order of their sums each state is complete before it is left.
    const most = dues.reduce((sum, { length }) => sum + length, 0);
    for (let given = 0; given <= most; given++) {
      for (const [state, costMs] of reached) {
        const tokens = state.split(",").map(Number);
        if (tokens.reduce((sum, count) => sum + count, 0) !== given) continue;
        for (const [next, goMs] of goes(speed, requests, tokens, time)) {
          reached.set(next, Math.min(reached.get(next) ?? Infinity, costMs + goMs));
        }
      }
    }
    states = new Map([...reached].filter(([state]) => isInTime(state.split(",").map(Number), dues, time)));
  }
  return Math.min(Infinity, ...states.values());
}

function* goes(
  speed: Speed,
  requests: readonly SimulatedRequest[],
  tokens: readonly number[],
  time: number,
): Generator<[string, number]> {
  for (let set = 1; set < 1 << requests.length; set++) {
    const members = requests.map((_, index) => index).filter((index) => (set >> index) & 1);
    const isReady = members.every(
      (index) => requests[index]!.atMs <= time && tokens[index]! < requests[index]!.outputTokens,
    );
    if (!isReady) continue;
    const next = tokens.map((count, index) => count + ((set >> index) & 1)).join();
    const contexts = members.map((index) => requests[index]!.inputTokens + tokens[index]!);
    const promptsMs = contexts.reduce((sum, context) => sum + prefillMs(speed, context) - speed.prefillFixedMs, 0);
    yield [next, speed.prefillFixedMs + promptsMs];
    if (members.some((index) => tokens[index] === 0)) continue;
    yield [
      next,
      stepMs(
        speed,
        members.length,
        contexts.reduce((sum, context) => sum + context, 0),
      ),
    ];
  }
}

function isInTime(tokens: readonly number[], dues: readonly (readonly number[])[], time: number): boolean {
  return dues.every((due, index) => due.filter((dueMs) => dueMs <= time).length <= tokens[index]!);
}
