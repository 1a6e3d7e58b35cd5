import assert from "node:assert/strict";
import { test } from "node:test";
import { type Measured, type MeasuredRound, summarize } from "./gateway-aims.ts";
import { distribution } from "./statistics.ts";

function round(
  round: number,
  target: MeasuredRound["target"],
  shape: MeasuredRound["shape"],
  more: Partial<MeasuredRound>,
) {
  return {
    round,
    target,
    shape,
    requests: 1000,
    events: 10_000,
    pieces: 10_000,
    elapsedMs: 1000,
    latencyMs: distribution([20]),
    lagMs: distribution([0]),
    failures: 0,
    firstFailure: undefined,
    cpuMs: 50,
    childrenCpuMs: 0,
    residentBytes: 100 * 2 ** 20,
    ...more,
  } satisfies MeasuredRound;
}

const measured: Measured = {
  rounds: [0, 1, 2].flatMap((number) => {
    // The machine is slower by the round; the ratios stay.
    const slow = number + 1;
    return [
      round(number, "bare", "request", { cpuMs: 50 * slow }),
      round(number, "bailiwick", "request", { cpuMs: 100 * slow }),
      round(number, "bare", "stream", { cpuMs: 100 * slow }),
      round(number, "bailiwick", "stream", { cpuMs: 140 * slow }),
      round(number, "direct", "latency", { latencyMs: distribution([20 * slow]) }),
      round(number, "bailiwick", "latency", { latencyMs: distribution([20 * slow + 3]) }),
    ];
  }),
  fdatasyncMs: [distribution([1.5])],
  absent: { "vllm-router": "not installed" },
};

test("ratios compare within a round, and an absent peer is an aim that is not met", () => {
  const { aims, results } = summarize(measured, {});
  assert.deepEqual(
    aims.map(({ value, met }) => [value, met]),
    [
      [2, true],
      [null, false],
      [3, true],
      [1.4, false],
      [null, false],
      [100, true],
    ],
  );
  assert.equal(aims[2]?.aim, "<= 3.5");
  const { bailiwick } = results["figures"] as { bailiwick: Record<string, number> };
  assert.equal(bailiwick["cpuPerRequestMicroseconds"], 200);
  assert.equal(bailiwick["cpuPerEventMicroseconds"], 28);
});
