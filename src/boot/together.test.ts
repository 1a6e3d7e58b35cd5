import assert from "node:assert/strict";
import { test } from "node:test";
import { together } from "./together.ts";

const never = new AbortController().signal;

/** Ends when it is told to, and says that it has. */
function untilAborted(ended: string[]) {
  return (signal: AbortSignal) =>
    new Promise<never>((_, reject) => {
      signal.addEventListener("abort", () => {
        ended.push("told");
        reject(new Error("it was told to end"));
      });
    });
}

test("both results, or the first failure once both are over", async () => {
  const one = () => Promise.resolve(1);
  assert.deepEqual(await together(never, one, () => Promise.resolve("two")), [1, "two"]);
  const ended: string[] = [];
  const fails = () => Promise.reject(new Error("no disk"));
  await assert.rejects(together(never, fails, untilAborted(ended)), /no disk/);
  await assert.rejects(together(never, untilAborted(ended), fails), /no disk/);
  assert.equal(ended.length, 2);
});

test("the caller's signal ends both", async () => {
  const ended: string[] = [];
  const stop = new AbortController();
  const both = together(stop.signal, untilAborted(ended), untilAborted(ended));
  stop.abort(new Error("stopped"));
  await assert.rejects(both);
  assert.equal(ended.length, 2);
});
