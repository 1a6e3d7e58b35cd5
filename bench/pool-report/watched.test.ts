import assert from "node:assert/strict";
import { test } from "node:test";
import type { Effect, Scheduler } from "../../src/pool/index.ts";
import type { SimulatedRequest } from "../../src/sim/index.ts";
import { Endless, Hopeless, watched } from "./watched.ts";

const requests = Array.from({ length: 10 }, (_, index): SimulatedRequest => {
  const objective = { ttftMs: 1000, tpotMs: 100 };
  const id = `request-${index}`;
  const lengths = { inputTokens: 10, outputTokens: 10, maxOutputTokens: 10 };
  return { id, atMs: index * 100, model: "model", tenant: "tenant", objective, ...lengths };
});
const woken = { kind: "woken" } as const;

/** Gives these effects, one list for each event. */
function giving(...effects: (readonly Effect[])[]): Scheduler {
  return { decide: () => effects.shift() ?? [] };
}

function prefill(...ids: readonly string[]): readonly Effect[] {
  return [{ kind: "prefill", device: "d", model: "model", requests: ids }];
}

test("what the scheduler decides passes unchanged", () => {
  const effects = prefill("request-0");
  assert.equal(watched(giving(effects), requests, 1).decide(woken, 0), effects);
});

test("a refusal is a miss, once", () => {
  const refusal = (id: string): Effect => ({ kind: "refuse", request: id, reason: "overloaded" });
  const scheduler = watched(giving([refusal("request-0")], [], [refusal("request-9")]), requests, 0.9);
  scheduler.decide(woken, 0);
  scheduler.decide(woken, 1050);
  assert.throws(() => scheduler.decide(woken, 1060), Hopeless);
});

test("a prompt that has not begun when its token is due is a miss; one that has begun may be met", () => {
  const scheduler = watched(giving(prefill("request-0", "request-1")), requests, 0.9);
  scheduler.decide(woken, 1000);
  scheduler.decide(woken, 1200);
  scheduler.decide(woken, 1300);
  assert.throws(
    () => scheduler.decide(woken, 1301),
    (error) => error instanceof Hopeless && error.attainedMost === 0.8,
  );
});

test("a run that may miss all of them is not ended", () => {
  watched(giving(), requests, 0).decide(woken, 100_000);
});

test("who decides without end is stopped", () => {
  const scheduler = watched(giving(), requests, 0);
  assert.throws(() => {
    for (;;) scheduler.decide(woken, 0);
  }, Endless);
});
