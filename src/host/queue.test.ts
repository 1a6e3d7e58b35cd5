import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock, RefusalError } from "../base/index.ts";
import { ModelQueue, type Slot } from "./queue.ts";

const never = new AbortController().signal;

function queueOf(slots: number, limit: number): { readonly clock: ManualClock; readonly queue: ModelQueue } {
  const clock = new ManualClock();
  return { clock, queue: new ModelQueue({ clock, model: "m" }, { slots, limit, waitMs: 1_000 }) };
}

function takeNow(queue: ModelQueue): Slot {
  const taken = queue.take(never);
  if (taken instanceof Promise) assert.fail("there was a slot, and it had to wait");
  return taken;
}

test("first come, first served; the queue is bounded", async () => {
  const { queue } = queueOf(1, 2);
  const leave = takeNow(queue);
  const order: number[] = [];
  const waiting = [0, 1].map(async (index) => {
    const free = await queue.take(never);
    order.push(index);
    free();
  });
  assert.equal(queue.waiting, 2);
  assert.equal(queue.refusalFor(1)?.code, "overloaded");
  leave();
  await Promise.all(waiting);
  assert.deepEqual(order, [0, 1]);
  assert.deepEqual([queue.running, queue.waiting], [0, 0]);
});

test("several answers at once need room for all of them", () => {
  const { queue } = queueOf(2, 3);
  assert.equal(queue.refusalFor(5), undefined);
  assert.equal(queue.refusalFor(6)?.code, "overloaded");
});

test("a wait ends with its signal's reason, or after its time", async () => {
  const { clock, queue } = queueOf(1, 5);
  takeNow(queue);
  const abort = new AbortController();
  const aborted = assert.rejects(Promise.resolve(queue.take(abort.signal)), /left/);
  const late = Promise.resolve(queue.take(never));
  abort.abort(new Error("left"));
  await aborted;
  clock.advance(1_000);
  queue.sweep();
  await assert.rejects(late, (error) => error instanceof RefusalError && error.refusal.code === "overloaded");
  assert.equal(queue.waiting, 0);
});

test("a refusal says when to come again, by how long slots were held", () => {
  const { clock, queue } = queueOf(1, 0);
  for (let round = 0; round < 50; round++) {
    const leave = takeNow(queue);
    clock.advance(4_000);
    leave();
  }
  takeNow(queue);
  assert.equal(queue.refusalFor(1)?.retryAfterSeconds, 4);
});
