/** What the digests of a request's and an answer's meaning cost: a part each, and a stream with them and without. */
import { createSecretKey, randomBytes } from "node:crypto";
import { endpoints, EventStream } from "../src/gateway/index.ts";
import { answerForm, answerMeaning, requestMeaning } from "../src/meaning/index.ts";
import { digestOfText } from "../src/receipt/index.ts";

export const streamEvents = 64;

const chat = endpoints.find(({ name }) => name === "chat.completions")!;
const digestKey = { id: "dgk_1", secret: createSecretKey(randomBytes(32)) };
const usage = { inputTokens: 150, cachedInputTokens: 0, outputTokens: streamEvents, reasoningTokens: 0 };
const body = {
  model: "m",
  messages: [
    { role: "system", content: "You are a helpful assistant that answers in one short sentence." },
    { role: "user", content: "Why is the sky blue? ".repeat(25) },
  ],
  max_tokens: streamEvents,
  temperature: 0.7,
  stream: true,
};
const words = Array.from({ length: streamEvents }, (_, index) => ` word${index}`);
const whole = {
  id: "chatcmpl-01KA0000000000000000000000",
  choices: [
    { index: 0, message: { role: "assistant", content: words.join("") }, finish_reason: "stop", logprobs: null },
  ],
};
const head = { id: whole.id, object: "chat.completion.chunk", created: 1_763_942_400, model: "m" };
const chunks = [
  ...words.map((content) => frame({ ...head, choices: [{ index: 0, delta: { content }, finish_reason: null }] })),
  frame({ ...head, choices: [{ index: 0, delta: {}, finish_reason: "stop" }] }),
  Buffer.from("data: [DONE]\n\n"),
];

function frame(event: unknown): Buffer {
  return Buffer.from(`data: ${JSON.stringify(event)}\n\n`);
}

/** Passes a stream through, and says what it meant where that is asked for. */
function stream(isMeant: boolean): string | undefined {
  const events = new EventStream(chat, false, isMeant ? answerForm(chat.name)!.assemble!() : undefined);
  for (const chunk of chunks) events.push(chunk);
  return events.said === undefined ? undefined : digestOfText(digestKey, answerMeaning(events.said, usage)!);
}

export const meaningParts = [
  { name: "meaning of a request", work: () => digestOfText(digestKey, requestMeaning(chat.name, body)!) },
  {
    name: "meaning of a whole answer",
    work: () => digestOfText(digestKey, answerMeaning(answerForm(chat.name)!.whole(whole), usage)!),
  },
  { name: `stream of ${streamEvents} events`, work: () => stream(false) },
  { name: "the same with its meaning", work: () => stream(true) },
] as const;
