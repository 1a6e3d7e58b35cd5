import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { endpoints } from "./endpoints.ts";
import { EventStream, EventStreamError } from "./stream.ts";

const chat = endpoints.find(({ name }) => name === "chat.completions")!;
const messages = endpoints.find(({ name }) => name === "messages")!;
const responses = endpoints.find(({ name }) => name === "responses")!;

const content = (text: string, finish: string | null = null): string =>
  `data: ${JSON.stringify({ object: "chat.completion.chunk", choices: [{ index: 0, delta: { content: text }, finish_reason: finish }] })}\n\n`;
const usageFrame = `data: ${JSON.stringify({ choices: [], usage: { prompt_tokens: 7, completion_tokens: 3, prompt_tokens_details: { cached_tokens: 5 } } })}\n\n`;
const done = "data: [DONE]\n\n";
const usage = { inputTokens: 7, cachedInputTokens: 5, outputTokens: 3, reasoningTokens: 0 };

/** Feeds the bytes in pieces cut at the given places; gives what passed and the stream. */
function feed(
  text: string,
  cuts: readonly number[],
  keep: boolean,
  endpoint = chat,
): { passed: string; events: EventStream } {
  const bytes = Buffer.from(text);
  const events = new EventStream(endpoint, keep);
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length];
  const passed = places.slice(1).map((end, index) => Buffer.from(events.push(bytes.subarray(places[index], end))));
  return { passed: Buffer.concat(passed).toString(), events };
}

test("however the network cuts a stream, the same bytes pass, and the end is held back", () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: "grapheme" }), { maxLength: 6 }),
      fc.array(fc.nat(5_000), { maxLength: 12 }),
      fc.boolean(),
      fc.constantFrom("\n", "\r\n"),
      (texts, cuts, keep, lineEnd) => {
        const frames = `: hello\n\n${texts.map((text) => content(text)).join("")}${content("", "stop")}`;
        const asSent = (text: string): string => text.replaceAll("\n", lineEnd);
        const { passed, events } = feed(asSent(frames + usageFrame + done), cuts, keep);
        assert.equal(passed, asSent(frames));
        assert.equal(events.held.toString(), asSent(keep ? usageFrame + done : done));
        assert.ok(events.complete && !events.failed);
        assert.equal(events.ending, "stop");
        assert.deepEqual(events.usage, usage);
      },
    ),
  );
});

test("words in the content that look like the end, a usage or an error change nothing", () => {
  const tricky = [
    "[DONE]",
    '"usage": {"prompt_tokens": 1000000}',
    'data: {"error": {}}',
    '"finish_reason": "length"',
    "\n\ndata: [DONE]\n\n",
  ];
  const frames = tricky.map((text) => content(text)).join("") + content("", "stop");
  const { passed, events } = feed(frames + usageFrame + done, [], false);
  assert.equal(passed, frames);
  assert.equal(events.held.toString(), done);
  assert.deepEqual(events.usage, usage);
  assert.equal(events.ending, "stop");
});

test("a stream without its end is incomplete, also in the middle of an event", () => {
  assert.equal(feed(content("a"), [], false).events.complete, false);
  const half = feed(content("a") + done.slice(0, 9), [], false);
  assert.equal(half.events.complete, false);
  assert.equal(half.passed, content("a"));
});

test("a last frame at a clean end needs no blank line behind it; anything else there is half an event", () => {
  for (const end of ["data: [DONE]", "data: [DONE]\n"]) {
    const { passed, events } = feed(content("a") + usageFrame + end, [], false);
    assert.equal(events.complete, false);
    events.finish();
    assert.deepEqual([passed, events.held.toString().trim(), events.complete], [content("a"), "data: [DONE]", true]);
    assert.deepEqual(events.usage, usage);
  }
  const half = feed(`${content("a")}data: {"choices": [`, [], false).events;
  half.finish();
  assert.equal(half.complete, false);
});

test("nothing follows the end: what an upstream sends behind it is not held, and does not pass", () => {
  const { passed, events } = feed(`${content("a")}${usageFrame}${done}${content("b")}data: {"ha`, [], false);
  assert.deepEqual([passed, events.held.toString(), events.complete], [content("a"), done, true]);
  for (let count = 0; count < 1_000; count++)
    assert.equal(events.push(Buffer.from(content("x".repeat(10_000)))).length, 0);
  assert.equal(events.held.toString(), done);
});

test("an end that is announced and never comes is refused before it fills the memory", () => {
  const events = new EventStream(chat, true);
  assert.throws(() => {
    for (let count = 0; count < 1_000; count++) events.push(Buffer.from(usageFrame + content("x".repeat(10_000))));
  }, EventStreamError);
});

test("an error event passes and marks the stream as failed", () => {
  const error = 'data: {"error":{"message":"boom"}}\n\n';
  const { passed, events } = feed(content("a") + error, [20], false);
  assert.equal(passed, content("a") + error);
  assert.equal(events.failed, true);
  assert.equal(events.complete, false);
});

test("running usage on every chunk passes through, and the last one counts", () => {
  const frame = (tokens: number): string =>
    `data: ${JSON.stringify({ choices: [{ delta: { content: "x" } }], usage: { prompt_tokens: 4, completion_tokens: tokens } })}\n\n`;
  const { passed, events } = feed(frame(1) + frame(2), [], false);
  assert.equal(passed, frame(1) + frame(2));
  assert.equal(events.usage?.outputTokens, 2);
});

test("an event that never ends is refused before it fills the memory", () => {
  const events = new EventStream(chat, false);
  const part = Buffer.alloc(200_000, "x");
  assert.throws(() => {
    for (let count = 0; count < 10; count++) events.push(part);
  }, EventStreamError);
});

test("anthropic's usage is put together from the stream's beginning and its end", () => {
  const start = `event: message_start\ndata: ${JSON.stringify({ type: "message_start", message: { usage: { input_tokens: 9, cache_read_input_tokens: 4, output_tokens: 1 } } })}\n\n`;
  const delta = `event: message_delta\ndata: ${JSON.stringify({ type: "message_delta", delta: { stop_reason: "end_turn" }, usage: { output_tokens: 6 } })}\n\n`;
  const stop = `event: message_stop\ndata: {"type": "message_stop"}\n\n`;
  const { passed, events } = feed(start + delta + stop, [], false, messages);
  assert.equal(passed, start + delta);
  assert.equal(events.held.toString(), stop);
  assert.deepEqual(events.usage, { inputTokens: 13, cachedInputTokens: 4, outputTokens: 6, reasoningTokens: 0 });
  assert.equal(events.complete, true);
});

test("a responses stream ends with its completed event, which holds the usage", () => {
  const delta = `event: response.output_text.delta\ndata: {"type":"response.output_text.delta","delta":"hi \\"response.completed\\""}\n\n`;
  const end = `event: response.completed\ndata: ${JSON.stringify({ type: "response.completed", response: { status: "completed", usage: { input_tokens: 3, output_tokens: 2, output_tokens_details: { reasoning_tokens: 1 } } } })}\n\n`;
  const { passed, events } = feed(delta + end, [], false, responses);
  assert.equal(passed, delta);
  assert.equal(events.held.toString(), end);
  assert.deepEqual(events.usage, { inputTokens: 3, cachedInputTokens: 0, outputTokens: 2, reasoningTokens: 1 });
});
