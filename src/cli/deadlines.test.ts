import assert from "node:assert/strict";
import { test } from "node:test";
import { type Deadlines, deadlinesOf, deadlinesText } from "./deadlines.ts";

const due = (tier: Deadlines["tier"], ttftMs: number | null, requests: number, more: Partial<Deadlines> = {}) => {
  const tpotMs = ttftMs === null ? null : 250;
  return { deadlines: [{ tier, ttftMs, tpotMs, requests, outputTokens: 10 * requests, uncounted: 0, ...more }] };
};

test("deadlines are added up by tier and objective: the soonest first, what nobody noted last", () => {
  const found = deadlinesOf([
    due(null, null, 1),
    due("batch", 300_000, 2),
    due("standard", 60_000, 3),
    due("standard", null, 1),
    due("batch", 300_000, 4, { outputTokens: 7, uncounted: 3 }),
    due("standard", 9_000, 5),
    due("interactive", 900_000, 1, { outputTokens: 0 }),
    { deadlines: [] },
  ]);
  assert.deepEqual(
    found.map(({ tier, ttftMs, tpotMs, requests, outputTokens, uncounted }) => [
      tier,
      ttftMs,
      tpotMs,
      requests,
      outputTokens,
      uncounted,
    ]),
    [
      ["interactive", 900_000, 250, 1, 0, 0],
      ["standard", 9_000, 250, 5, 50, 0],
      ["standard", 60_000, 250, 3, 30, 0],
      ["standard", null, null, 1, 10, 0],
      ["batch", 300_000, 250, 6, 27, 3],
      [null, null, null, 1, 10, 0],
    ],
  );
});

test("deadlines are told in words, and what is not known of them", () => {
  assert.equal(deadlinesText([]), "none");
  assert.equal(
    deadlinesText(
      deadlinesOf([due("batch", 300_000, 1), due("standard", null, 2), due(null, null, 2, { uncounted: 1 })]),
    ),
    "2 requests, 20 output tokens: standard (objective not known, an earlier release took them); " +
      "1 request, 10 output tokens: batch (ttft 300000 ms, tpot 250 ms); " +
      "2 requests, 20 output tokens and those of 1 that nobody has counted: not known, an earlier release took them",
  );
});
