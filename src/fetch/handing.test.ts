import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { EndHold, EndMark, watched, type Watching } from "./handing.ts";

const last = ["[DONE]"];
const stream = 'data: {"a":"é"}\n\ndata: {"b":2}\r\n\r\n: comment\n\ndata: [DONE]\n\n';
const bytes = Buffer.from(stream);
const before = Buffer.from(stream.slice(0, stream.indexOf("data: [DONE]")));

/** The bytes cut where the numbers say. */
function cut(cuts: readonly number[]): readonly Buffer[] {
  const at = [0, ...cuts.map((each) => each % bytes.length).toSorted((a, b) => a - b), bytes.length];
  return at.slice(1).map((end, index) => bytes.subarray(at[index], end));
}

const cuts = fc.array(fc.nat(), { maxLength: 6 });

test("however a stream is cut, all but its last frame is handed on, and the rest waits (property)", () => {
  fc.assert(
    fc.property(cuts, (given) => {
      const hold = new EndHold(last);
      const passed = Buffer.concat(cut(given).map((part) => hold.pass(part)));
      assert.deepEqual(passed, before);
      assert.deepEqual(Buffer.concat([passed, hold.held]), bytes);
    }),
  );
});

test("however a stream is cut, its end is seen, and not before it came (property)", () => {
  fc.assert(
    fc.property(cuts, (given) => {
      const mark = new EndMark(last);
      let seen = "";
      for (const part of cut(given)) {
        mark.see(part);
        seen += part.toString("latin1");
        assert.equal(mark.isSeen, seen.includes("[DONE]"));
      }
    }),
  );
});

test("what a client might take for the end waits, and of an answer that is no stream all of it does", () => {
  const hold = new EndHold(last);
  assert.equal(hold.pass(Buffer.from("data: [DONE]!\n\ndata: 1\n\n")).length, 0);
  const whole = new EndHold(undefined);
  assert.equal(whole.pass(Buffer.from("{}\n\n")).length, 0);
  assert.equal(Buffer.from(whole.held).toString(), "{}\n\n");
});

interface Told extends Watching {
  readonly events: string[];
}

function telling(more: Partial<Watching> = {}): Told {
  const events: string[] = [];
  return {
    events,
    isComplete: false,
    part: (part) => void events.push(Buffer.from(part).toString()),
    end: () => Promise.resolve(void events.push("end")),
    broken: () => void events.push("broken"),
    ...more,
  };
}

test("an answer keeps its status, headers and bytes; one that breaks off, or is left, is told as that", async () => {
  const told = telling();
  const response = new Response("abc", { status: 201, headers: { "x-a": "1" } });
  const seen = watched(response, told, undefined);
  assert.deepEqual([seen.status, seen.headers.get("x-a"), await seen.text()], [201, "1", "abc"]);
  assert.deepEqual(told.events, ["abc", "end"]);
  const left = telling();
  await watched(new Response("abc"), left, undefined).body!.cancel();
  assert.deepEqual(left.events, ["broken"]);
  const broken = telling();
  const failing = new ReadableStream({ pull: (controller) => controller.error(new Error("cut")) });
  await assert.rejects(watched(new Response(failing), broken, undefined).text(), /cut/);
  assert.deepEqual(broken.events, ["broken"]);
});

test("a client that stops at the end it knows leaves the rest to be read, and it is", async () => {
  const told = telling({ isComplete: true });
  const parts = ["data: [DONE]\n\n", "\n"];
  const source = new ReadableStream<Uint8Array>({
    pull(controller) {
      const part = parts.shift();
      if (part === undefined) controller.close();
      else controller.enqueue(Buffer.from(part));
    },
  });
  const reader = watched(new Response(source), told, undefined).body!.getReader();
  await reader.read();
  await reader.cancel();
  assert.deepEqual(told.events, ["data: [DONE]\n\n", "\n", "end"]);
});

test("what is held ends with what its verification throws", async () => {
  const told = telling({ end: () => Promise.reject(new Error("forged")) });
  await assert.rejects(watched(new Response("abc"), told, new EndHold(undefined)).text(), /forged/);
});

test("a frame without an end, and ends without a frame, take time by their bytes and not by their square", () => {
  const endless = new EndHold(last);
  const part = Buffer.alloc(4_096, "x");
  for (let at = 0; at < (64 << 20) / part.length; at++) endless.pass(part);
  assert.throws(() => endless.pass(part), RangeError);
  const empty = new EndHold(last);
  assert.equal(empty.pass(Buffer.alloc(1 << 20, "\n")).length, 1 << 20);
});

test("an answer that is too long to wait is read no further, and is told of", async () => {
  const told = telling();
  let isCancelled = false;
  const source = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(Buffer.alloc(16 << 20, "x")),
    cancel: () => void (isCancelled = true),
  });
  const seen = watched(new Response(source), { ...told, part: () => undefined }, new EndHold(undefined));
  await assert.rejects(seen.arrayBuffer(), RangeError);
  assert.deepEqual(told.events, ["broken"]);
  assert.ok(isCancelled);
});
