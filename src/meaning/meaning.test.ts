import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { answerForm, answerMeaning, EventReader, eventsOf, requestMeaning, type Said } from "./index.ts";

const usage = { inputTokens: 3, cachedInputTokens: 0, outputTokens: 2, reasoningTokens: 0 };

const meant = (endpoint: string, answer: Said): string | undefined =>
  answerMeaning(answerForm(endpoint)!.whole(answer), usage);

function streamed(endpoint: string, events: readonly unknown[]): string | undefined {
  const assembly = answerForm(endpoint)!.assemble!();
  const text = events.map((event) => `event: x\ndata: ${JSON.stringify(event)}\n\n`).join("");
  for (const event of eventsOf(`: comment\n\n${text}data: [DONE]\n\n`)) assembly.take(event);
  const said = assembly.said();
  assert.deepEqual(byFrame(endpoint, events), said);
  return said === undefined ? undefined : answerMeaning(said, usage);
}

/** The same, frame by frame as a gateway gets them. */
function byFrame(endpoint: string, events: readonly unknown[]): Said | undefined {
  const reader = new EventReader(answerForm(endpoint)!.assemble!());
  for (const event of events) reader.take(`data: ${JSON.stringify(event)}\n\n`);
  return reader.said;
}

const delta = (part: unknown, more: Said = {}) => ({
  id: "c",
  object: "chat.completion.chunk",
  choices: [{ index: 0, delta: part, finish_reason: null, ...more }],
});

test("a request means the same, however its answer shall come, and in whichever order it is written", () => {
  const asked = { model: "m", messages: [{ role: "user", content: "é" }], temperature: 0.7 };
  const expected = '{"messages":[{"content":"é","role":"user"}],"model":"m","temperature":0.7}';
  for (const more of [{}, { stream: false }, { stream: true, stream_options: { include_usage: true } }]) {
    assert.equal(requestMeaning("chat.completions", { ...more, ...asked }), expected);
  }
  assert.notEqual(requestMeaning("chat.completions", { ...asked, temperature: 0.8 }), expected);
  // An SDK asks for base64 on its own, and for nothing else.
  assert.equal(
    requestMeaning("embeddings", { model: "m", input: "a", encoding_format: "base64" }),
    '{"input":"a","model":"m"}',
  );
  assert.match(requestMeaning("completions", { model: "m", encoding_format: "x" })!, /encoding_format/);
  assert.equal(requestMeaning("completions", { prompt: "\ud800" }), undefined);
});

test("a chat's answer and the stream of it mean the same: texts, calls of tools, log probabilities, several choices", () => {
  const logprob = { token: "Hi", logprob: -0.25, bytes: [72, 105], top_logprobs: [] };
  const call = { id: "call_1", type: "function", function: { name: "weather", arguments: '{"city":"Köln"}' } };
  const whole = {
    id: "c",
    choices: [
      {
        index: 1,
        finish_reason: "tool_calls",
        message: { role: "assistant", content: null, tool_calls: [call] },
        logprobs: null,
      },
      {
        index: 0,
        finish_reason: "stop",
        message: { role: "assistant", content: "Hi there", refusal: null, reasoning_content: "Hm", annotations: [] },
        logprobs: { content: [logprob, logprob], refusal: null },
      },
    ],
    usage: { prompt_tokens: 3 },
  };
  const events = [
    delta({ role: "assistant", content: "" }),
    delta({ reasoning_content: "Hm" }),
    {
      choices: [
        {
          index: 1,
          delta: {
            role: "assistant",
            tool_calls: [{ index: 0, ...call, function: { name: "weather", arguments: "" } }],
          },
        },
      ],
    },
    delta({ content: "Hi " }, { logprobs: { content: [logprob], refusal: null } }),
    { choices: [{ index: 1, delta: { tool_calls: [{ index: 0, function: { arguments: '{"city":' } }] } }] },
    delta({ content: "there" }, { logprobs: { content: [logprob] } }),
    {
      choices: [
        {
          index: 1,
          delta: { tool_calls: [{ index: 0, function: { arguments: '"Köln"}' } }] },
          finish_reason: "tool_calls",
        },
      ],
    },
    delta({}, { finish_reason: "stop" }),
    { choices: [], usage: { prompt_tokens: 3 } },
  ];
  const text = meant("chat.completions", whole);
  assert.equal(streamed("chat.completions", events), text);
  assert.deepEqual(JSON.parse(text!), {
    choices: [
      {
        index: 0,
        finish_reason: "stop",
        message: { content: "Hi there", reasoning_content: "Hm" },
        logprobs: { content: [logprob, logprob] },
      },
      { index: 1, finish_reason: "tool_calls", message: { tool_calls: [call] } },
    ],
    usage,
  });
});

test("however a text is cut into events, it means the text (property)", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: "grapheme" }), { maxLength: 8 }), (parts) => {
      const content = parts.join("");
      const whole = { choices: [{ index: 0, message: { content }, finish_reason: "stop" }] };
      const events = [...parts.map((content) => delta({ content })), delta({}, { finish_reason: "stop" })];
      assert.equal(streamed("chat.completions", events), meant("chat.completions", whole));
      const completion = { choices: [{ index: 0, text: content, finish_reason: "stop", logprobs: null }] };
      const texts = parts.map((text) => ({ choices: [{ index: 0, text, finish_reason: null }] }));
      const end = { choices: [{ index: 0, text: "", finish_reason: "stop" }] };
      assert.equal(streamed("completions", [...texts, end]), meant("completions", completion));
    }),
  );
});

test("embeddings mean the same as numbers and in base64", () => {
  const numbers = [0.5, -1.25, 0.1, 3e-9];
  const base64 = Buffer.from(new Float32Array(numbers).buffer).toString("base64");
  const answer = (embedding: unknown) => ({ data: [{ object: "embedding", index: 0, embedding }] });
  for (const form of [numbers, base64, Array.from(new Float32Array(numbers)), new Float32Array(numbers)]) {
    assert.equal(meant("embeddings", answer(form)), answerMeaning({ data: [{ index: 0, embedding: base64 }] }, usage));
  }
});

test("a response says the whole of it in its last event", () => {
  const response = {
    id: "r",
    status: "completed",
    output: [{ type: "message", content: [{ type: "output_text", text: "Hi" }] }],
    error: null,
  };
  const events = [
    { type: "response.created", response: { output: [] } },
    { type: "response.completed", response },
  ];
  assert.equal(streamed("responses", events), meant("responses", response));
  assert.equal(streamed("responses", events.slice(0, 1)), undefined);
});

test("a message of blocks and the stream of it mean the same; a tool's input that is no JSON means nothing", () => {
  const content = [
    { type: "thinking", thinking: "Hm.", signature: "c2ln" },
    { type: "text", text: "Hi there", citations: null },
    { type: "tool_use", id: "t1", name: "weather", input: { city: "Köln" } },
  ];
  const start = (index: number, content_block: unknown) => ({ type: "content_block_start", index, content_block });
  const part = (index: number, delta: unknown) => ({ type: "content_block_delta", index, delta });
  const events = [
    { type: "message_start", message: { content: [] } },
    start(0, { type: "thinking", thinking: "", signature: "" }),
    part(0, { type: "thinking_delta", thinking: "Hm." }),
    part(0, { type: "signature_delta", signature: "c2ln" }),
    start(1, { type: "text", text: "" }),
    part(1, { type: "text_delta", text: "Hi " }),
    part(1, { type: "text_delta", text: "there" }),
    start(2, { type: "tool_use", id: "t1", name: "weather", input: {} }),
    part(2, { type: "input_json_delta", partial_json: '{"city":' }),
    part(2, { type: "input_json_delta", partial_json: '"Köln"}' }),
    { type: "message_delta", delta: { stop_reason: "tool_use", stop_sequence: null } },
  ];
  const whole = { content, stop_reason: "tool_use", stop_sequence: null };
  assert.equal(streamed("messages", events), meant("messages", whole));
  assert.equal(streamed("messages", events.toSpliced(9, 1)), undefined);
});

test("a form that nobody knows is none, whatever it is called", () => {
  for (const name of ["images", "toString", "__proto__"]) assert.equal(answerForm(name), undefined);
});
