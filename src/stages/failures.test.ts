import assert from "node:assert/strict";
import { test } from "node:test";
import { errorBody, refuse } from "../base/index.ts";
import { gaveWay } from "./failures.ts";

test("an answer that gave way is told from a refusal, which comes before any work", () => {
  const preempted = Buffer.from(errorBody(refuse("preempted", "It gave way.")));
  assert.equal(gaveWay(503, preempted), true);
  assert.equal(gaveWay(502, preempted), false);
  assert.equal(gaveWay(503, Buffer.from(errorBody(refuse("overloaded", "Full.")))), false);
  assert.equal(gaveWay(503, Buffer.from("busy")), false);
});
