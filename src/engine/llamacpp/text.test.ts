import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { SequencePart } from "../types.ts";
import type { CallFormat } from "./call-format.ts";
import { ReasoningMeter } from "./reasoning.ts";
import { ContentWriter } from "./stop-strings.ts";
import { type CallEvent, ToolCallReader } from "./tool-calls.ts";

function textOf(parts: readonly (SequencePart | undefined)[]): string {
  return parts.map((part) => (part?.type === "text" ? part.text : "")).join("");
}

/** A text cut into pieces, at any places. */
const cutText = (texts: fc.Arbitrary<string>) =>
  fc.tuple(texts, fc.array(fc.nat(60), { maxLength: 8 })).map(([text, places]) => {
    const cuts = [0, ...places.filter((place) => place < text.length).toSorted((a, b) => a - b), text.length];
    return cuts.slice(1).map((end, index) => text.slice(cuts[index], end));
  });

const few = fc.string({ unit: fc.constantFrom("a", "b", "c"), maxLength: 30 });

test("however a text is cut, it ends before the first stop string and loses nothing else", () => {
  const stops = fc.array(fc.string({ unit: fc.constantFrom("a", "b", "c"), minLength: 1, maxLength: 4 }), {
    maxLength: 4,
  });
  fc.assert(
    fc.property(cutText(few), stops, (pieces, stops) => {
      const writer = new ContentWriter(stops);
      const parts: (SequencePart | undefined)[] = [];
      for (const piece of pieces) if (!writer.stopped) parts.push(writer.push(piece, undefined));
      const isStopped = writer.stopped;
      parts.push(writer.finish());
      // The first stop string is the one that is whole first, as the text comes in.
      const text = pieces.join("");
      const places = stops.map((stop) => text.indexOf(stop)).filter((place) => place >= 0);
      assert.equal(isStopped, places.length > 0);
      if (!isStopped) assert.equal(textOf(parts), text);
      else {
        assert.ok(text.startsWith(textOf(parts)));
        assert.ok(stops.some((stop) => text.startsWith(stop, textOf(parts).length)));
        assert.ok(stops.every((stop) => !textOf(parts).includes(stop)));
      }
    }),
    { numRuns: 500 },
  );
});

test("a token's logprobs leave with its text, and none is lost", () => {
  const logprob = (token: string) => ({ token, bytes: [], logprob: 0, top: [] });
  const writer = new ContentWriter(["stop"]);
  const parts = ["a", "s", "", "to", "b"].map((token) => writer.push(token, logprob(token)));
  const tokens = parts.map((part) => (part?.type === "text" ? (part.logprobs ?? []).map(({ token }) => token) : []));
  assert.deepEqual(tokens, [["a"], [], [], [], ["s", "", "to", "b"]]);
  writer.push("s", logprob("s"));
  const last = writer.finish();
  assert.deepEqual(last?.type === "text" && last.logprobs?.map(({ token }) => token), ["s"]);
});

const hermes: CallFormat = {
  openings: ['<tool_call>\n{"name": "'],
  forced: "",
  afterName: () => '", "arguments": ',
  afterArguments: () => "}\n</tool_call>",
};
const plain: CallFormat = {
  openings: ["||call: ", "||call:"],
  forced: "",
  afterName: () => "(",
  afterArguments: () => ")",
};

function readAll(reader: ToolCallReader, pieces: readonly string[]): readonly CallEvent[] {
  return [...pieces.flatMap((piece) => reader.push(piece)), ...reader.finish()];
}

/** What an answer comes to: its text, its calls, and whether it is over. */
function summary(events: readonly CallEvent[]): unknown {
  const calls: { name: string; arguments: string; isWhole: boolean }[] = [];
  let text = "";
  for (const event of events) {
    if (event.kind === "text") text += event.text;
    if (event.kind === "named") calls.push({ name: event.name, arguments: "", isWhole: false });
    if (event.kind === "arguments") calls[event.index]!.arguments += event.text;
    if (event.kind === "called") {
      assert.equal(calls.at(-1)!.arguments, event.arguments);
      calls.at(-1)!.isWhole = true;
    }
  }
  return { text, calls, isOver: events.some(({ kind }) => kind === "over") };
}

test("calls are read out of the text, however it is cut", () => {
  const call = '<tool_call>\n{"name": "find", "arguments": {"a": "}]\\"{", "b": [1, {}]}}\n</tool_call>';
  const found = { name: "find", arguments: '{"a": "}]\\"{", "b": [1, {}]}', isWhole: true };
  const cases: readonly (readonly [string, unknown])[] = [
    [`Let me see.${call}`, { text: "Let me see.", calls: [found], isOver: false }],
    [`${call}\n${call}`, { text: "", calls: [found, found], isOver: false }],
    [`${call}\nThat is all.`, { text: "", calls: [found], isOver: true }],
    ["<tool_call>\n<b>", { text: "<tool_call>\n<b>", calls: [], isOver: false }],
    [
      '<tool_call>\n{"name": "other", "arguments": {}}',
      { text: '<tool_call>\n{"name": "other", "arguments": {}}', calls: [], isOver: false },
    ],
    [
      '<tool_call>\n{"name": "find", "arguments": {"a": ',
      { text: "", calls: [{ name: "find", arguments: '{"a": ', isWhole: false }], isOver: false },
    ],
    ['<tool_call>\n{"name": "fi', { text: '<tool_call>\n{"name": "fi', calls: [], isOver: false }],
  ];
  for (const [text, expected] of cases) {
    fc.assert(
      fc.property(cutText(fc.constant(text)), (pieces) => {
        const reader = new ToolCallReader(hermes, ["find", "fin"], { mayRepeat: true, forced: false });
        assert.deepEqual(summary(readAll(reader, pieces)), expected);
      }),
      { numRuns: 60 },
    );
  }
});

test("one call is enough where several are not wanted, and a forced one needs no opening", () => {
  const once = new ToolCallReader(plain, ["f"], { mayRepeat: false, forced: false });
  assert.deepEqual(summary(readAll(once, ["||call:", " f", "({})", "||call: f({})"])), {
    text: "",
    calls: [{ name: "f", arguments: "{}", isWhole: true }],
    isOver: true,
  });
  const forced = new ToolCallReader(plain, ["f", "g"], { mayRepeat: false, forced: true });
  assert.deepEqual(summary(readAll(forced, ["g(", '{"a":1}'])), {
    text: "",
    calls: [{ name: "g", arguments: '{"a":1}', isWhole: true }],
    isOver: true,
  });
});

test("reasoning is counted from its opening to its closing mark", () => {
  const marks = { opening: "<think>", closing: "</think>" };
  const count = (meter: ReasoningMeter, tokens: readonly string[]): number => {
    for (const token of tokens) meter.push(token);
    return meter.tokens;
  };
  assert.equal(count(new ReasoningMeter(marks), ["<think>", "\n", "well", "</", "think>", "\n", "yes"]), 5);
  assert.equal(count(new ReasoningMeter(marks), ["\n", "<th", "ink>", "hm"]), 4);
  assert.equal(count(new ReasoningMeter(marks), ["yes", "<think>", "hm"]), 0);
  assert.equal(count(new ReasoningMeter({ ...marks, opening: "" }), ["well", "</think>", "yes"]), 2);
  assert.equal(count(new ReasoningMeter(undefined), ["<think>"]), 0);
});
