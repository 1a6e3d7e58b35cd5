import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Refusal } from "../../base/index.ts";
import { parameters, parseChatRequest, parseCompletionRequest, type ParsedRequest } from "./index.ts";

const messages = [{ role: "user", content: "Hello" }];
const weather = { type: "function", function: { name: "weather", parameters: { type: "object" } } };

function chat(more: object, unsupported: "refuse" | "warn" = "refuse"): ParsedRequest | Refusal {
  return parseChatRequest({ model: "m", messages, ...more }, { unsupported });
}
function parsed(outcome: ParsedRequest | Refusal): ParsedRequest {
  if (outcome.outcome === "refused") assert.fail(outcome.message);
  return outcome;
}
function refusedAt(outcome: ParsedRequest | Refusal, code: string, param: string): void {
  if (outcome.outcome !== "refused") assert.fail(`accepted, and ${param} is at fault`);
  assert.deepEqual([outcome.code, outcome.param], [code, param], outcome.message);
}

test("a plain chat request gets OpenAI's defaults", () => {
  const request = parsed(chat({}));
  assert.deepEqual(request.prompts, [{ kind: "chat", messages }]);
  assert.deepEqual(request.generate, {
    tools: [],
    toolChoice: { kind: "none" },
    parallelToolCalls: true,
    responseFormat: { kind: "text" },
    sampling: {
      temperature: 1,
      topP: 1,
      topK: 0,
      minP: 0,
      seed: undefined,
      frequencyPenalty: 0,
      presencePenalty: 0,
      repeatPenalty: 1,
    },
    stop: [],
    maxTokens: undefined,
    topLogprobs: undefined,
  });
  assert.deepEqual([request.stream, request.includeUsage, request.choicesPerPrompt], [false, false, 1]);
});

test("developer is system, parts of text are joined, an earlier answer comes back as it was", () => {
  const call = { id: "call_1", type: "function", function: { name: "weather", arguments: "{}" } };
  const conversation = [
    {
      role: "developer",
      content: [
        { type: "text", text: "Be " },
        { type: "text", text: "brief." },
      ],
    },
    { role: "user", content: "Weather?", name: "Ada" },
    { role: "assistant", content: null, refusal: null, audio: null, annotations: [], tool_calls: [call] },
    { role: "tool", tool_call_id: "call_1", content: "sun" },
  ];
  const [prompt] = parsed(chat({ messages: conversation })).prompts;
  assert.deepEqual(prompt, {
    kind: "chat",
    messages: [
      { role: "system", content: "Be brief." },
      { role: "user", content: "Weather?", name: "Ada" },
      { role: "assistant", content: "", toolCalls: [{ id: "call_1", name: "weather", arguments: "{}" }] },
      { role: "tool", content: "sun", toolCallId: "call_1" },
    ],
  });
});

test("a wrong value is refused with the path of the field", () => {
  const cases: [object, string][] = [
    [{ model: 5 }, "model"],
    [{ messages: "Hello" }, "messages"],
    [{ messages: [] }, "messages"],
    [{ messages: [messages[0], { role: "boss", content: "x" }] }, "messages[1].role"],
    [{ messages: [{ role: "user" }] }, "messages[0].content"],
    [{ messages: [{ role: "user", content: [{ type: "text" }] }] }, "messages[0].content[0].text"],
    [{ messages: [{ role: "tool", content: "x" }] }, "messages[0].tool_call_id"],
    [{ temperature: "hot" }, "temperature"],
    [{ temperature: 2.1 }, "temperature"],
    [{ top_p: 0 }, "top_p"],
    [{ n: 9 }, "n"],
    [{ n: 1.5 }, "n"],
    [{ max_tokens: 0 }, "max_tokens"],
    [{ max_tokens: 5, max_completion_tokens: 6 }, "max_tokens"],
    [{ frequency_penalty: -3 }, "frequency_penalty"],
    [{ stop: ["a", "b", "c", "d", "e"] }, "stop"],
    [{ stop: [""] }, "stop[0]"],
    [{ top_logprobs: 3 }, "top_logprobs"],
    [{ logprobs: true, top_logprobs: 21 }, "top_logprobs"],
    [{ stream: "yes" }, "stream"],
    [{ stream_options: { include_usage: true } }, "stream_options"],
    [{ user: 7 }, "user"],
    [{ metadata: [] }, "metadata"],
    [{ tools: [{ type: "function", function: { name: "a b" } }] }, "tools[0].function.name"],
    [{ tools: [weather, weather] }, "tools[1].function.name"],
    [{ tool_choice: "required" }, "tool_choice"],
    [{ tools: [weather], tool_choice: { type: "function", function: { name: "other" } } }, "tool_choice.function.name"],
    [{ response_format: { type: "xml" } }, "response_format.type"],
    [{ response_format: { type: "json_schema", json_schema: { name: "a" } } }, "response_format.json_schema.schema"],
  ];
  for (const [more, param] of cases) refusedAt(chat(more), "invalid_request", param);
  refusedAt(parseChatRequest([], { unsupported: "refuse" }), "invalid_request", "body");
});

test("what would change the answer and is not supported is refused by name, or named as ignored", () => {
  const cases: [object, string][] = [
    [{ store: true }, "store"],
    [{ logit_bias: { 5: 1 } }, "logit_bias"],
    [{ modalities: ["text", "audio"] }, "modalities"],
    [{ reasoning_effort: "high" }, "reasoning_effort"],
    [{ messages: [{ role: "user", content: "x", cache_control: {} }] }, "messages[0].cache_control"],
    [{ tools: [{ type: "custom", custom: { name: "c" } }] }, "tools[0].type"],
    [{ tools: [weather], tool_choice: { type: "allowed_tools" } }, "tool_choice"],
    [{ stream: true, stream_options: { include_obfuscation: true } }, "stream_options.include_obfuscation"],
    [{ temprature: 1 }, "temprature"],
  ];
  for (const [more, param] of cases) {
    refusedAt(chat(more), "unsupported_parameter", param);
    assert.deepEqual(parsed(chat(more, "warn")).ignored, [param]);
  }
});

test("content that is no text is refused by its place, also where unsupported parameters are only named", () => {
  const image = { role: "user", content: [{ type: "image_url", image_url: { url: "data:" } }] };
  for (const policy of ["refuse", "warn"] as const) {
    refusedAt(chat({ messages: [image] }, policy), "unsupported_parameter", "messages[0].content[0]");
  }
});

test("an unknown parameter is refused with the nearest known one", () => {
  const outcome = chat({ temprature: 1 });
  assert.equal(outcome.outcome === "refused" && outcome.message.includes("Did you mean temperature?"), true);
});

test("what changes nothing in the answer passes, and null is as good as leaving it out", () => {
  const harmless = {
    user: "u",
    metadata: { a: "b" },
    store: false,
    service_tier: "flex",
    modalities: ["text"],
    logit_bias: {},
  };
  assert.deepEqual(parsed(chat(harmless)).ignored, []);
  const optional = parameters.filter(({ name, endpoints }) => {
    return endpoints.includes("chat.completions") && name !== "model" && name !== "messages";
  });
  assert.deepEqual(parsed(chat(Object.fromEntries(optional.map(({ name }) => [name, null])))), parsed(chat({})));
});

test("tools: auto with tools, none without, named and required as asked", () => {
  assert.deepEqual(parsed(chat({ tools: [weather] })).generate.toolChoice, { kind: "auto" });
  assert.deepEqual(parsed(chat({ tools: [weather], tool_choice: "required" })).generate.toolChoice, {
    kind: "required",
  });
  const named = { type: "function", function: { name: "weather" } };
  assert.deepEqual(parsed(chat({ tools: [weather], tool_choice: named })).generate.toolChoice, {
    kind: "named",
    name: "weather",
  });
  assert.deepEqual(parsed(chat({ tool_choice: "auto" })).generate.toolChoice, { kind: "none" });
});

test("completions: one prompt or several, text or tokens, 16 tokens where nothing is said", () => {
  const read = (more: object): ParsedRequest | Refusal =>
    parseCompletionRequest({ model: "m", ...more }, { unsupported: "refuse" });
  assert.deepEqual(parsed(read({ prompt: "a" })).prompts, [{ kind: "text", text: "a" }]);
  assert.deepEqual(parsed(read({ prompt: [1, 2] })).prompts, [{ kind: "tokens", tokens: [1, 2] }]);
  assert.equal(parsed(read({ prompt: ["a", [1]] })).prompts.length, 2);
  assert.equal(parsed(read({ prompt: "a" })).generate.maxTokens, 16);
  assert.equal(parsed(read({ prompt: "a", logprobs: 0 })).generate.topLogprobs, 0);
  refusedAt(read({}), "invalid_request", "prompt");
  refusedAt(read({ prompt: [] }), "invalid_request", "prompt");
  refusedAt(read({ prompt: [1, "a"] }), "invalid_request", "prompt");
  refusedAt(read({ prompt: "a", logprobs: true }), "invalid_request", "logprobs");
  refusedAt(read({ prompt: "a", suffix: "b" }), "unsupported_parameter", "suffix");
  refusedAt(read({ prompt: "a", messages }), "unsupported_parameter", "messages");
});

test("no JSON makes the reader throw", () => {
  const names = fc.constantFrom(...parameters.map(({ name }) => name));
  const body = fc.dictionary(names, fc.jsonValue());
  const nearlyRight = body.map((more) => ({ model: "m", messages, prompt: "a", ...more }));
  fc.assert(
    fc.property(fc.oneof(fc.jsonValue(), body, nearlyRight), fc.constantFrom("refuse", "warn"), (json, unsupported) => {
      for (const read of [parseChatRequest, parseCompletionRequest]) {
        const { outcome } = read(json, { unsupported });
        assert.ok(outcome === "parsed" || outcome === "refused");
      }
    }),
  );
});
