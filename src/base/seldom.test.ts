import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock } from "./clock.ts";
import { Seldom } from "./seldom.ts";

test("of each kind one is told at once and then one a while, with how many were not", () => {
  const clock = new ManualClock();
  const seldom = new Seldom(clock, 60_000);
  const told: [string, number][] = [];
  const tell = (kind: string): void => seldom.tell(kind, (untold) => told.push([kind, untold]));
  for (let count = 0; count < 5; count += 1) tell("a");
  tell("b");
  clock.advance(59_999);
  tell("a");
  clock.advance(1);
  tell("a");
  tell("a");
  assert.deepEqual(told, [
    ["a", 0],
    ["b", 0],
    ["a", 5],
  ]);
});
