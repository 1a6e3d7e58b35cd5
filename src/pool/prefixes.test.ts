import assert from "node:assert/strict";
import { test } from "node:test";
import { beginningsOf, Prefixes } from "./prefixes.ts";

const bytesOf = (...parts: readonly (readonly [character: string, kibibytes: number])[]): Buffer =>
  Buffer.from(parts.map(([character, kibibytes]) => character.repeat(kibibytes * 1_024)).join(""));

test("what begins alike has the same beginnings, as far as it does", () => {
  const [one, other] = [beginningsOf(bytesOf(["a", 5])), beginningsOf(bytesOf(["a", 2], ["b", 9]))];
  assert.deepEqual([one.length, other.length], [3, 4]);
  assert.deepEqual(one.slice(0, 2), other.slice(0, 2));
  assert.notEqual(one[2], other[2]);
  assert.deepEqual(beginningsOf(Buffer.from("short")), []);
});

test("whoever knows the longest beginning is named, of that tenant and that model alone", () => {
  const prefixes = new Prefixes();
  const shared = beginningsOf(bytesOf(["a", 2]));
  const conversation = beginningsOf(bytesOf(["a", 2], ["b", 3]));
  prefixes.sent("t", "m", shared, "near");
  prefixes.sent("t", "m", conversation, "far");
  assert.deepEqual(prefixes.knowing("t", "m", conversation), ["far"]);
  assert.deepEqual(prefixes.knowing("t", "m", shared), ["near", "far"]);
  assert.deepEqual(prefixes.knowing("other", "m", conversation), []);
  assert.deepEqual(prefixes.knowing("t", "other", conversation), []);
  assert.deepEqual(prefixes.knowing("t", "m", beginningsOf(bytesOf(["c", 2]))), []);
  prefixes.forget("t");
  assert.deepEqual(prefixes.knowing("t", "m", conversation), []);
});

test("so many beginnings are known, and of each the latest places", () => {
  const prefixes = new Prefixes(10);
  for (let at = 0; at < 1_000; at++) prefixes.sent("t", "m", [`beginning-${at}`], "p");
  assert.deepEqual(prefixes.knowing("t", "m", ["beginning-989"]), []);
  assert.deepEqual(prefixes.knowing("t", "m", ["beginning-990"]), ["p"]);
  for (let at = 0; at < 9; at++) prefixes.sent("t", "m", ["beginning-999"], `place-${at}`);
  assert.deepEqual(prefixes.knowing("t", "m", ["beginning-999"]), ["place-5", "place-6", "place-7", "place-8"]);
});
