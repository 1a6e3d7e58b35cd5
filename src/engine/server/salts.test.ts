import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { Salts } from "./salts.ts";

test("a salt is one tenant's, stays until it is forgotten, and never comes back", () => {
  const salts = new Salts(randomBytes);
  const [a, b] = [salts.of("a"), salts.of("b")];
  assert.notEqual(a, b);
  assert.equal(salts.of("a"), a);
  salts.forget("a");
  const second = salts.of("a");
  assert.notEqual(second, a);
  assert.equal(salts.of("b"), b);
  // So many are forgotten that those of all are replaced: what was forgotten first is not what it was, either.
  for (let at = 0; at < 10_001; at++) salts.forget(`t${at}`);
  assert.ok(![a, second].includes(salts.of("a")));
  assert.notEqual(salts.of("b"), b);
  const last = salts.of("b");
  salts.forget(undefined);
  assert.notEqual(salts.of("b"), last);
  // A program that slept is served by another model of ours, which finds nothing of the time before.
  assert.notEqual(new Salts(randomBytes).of("b"), b);
});
