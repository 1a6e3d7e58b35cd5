import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { endpoints } from "./endpoints.ts";
import { readWhole } from "./usage.ts";

const named = (name: string) => endpoints.find((endpoint) => endpoint.name === name)!;
const chat = named("chat.completions");
const read = (value: unknown, endpoint = chat) => readWhole(Buffer.from(JSON.stringify(value)), endpoint);
const said = { prompt_tokens: 10, completion_tokens: 5 };
const usage = { inputTokens: 10, cachedInputTokens: 0, outputTokens: 5, reasoningTokens: 0 };
const fancied = { usage: { prompt_tokens: 1, completion_tokens: 1 }, status: "fancied", finish_reason: "fancied" };
/** What makes an answer too large to be parsed. */
const filling = "x".repeat(1 << 20);

test("a usage is believed where it stands in an answer, and nowhere else, small or large", () => {
  const choices = [{ index: 0, message: { content: '"usage": {"prompt_tokens": 7}' }, finish_reason: "length" }];
  for (const more of [{}, { filling }]) {
    assert.partialDeepStrictEqual(read({ choices, usage: said, ...more }), { usage, ending: "length" });
    assert.deepEqual(read({ ...more, choices, usage: said, metadata: { usage: fancied.usage } })?.usage, usage);
    assert.deepEqual(read({ ...more, metadata: [fancied], usage: said, list: [fancied] })?.usage, usage);
    assert.equal(read({ ...more, choices, metadata: fancied })?.usage, undefined);
    assert.equal(read({ ...more, choices: [{ message: fancied }] })?.usage, undefined);
  }
});

test("the newer endpoints name their end at the top, whatever their items say", () => {
  const responses = { status: "incomplete", output: [{ status: "completed" }], metadata: { status: "failed" } };
  assert.deepEqual(read(responses, named("responses"))?.ending, "incomplete");
  const messages = { stop_reason: "max_tokens", content: [{ stop_reason: "end_turn" }] };
  assert.equal(read(messages, named("messages"))?.ending, "max_tokens");
});

test("what is no JSON object is none, and a large one is told by its beginning and its end", () => {
  for (const text of ["", "[]", "7", '{"choices": [}', "<html>", `"${filling}"`, `[${JSON.stringify(filling)}]`]) {
    assert.equal(readWhole(Buffer.from(text), chat), undefined, text.slice(0, 20));
  }
});

test("the usage of a large answer is the one that a parser finds at the top (property)", () => {
  const key = fc.constantFrom("usage", "a", "b\\", '"usage":{');
  const value = fc.letrec((tie) => ({
    any: fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom(said, fancied.usage, null, 7, 'x"}', '{"usage":{"prompt_tokens":3}}'),
      fc.array(tie("any"), { maxLength: 3 }),
      fc.dictionary(key, tie("any"), { maxKeys: 3, noNullPrototype: true }),
    ),
  })).any;
  fc.assert(
    fc.property(fc.dictionary(key, value, { maxKeys: 4, noNullPrototype: true }), (answer) => {
      const small = read(answer)?.usage;
      assert.deepEqual(read({ filling, ...answer })?.usage, small);
      assert.deepEqual(read({ ...answer, filling })?.usage, small);
    }),
    { numRuns: 60 },
  );
});
