import assert from "node:assert/strict";
import { test } from "node:test";
import { errorBody, errorEvent, refuse } from "./errors.ts";

test("an event, behind which no header comes, says itself when to come again", () => {
  const refusal = refuse("overloaded", "Full.", { retryAfterSeconds: 11.2 });
  const event = errorEvent(refusal);
  assert.match(event, /^data: \{"error":\{.*\}\}\n\n$/);
  const { error } = JSON.parse(event.slice(6)) as { error: Record<string, unknown> };
  assert.deepEqual([error["next"], error["retry_after"]], ["Wait 12 s.", 12]);
  const whole = JSON.parse(errorBody(refusal)) as { error: Record<string, unknown> };
  assert.deepEqual(
    [whole.error["next"], whole.error["retry_after"]],
    ["Wait as long as the `retry-after` header says.", undefined],
  );
  assert.equal(
    errorEvent(refuse("engine_failed", "It failed.")),
    `data: ${errorBody(refuse("engine_failed", "It failed."))}\n\n`,
  );
});

test("no event names a header that it does not have", () => {
  for (const code of ["overloaded", "rate_limited", "preempted", "engine_unavailable", "proof_pending"] as const)
    assert.doesNotMatch(errorEvent(refuse(code, "No.", { retryAfterSeconds: 1 })), /header/);
});
