import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { LogprobToken, SequencePart } from "../types.ts";
import { answerHead, ChatStream, CompletionStream, streamDone, systemFingerprint, WholeAnswer } from "./index.ts";

const facts = {
  nowMs: 1_700_000_000_999,
  model: "m",
  fingerprint: systemFingerprint("fake 1", "ab"),
  serviceTier: undefined as string | undefined,
};
const request = "req_01HF7YAT00000000000000000";
const usage = { inputTokens: 7, cachedInputTokens: 3, outputTokens: 5, reasoningTokens: 1 };

interface Delta {
  content?: string;
  tool_calls?: { index: number; id?: string; type?: string; function: { name?: string; arguments: string } }[];
}
interface Chunk {
  readonly choices: readonly {
    readonly index: number;
    readonly delta: Delta;
    readonly text: string;
    readonly logprobs?: Record<string, unknown[]> | null;
    readonly finish_reason: string | null;
  }[];
}

const tokenOf = fc.record({ token: fc.string(), logprob: fc.constant(-1) }).map(({ token, logprob }): LogprobToken => ({
  token,
  logprob,
  bytes: [...Buffer.from(token)],
  top: [{ token, logprob, bytes: [...Buffer.from(token)] }],
}));
const textPart = fc.oneof(
  fc.string({ unit: "binary" }).map((text): SequencePart => ({ type: "text", text })),
  fc
    .array(tokenOf, { minLength: 1, maxLength: 3 })
    .map((logprobs): SequencePart => ({ type: "text", text: logprobs.map(({ token }) => token).join(""), logprobs })),
);
const calls = fc
  .array(fc.array(fc.string(), { maxLength: 3 }), { maxLength: 3 })
  .map((all) =>
    all.flatMap((pieces, index): SequencePart[] => [
      { type: "tool_call", index, id: `call_${index}`, name: `tool_${index}` },
      ...pieces.map((text): SequencePart => ({ type: "tool_arguments", index, text })),
    ]),
  );
const end: SequencePart = { type: "end", reason: "stop" };

test("chat: the chunks of a stream add up to the whole answer of the same parts", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.array(textPart, { maxLength: 5 }), calls), { minLength: 1, maxLength: 3 }),
      (all) => {
        const head = answerHead("chat.completions", request, facts);
        const stream = new ChatStream(head);
        const whole = new WholeAnswer("chat.completions", head, all.length);
        let frames = "";
        for (const [choice, [texts, toolCalls]] of all.entries()) {
          for (const part of [...texts, ...toolCalls, end]) {
            frames += stream.part(choice, part);
            whole.part(choice, part);
          }
        }
        frames += stream.usage(usage) + streamDone;
        const answer = JSON.parse(whole.body(usage)) as ReturnType<typeof addUp>;
        assert.deepEqual(addUp(frames, all.length), answer);
      },
    ),
  );
});

test("completions: text, legacy logprobs and offsets add up the same way", () => {
  fc.assert(
    fc.property(fc.array(textPart, { maxLength: 8 }), (texts) => {
      const head = answerHead("completions", request, facts);
      const stream = new CompletionStream(head);
      const whole = new WholeAnswer("completions", head, 1);
      let frames = "";
      const withLogprobs = texts.every((part) => "logprobs" in part);
      for (const part of withLogprobs ? [...texts, end] : [end]) {
        frames += stream.part(0, part);
        whole.part(0, part);
      }
      const joined = { text: "", offsets: [] as unknown[] };
      for (const { choices } of chunksOf(frames)) {
        joined.text += choices[0]!.text;
        joined.offsets.push(...(choices[0]!.logprobs?.["text_offset"] ?? []));
      }
      const [choice] = (JSON.parse(whole.body(usage)) as Chunk).choices;
      assert.equal(joined.text, choice!.text);
      assert.deepEqual(joined.offsets, choice!.logprobs?.["text_offset"] ?? []);
    }),
  );
});

test("the answer's shape is OpenAI's", () => {
  const head = answerHead("chat.completions", request, facts);
  const whole = new WholeAnswer("chat.completions", head, 1);
  whole.part(0, { type: "text", text: "Hi" });
  whole.part(0, end);
  assert.deepEqual(JSON.parse(whole.body(usage)), {
    id: "chatcmpl-01HF7YAT00000000000000000",
    object: "chat.completion",
    created: 1_700_000_000,
    model: "m",
    choices: [
      { index: 0, message: { role: "assistant", content: "Hi", refusal: null }, logprobs: null, finish_reason: "stop" },
    ],
    usage: {
      prompt_tokens: 7,
      completion_tokens: 5,
      total_tokens: 12,
      prompt_tokens_details: { cached_tokens: 3 },
      completion_tokens_details: { reasoning_tokens: 1 },
    },
    system_fingerprint: facts.fingerprint,
  });
});

test("the tier stands in every chunk and in the whole answer where it was asked for, and nowhere else", () => {
  const parts: readonly SequencePart[] = [{ type: "text", text: "Hi" }, end];
  for (const serviceTier of ["flex", undefined]) {
    const told = { ...facts, serviceTier };
    for (const [endpoint, Stream] of [
      ["chat.completions", ChatStream],
      ["completions", CompletionStream],
    ] as const) {
      const head = answerHead(endpoint, request, told);
      const stream = new Stream(head);
      const whole = new WholeAnswer(endpoint, head, 1);
      for (const part of parts) whole.part(0, part);
      const chunks = chunksOf(parts.map((part) => stream.part(0, part)).join("") + stream.usage(usage));
      for (const said of [...chunks, JSON.parse(whole.body(usage))] as { service_tier?: string }[]) {
        assert.equal(said.service_tier, serviceTier);
        assert.equal("service_tier" in said, serviceTier !== undefined);
      }
    }
  }
});

function chunksOf(frames: string): Chunk[] {
  const datas = frames.split("\n\n").filter((frame) => frame !== "" && frame !== "data: [DONE]");
  return datas.map((data) => JSON.parse(data.slice("data: ".length)) as Chunk);
}

/** What a client makes of the chunks. */
function addUp(frames: string, count: number): object {
  const chunks = chunksOf(frames);
  const choices = Array.from({ length: count }, (_, index) => ({
    index,
    message: { role: "assistant", content: "" as string | null, refusal: null } as Record<string, unknown>,
    logprobs: null as { content: unknown[]; refusal: null } | null,
    finish_reason: null as string | null,
  }));
  let text = Array.from({ length: count }, () => "");
  for (const chunk of chunks) {
    for (const { index, delta, logprobs, finish_reason } of chunk.choices) {
      const choice = choices[index]!;
      text = text.with(index, text[index]! + (delta.content ?? ""));
      if (logprobs) (choice.logprobs ??= { content: [], refusal: null }).content.push(...logprobs["content"]!);
      for (const call of delta.tool_calls ?? []) addCall(choice.message, call);
      choice.finish_reason = finish_reason ?? choice.finish_reason;
    }
  }
  for (const choice of choices) {
    const content = text[choice.index]!;
    choice.message["content"] = content === "" && choice.message["tool_calls"] !== undefined ? null : content;
  }
  const {
    id,
    created,
    model,
    system_fingerprint,
    usage: counted,
  } = chunks.at(-1) as unknown as Record<string, unknown>;
  return { id, object: "chat.completion", created, model, choices, usage: counted, system_fingerprint };
}

function addCall(message: Record<string, unknown>, call: NonNullable<Delta["tool_calls"]>[number]): void {
  const all = (message["tool_calls"] ??= []) as { id: string; type: string; function: { arguments: string } }[];
  if (call.id === undefined) all[call.index]!.function.arguments += call.function.arguments;
  else all[call.index] = { id: call.id, type: call.type!, function: { ...call.function } };
}
