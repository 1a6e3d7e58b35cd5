import assert from "node:assert/strict";
import { test } from "node:test";
import { readPromise } from "./desk.ts";

test("what the gateway promised is read as it is sent, and two numbers are asked of an objective", () => {
  const unsaid = { objective: undefined, isPreemptible: false, weight: 1, serviceTier: undefined };
  assert.deepEqual(readPromise({}), unsaid);
  assert.deepEqual(readPromise({ "bailiwick-objective": "10000/100" }), {
    ...unsaid,
    objective: { ttftMs: 10_000, tpotMs: 100 },
  });
  const batch = { "bailiwick-objective": "300000/2000", "bailiwick-preemptible": "yes" };
  const told = { ...batch, "bailiwick-service-tier": "flex", "bailiwick-weight": "3" };
  const objective = { ttftMs: 300_000, tpotMs: 2_000 };
  assert.deepEqual(readPromise(told), { objective, isPreemptible: true, weight: 3, serviceTier: "flex" });
  for (const wrong of ["", "10000", "10000/", "0/100", "1.5/100", "-1/5", "10000/100/1", "1234567890/1"]) {
    const refused = readPromise({ "bailiwick-objective": wrong });
    assert.ok("outcome" in refused, wrong);
    assert.deepEqual([refused.code, refused.param], ["invalid_request", "bailiwick-objective"]);
  }
});

test("a weight is a whole number from 1", () => {
  const weighty = readPromise({ "bailiwick-weight": "3" });
  assert.ok("weight" in weighty && weighty.weight === 3);
  for (const wrong of ["0", "-1", "1.5", "heavy", ""]) {
    const refused = readPromise({ "bailiwick-weight": wrong });
    assert.ok("outcome" in refused, wrong);
    assert.deepEqual([refused.code, refused.param], ["invalid_request", "bailiwick-weight"]);
  }
});
