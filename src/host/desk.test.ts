import assert from "node:assert/strict";
import { test } from "node:test";
import { readPromise } from "./desk.ts";

test("what the gateway promised is read as it is sent, and two numbers are asked of an objective", () => {
  assert.deepEqual(readPromise({}), { objective: undefined, isPreemptible: false, serviceTier: undefined });
  assert.deepEqual(readPromise({ "bailiwick-objective": "10000/100" }), {
    objective: { ttftMs: 10_000, tpotMs: 100 },
    isPreemptible: false,
    serviceTier: undefined,
  });
  const batch = { "bailiwick-objective": "300000/2000", "bailiwick-preemptible": "yes" };
  const told = { ...batch, "bailiwick-service-tier": "flex" };
  const objective = { ttftMs: 300_000, tpotMs: 2_000 };
  assert.deepEqual(readPromise(told), { objective, isPreemptible: true, serviceTier: "flex" });
  for (const wrong of ["", "10000", "10000/", "0/100", "1.5/100", "-1/5", "10000/100/1", "1234567890/1"]) {
    const refused = readPromise({ "bailiwick-objective": wrong });
    assert.ok("outcome" in refused, wrong);
    assert.deepEqual([refused.code, refused.param], ["invalid_request", "bailiwick-objective"]);
  }
});
