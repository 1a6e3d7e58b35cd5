import assert from "node:assert/strict";
import { test } from "node:test";
import { fill, mentions } from "./command.ts";
import { EventReader } from "./events.ts";
import { ForcedCallReader, forcedCallOf } from "./forced-call.ts";
import { planAnswer } from "./plan.ts";
import { AnswerReader } from "./answer-reader.ts";
import { errorOf } from "./refusal.ts";
import { RefusalError } from "../../base/index.ts";
import { request } from "./testing.ts";
import type { GenerateRequest, SequencePart } from "../types.ts";

const values = {
  path: "/m/{name}",
  name: "a b; rm -rf /",
  port: 80,
  socket: "/s",
  key: "k",
  sequences: 2,
  contextTokens: 3,
  totalTokens: 6,
  threads: 4,
  kvBytes: 5,
};

test("placeholders are filled in once, and other braces stay", () => {
  assert.equal(fill("--model={path}", values), "--model=/m/{name}");
  assert.equal(fill('{"a":{port},"b":{}} {other}', values), '{"a":80,"b":{}} {other}');
  assert.ok(mentions(["a", "b{port}c"], "port") && !mentions(["{ports}"], "port"));
});

test("events are whole however their bytes are cut, and comments are none", () => {
  const stream = Buffer.from(': ping\n\ndata: {"a":"é"}\r\n\r\nevent: x\ndata: b\ndata: c\n\ndata: [DONE]\n\n');
  for (const size of [1, 2, 7, stream.length]) {
    const reader = new EventReader();
    const found: string[] = [];
    for (let at = 0; at < stream.length; at += size) found.push(...reader.push(stream.subarray(at, at + size)));
    assert.deepEqual(found, ['{"a":"é"}', "b\nc", "[DONE]"]);
  }
});

const city = { type: "object", properties: { city: { $ref: "#/$defs/city" } }, required: ["city"] };
const tools = [
  { name: "weather", description: undefined, parameters: { ...city, $defs: { city: { enum: ["Berlin"] } } } },
  { name: "time", description: "What time it is.", parameters: undefined },
];

function forced(more: Partial<GenerateRequest>): Exclude<ReturnType<typeof forcedCallOf>, undefined> {
  return forcedCallOf(request("a", { tools, toolChoice: { kind: "required" }, ...more }))!;
}

test("one of several calls is a choice of schemas, whose definitions have names of their own", () => {
  const call = forced({});
  assert.ok(call.outcome === "forced");
  const schema = call.schema as { anyOf: { properties: { arguments: unknown } }[]; $defs: object };
  assert.deepEqual(schema.$defs, { t0_city: { enum: ["Berlin"] } });
  assert.deepEqual(schema.anyOf[0]!.properties.arguments, {
    type: "object",
    properties: { city: { $ref: "#/$defs/t0_city" } },
    required: ["city"],
  });
  const deep = [{ ...tools[0]!, parameters: { properties: { a: { $ref: "#/properties/b" } } } }, tools[1]!];
  assert.equal(forced({ tools: deep }).outcome, "refused");
  assert.equal(forced({ toolChoice: { kind: "named", name: "none" } }).outcome, "refused");
});

test("a forced call is read however it is cut, and what follows it is not", () => {
  const call = forced({});
  assert.ok(call.outcome === "forced");
  const text = ' { "name" : "weather" , "arguments": {"city": "Ber}lin"} } and more';
  for (const size of [1, 3, text.length]) {
    const reader = new ForcedCallReader(call);
    const pieces = [];
    for (let at = 0; at < text.length; at += size) pieces.push(...reader.push(text.slice(at, at + size)));
    assert.deepEqual(pieces[0], { name: "weather" });
    assert.equal(reader.arguments, '{"city": "Ber}lin"}');
  }
});

function answer(asked: GenerateRequest, ...events: readonly object[]): AnswerReader & { parts: SequencePart[] } {
  const plan = planAnswer(asked);
  assert.ok(plan.outcome === "planned");
  const reader = new AnswerReader(asked, plan, { inputTokens: 0, callId: () => "call_1" });
  const parts = [...events.map((event) => JSON.stringify(event)), "[DONE]"].flatMap((data) => reader.read(data));
  return Object.assign(reader, { parts });
}

const delta = (delta: object, finish: string | null = null): object => ({
  choices: [{ index: 0, delta, finish_reason: finish }],
});

test("a program that tells no counts until its end is counted by its events, and then as it says", () => {
  const asked = request("a");
  const events = [
    delta({ role: "assistant", content: "" }),
    delta({ content: "Hel" }),
    delta({ content: "lo" }, "length"),
  ];
  assert.equal(answer(asked, ...events).counts.outputTokens, 2);
  const usage = { prompt_tokens: 9, completion_tokens: 3, prompt_tokens_details: { cached_tokens: 4 } };
  const { counts, parts } = answer(asked, ...events, { choices: [], usage });
  assert.deepEqual(counts, { inputTokens: 9, cachedInputTokens: 4, outputTokens: 3, reasoningTokens: 0 });
  assert.deepEqual(parts, [
    { type: "text", text: "Hel" },
    { type: "text", text: "lo" },
    { type: "end", reason: "length" },
  ]);
});

test("calls that a model makes by itself, and its reasoning, come as parts", () => {
  const asked = request("a", { tools, toolChoice: { kind: "auto" } });
  const call = (index: number, more: object): object => delta({ tool_calls: [{ index, ...more }] });
  const { parts } = answer(
    asked,
    delta({ reasoning: "So" }),
    delta({ reasoning: " be it." }),
    delta({ content: "Well" }),
    call(0, { id: "call_a", function: { name: "time", arguments: "" } }),
    call(0, { function: { arguments: "{}" } }),
    call(1, { function: { name: "time", arguments: "{}" } }),
    delta({}, "tool_calls"),
  );
  assert.deepEqual(parts, [
    { type: "text", text: "<think>So" },
    { type: "text", text: " be it." },
    { type: "text", text: "</think>" },
    { type: "text", text: "Well" },
    { type: "tool_call", index: 0, id: "call_a", name: "time" },
    { type: "tool_arguments", index: 0, text: "{}" },
    { type: "tool_call", index: 1, id: "call_1", name: "time" },
    { type: "tool_arguments", index: 1, text: "{}" },
    { type: "end", reason: "tool_calls" },
  ]);
});

test("an answer that does not match what was asked for, and an error in the stream, fail", () => {
  const schema = { type: "object", properties: { a: { type: "integer" } }, required: ["a"] };
  const asked = request("a", { responseFormat: { kind: "json_schema", name: "s", schema } });
  assert.throws(() => answer(asked, delta({ content: '{"a":"1"}' }, "stop")), /does not match/);
  answer(asked, delta({ content: '{"a":1}' }, "stop"));
  const wrong = [delta({ content: '{"name":"weather","arguments":{"city":"Rome"}}' }, "stop")];
  assert.throws(() => answer(request("a", { tools, toolChoice: { kind: "required" } }), ...wrong), /does not match/);
  assert.throws(() => answer(request("a"), { error: { message: "out of memory", code: 500 } }), /out of memory/);
  assert.throws(() => answer(request("a"), delta({}, "abort")), /ended an answer by abort/);
});

test("a program's fault-finding is a refusal, its failures are not", () => {
  const refused = (status: number, value: unknown): string => {
    const error = errorOf(status, value);
    return error instanceof RefusalError ? error.refusal.code : "failure";
  };
  assert.equal(
    refused(400, { error: { type: "exceed_context_size_error", message: "too long" } }),
    "context_length_exceeded",
  );
  assert.equal(refused(400, { error: { message: "cannot compile the JSON schema" } }), "unsupported_schema");
  assert.equal(refused(422, { detail: "temperature" }), "invalid_request");
  assert.equal(refused(429, {}), "overloaded");
  for (const status of [401, 403, 500, 503]) assert.equal(refused(status, {}), "failure");
});
