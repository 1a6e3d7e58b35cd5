import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Speed } from "../../pool/index.ts";
import { chainOf, type Chain, lastDueMs } from "./chain.ts";
import { TokenCosts } from "./costs.ts";
import { Relay } from "./relay.ts";
import { runnersFrom } from "./runner.ts";
import { requestsOf } from "./testing.ts";

/** Few enough to try everything. */
const tinyRequests = fc
  .array(
    fc.record({
      atMs: fc.integer({ min: 0, max: 14 }),
      ttftMs: fc.integer({ min: 1, max: 8 }),
      tpotMs: fc.integer({ min: 1, max: 4 }),
      inputTokens: fc.constant(1),
      outputTokens: fc.integer({ min: 1, max: 4 }),
    }),
    { minLength: 1, maxLength: 3 },
  )
  .map(requestsOf);

/** Each go costs 1, and its tokens nothing beside it. */
const counting: Speed = {
  prefillFixedMs: 1,
  prefillTokenMs: 0,
  prefillTokenSquaredMs: 0,
  decodeFixedMs: 1,
  decodeSequenceMs: 0,
  decodeContextTokenMs: 0,
  loadMs: 0,
};
const costs = new TokenCosts(counting, counting, 100);

function worth(chains: readonly Chain[], beforeMs = Infinity): number {
  return new Relay(runnersFrom(chains, 0)).worthMs(beforeMs);
}

test("one request alone needs as many steps as it has tokens", () => {
  const [request] = requestsOf([{ atMs: 5, ttftMs: 10, tpotMs: 3, inputTokens: 4, outputTokens: 7 }]);
  assert.equal(worth([chainOf(request!, costs)]), 7);
});

test("a request that comes while another has enough steps left shares all of them", () => {
  const requests = requestsOf([
    { atMs: 0, ttftMs: 10, tpotMs: 10, inputTokens: 4, outputTokens: 10 },
    { atMs: 45, ttftMs: 20, tpotMs: 10, inputTokens: 4, outputTokens: 5 },
    { atMs: 95, ttftMs: 20, tpotMs: 10, inputTokens: 4, outputTokens: 5 },
  ]);
  // The second takes part in the steps at 50, 60, 70, 80 and 90; the third in the one at 100 only.
  assert.equal(worth(requests.map((request) => chainOf(request, costs))), 14);
});

test("its worth is the fewest steps that meet all deadlines, and all of those before any time", () => {
  fc.assert(
    fc.property(tinyRequests, fc.integer({ min: 1, max: 40 }), (requests, beforeMs) => {
      const chains = requests.map((request) => chainOf(request, costs)).toSorted((a, b) => a.atMs - b.atMs);
      assert.equal(worth(chains), fewestSteps(chains, Infinity));
      assert.equal(worth(chains, beforeMs), fewestSteps(chains, beforeMs));
    }),
    { numRuns: 300 },
  );
});

test("its legs are what it is worth, and no two lead at once", () => {
  fc.assert(
    fc.property(tinyRequests, (requests) => {
      const chains = requests.map((request) => chainOf(request, costs)).toSorted((a, b) => a.atMs - b.atMs);
      const relay = new Relay(runnersFrom(chains, 0));
      const worthMs = relay.worthMs(Infinity);
      const legs = relay.legs().toReversed();
      assert.equal(
        legs.reduce((sum, { to }) => sum + to, 0),
        worthMs,
      );
      let overMs = -Infinity;
      for (const { runner, to } of legs) {
        assert.ok(chains[runner]!.atMs > overMs);
        overMs = chains[runner]!.dueMs + (to - 1) * chains[runner]!.tpotMs;
      }
    }),
    { numRuns: 300 },
  );
});

/** By trying: steps at some of the times at which tokens are due, for all that have come by then. */
function fewestSteps(chains: readonly Chain[], beforeMs: number): number {
  const dues = chains.flatMap(({ dueMs, tpotMs, tokens }) =>
    Array.from({ length: tokens }, (_, token) => dueMs + token * tpotMs).filter((due) => due < beforeMs),
  );
  const times = [...new Set(dues)].sort((a, b) => a - b);
  for (let steps = 0; ; steps++) if (isEnough(chains, beforeMs, times, steps, [])) return steps;
}

function isEnough(
  chains: readonly Chain[],
  beforeMs: number,
  times: readonly number[],
  more: number,
  chosen: readonly number[],
): boolean {
  if (more === 0) return chains.every((chain) => isMet(chain, beforeMs, chosen));
  return times.some(
    (time, index) =>
      isMetSoFar(chains, beforeMs, chosen, time) &&
      isEnough(chains, beforeMs, times.slice(index), more - 1, [...chosen, time]),
  );
}

function isMetSoFar(chains: readonly Chain[], beforeMs: number, chosen: readonly number[], time: number): boolean {
  return chains.every((chain) => isMet(chain, Math.min(beforeMs, time), chosen));
}

function isMet(chain: Chain, beforeMs: number, chosen: readonly number[]): boolean {
  const untilMs = Math.min(lastDueMs(chain), beforeMs);
  for (let token = 0; token < chain.tokens; token++) {
    const dueMs = chain.dueMs + token * chain.tpotMs;
    if (dueMs > untilMs || dueMs >= beforeMs) return true;
    if (chosen.filter((time) => time >= chain.atMs && time <= dueMs).length <= token) return false;
  }
  return true;
}
