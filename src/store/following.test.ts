import assert from "node:assert/strict";
import { setImmediate } from "node:timers/promises";
import { test } from "node:test";
import { ManualClock } from "../base/index.ts";
import { Following } from "./following.ts";

test("the first failure of a row is told, and none of a question that was under way when it stopped", async () => {
  const clock = new ManualClock();
  const told: string[] = [];
  const questions = [Promise.withResolvers<void>()];
  const following = new Following({
    clock,
    everyMs: 10,
    read: () => questions.at(-1)!.promise,
    onFailure: (error) => told.push((error as Error).message),
  });
  /** Asks once more; the answer is given by who tests. */
  const asked = (): PromiseWithResolvers<void> => {
    questions.push(Promise.withResolvers());
    clock.advance(10);
    return questions.at(-1)!;
  };
  questions[0]!.resolve();
  await following.start();
  for (const message of ["away", "still away"]) {
    asked().reject(new Error(message));
    await setImmediate();
  }
  assert.deepEqual(told, ["away"]);
  asked().resolve();
  await setImmediate();
  const last = asked();
  following.stop();
  last.reject(new Error("driver has already been destroyed"));
  await setImmediate();
  assert.deepEqual(told, ["away"]);
});
