import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ManualClock } from "../../base/index.ts";
import type { GenerateRequest, LoadedModel, Sequence, SequencePart } from "../types.ts";
import { createFake, type FakeSettings } from "./index.ts";
import { StopFilter } from "./stop.ts";
import { commonTokens, cut, scan } from "./words.ts";

const plainSampling = {
  temperature: 0,
  topP: 1,
  topK: 0,
  minP: 0,
  seed: undefined,
  frequencyPenalty: 0,
  presencePenalty: 0,
  repeatPenalty: 1,
};

async function openModel(
  settings: FakeSettings = {},
  more: { readonly clock?: ManualClock; readonly crash?: () => void } = {},
): Promise<LoadedModel> {
  const crash = more.crash ?? ((): never => assert.fail("no script asked for a crash"));
  const engine = await createFake(settings, more.clock ?? new ManualClock(), crash).open({
    threads: 1,
    sequences: 8,
    gpu: "off",
    prefillSliceTokens: 64,
    memoryBytes: undefined,
  });
  return engine.load({ name: "fake", path: "", sha256: "", contextTokens: 100 });
}

function request(text: string, more: Partial<GenerateRequest> = {}): GenerateRequest {
  return {
    tenant: "prj_a",
    prompt: { kind: "text", text },
    tools: [],
    toolChoice: { kind: "none" },
    parallelToolCalls: true,
    responseFormat: { kind: "text" },
    sampling: plainSampling,
    stop: [],
    maxTokens: undefined,
    topLogprobs: undefined,
    signal: new AbortController().signal,
    ...more,
  };
}

async function start(model: LoadedModel, asked: GenerateRequest): Promise<Sequence> {
  const sequence = await model.start(asked);
  if ("outcome" in sequence) assert.fail(sequence.message);
  return sequence;
}

async function partsOf(sequence: Sequence): Promise<SequencePart[]> {
  const parts: SequencePart[] = [];
  for await (const part of sequence) parts.push(part);
  return parts;
}

function textOf(parts: readonly SequencePart[]): string {
  return parts.map((part) => (part.type === "text" || part.type === "tool_arguments" ? part.text : "")).join("");
}

test("the same prompt gives the same answer, and the end of the turn is a token too", async () => {
  const model = await openModel({ answerTokens: 5 });
  const first = await start(model, request("one two three"));
  const parts = await partsOf(first);
  assert.deepEqual(first.counts(), { inputTokens: 3, cachedInputTokens: 0, outputTokens: 6, reasoningTokens: 0 });
  assert.deepEqual(parts.at(-1), { type: "end", reason: "stop" });
  const second = await start(model, request("one two three"));
  assert.deepEqual(await partsOf(second), parts);
  assert.equal(second.counts().cachedInputTokens, 2);
  const other = await start(model, request("one two three", { tenant: "prj_b" }));
  await partsOf(other);
  assert.equal(other.counts().cachedInputTokens, 0, "a cache crossed from one tenant to another");
});

test("what a tenant has asked is forgotten when it is told so, and what others have asked is not", async () => {
  const model = await openModel({});
  const cached = async (tenant: string): Promise<number> => {
    const sequence = await start(model, request("one two three", { tenant }));
    await partsOf(sequence);
    return sequence.counts().cachedInputTokens;
  };
  assert.deepEqual([await cached("a"), await cached("b"), await cached("a")], [0, 0, 2]);
  await model.forget("a");
  assert.deepEqual([await cached("a"), await cached("b")], [0, 2]);
  await model.forget(undefined);
  assert.deepEqual([await cached("a"), await cached("b")], [0, 0]);
});

test("max tokens end an answer by length, a stop string before it appears", async () => {
  const model = await openModel({ answerTokens: 30 });
  const cutShort = await start(model, request("a", { maxTokens: 4 }));
  const parts = await partsOf(cutShort);
  assert.deepEqual(parts.at(-1), { type: "end", reason: "length" });
  assert.equal(cutShort.counts().outputTokens, 4);
  const whole = textOf(await partsOf(await start(model, request("a"))));
  const stop = whole.slice(12, 19);
  const stopped = await partsOf(await start(model, request("a", { stop: [stop] })));
  assert.equal(textOf(stopped), whole.slice(0, whole.indexOf(stop)));
  assert.deepEqual(stopped.at(-1), { type: "end", reason: "stop" });
});

test("a stop filter lets through what stands before the first stop, however the text is cut", () => {
  const letters = fc.string({ unit: fc.constantFrom("a", "b"), minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(fc.array(letters), fc.array(letters, { minLength: 1, maxLength: 4 }), (pieces, stops) => {
      const filter = new StopFilter(stops);
      let passed = "";
      for (const piece of pieces) {
        if (!filter.stopped) passed += filter.push(piece);
      }
      const stopped = filter.stopped;
      passed += filter.rest();
      const text = pieces.join("");
      const found = stops.map((stop) => text.indexOf(stop)).filter((at) => at >= 0);
      assert.equal(stopped, found.length > 0);
      // The stop whose text is complete first ends the answer; a longer one may begin before it.
      if (stopped) assert.ok(text.startsWith(passed) && stops.every((stop) => !passed.includes(stop)));
      else assert.equal(passed, text);
    }),
  );
});

test("pace: the first token and the next ones come when their time has come", async () => {
  const clock = new ManualClock();
  const model = await openModel({ firstTokenMs: 100, tokenMs: 10 }, { clock });
  const sequence = (await start(model, request("a")))[Symbol.asyncIterator]();
  let read = 0;
  const next = (): Promise<unknown> => sequence.next().then(() => read++);
  const first = next();
  clock.advance(99);
  await settled();
  assert.equal(read, 0);
  clock.advance(1);
  await first;
  const second = next();
  clock.advance(10);
  await second;
  assert.equal(read, 2);
});

test("an abort ends a wait at once, by its reason", async () => {
  const model = await openModel();
  for (const script of ["[[fake:hang]]", "[[fake:slow-prefill=60000]]"]) {
    const abort = new AbortController();
    const sequence = await start(model, request(script, { signal: abort.signal }));
    const parts = partsOf(sequence);
    abort.abort(new Error("the client left"));
    await assert.rejects(parts, /the client left/);
  }
});

test("held, nothing is computed, and an abort still ends it; released, it goes on", async () => {
  const model = await openModel();
  await model.hold();
  const held = await start(model, request("a"));
  const parts = partsOf(held);
  const abort = new AbortController();
  const aborted = partsOf(await start(model, request("b", { signal: abort.signal })));
  await settled();
  assert.equal(held.counts().outputTokens, 0);
  abort.abort(new Error("the client left"));
  await assert.rejects(aborted, /the client left/);
  model.release();
  assert.equal((await parts).at(-1)?.type, "end");
});

test("a script crashes, fails or refuses where it says, and an unload fails what runs", async () => {
  let crashes = 0;
  const model = await openModel({}, { crash: () => void crashes++ });
  await partsOf(await start(model, request("[[fake:crash-after=5]]")));
  assert.equal(crashes, 1);
  const failing = await start(model, request("[[fake:fail-after=2]]"));
  await assert.rejects(partsOf(failing), /fails after 2/);
  assert.equal(failing.counts().outputTokens, 2);
  assert.equal("outcome" in (await model.start(request("[[fake:refuse]]"))), true);
  const hanging = partsOf(await start(model, request("[[fake:hang]]")));
  await model.unload();
  await assert.rejects(hanging, /unloaded/);
});

test("a prompt over the context is refused, and an answer ends where the context does", async () => {
  const model = await openModel({ answerTokens: 500 });
  const long = await model.start(request("word ".repeat(100)));
  assert.equal("outcome" in long && long.code, "context_length_exceeded");
  const near = await start(model, request("word ".repeat(90)));
  assert.deepEqual((await partsOf(near)).at(-1), { type: "end", reason: "length" });
  assert.equal(near.counts().outputTokens, 10);
});

test("forced calls and schemas give JSON that matches; what is not understood is refused by name", async () => {
  const model = await openModel();
  const parameters = {
    type: "object",
    required: ["city", "days", "unit", "at"],
    properties: {
      city: { type: "string", minLength: 10 },
      days: { type: "integer", minimum: 3 },
      unit: { enum: ["C", "F"] },
      at: { $ref: "#/$defs/place" },
    },
    $defs: { place: { type: "array", items: { type: "number", exclusiveMinimum: 4 }, minItems: 2 } },
  };
  const tools = [{ name: "weather", description: undefined, parameters }];
  const called = await partsOf(await start(model, request("a", { tools, toolChoice: { kind: "required" } })));
  assert.deepEqual(called.at(-1), { type: "end", reason: "tool_calls" });
  assert.deepEqual(JSON.parse(textOf(called)), { city: "fakefakefa", days: 3, unit: "C", at: [4.001, 4.001] });
  for (const schema of [{ type: "string", pattern: "a" }, { $ref: "#" }, { type: "array", minItems: 1e9, items: {} }]) {
    const outcome = await model.start(request("a", { responseFormat: { kind: "json_schema", name: "s", schema } }));
    assert.equal("outcome" in outcome && outcome.code, "unsupported_schema");
  }
});

test("words: tokens are counted, cut and compared alike", () => {
  const word = fc.string({ unit: fc.constantFrom("a", "b", "c"), minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(fc.array(word), fc.array(word), (a, b) => {
      assert.equal(scan(a.join(" ")).tokens, a.length);
      let common = 0;
      while (common < a.length && common < b.length && a[common] === b[common]) common++;
      assert.equal(commonTokens(a.join(" "), b.join(" ")), common);
    }),
  );
  fc.assert(fc.property(fc.string({ unit: "grapheme" }), (text) => assert.equal(cut(text).join(""), text)));
});

/** All that can happen without time passing has happened. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
