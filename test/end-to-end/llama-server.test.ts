import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { createOpenAI } from "@ai-sdk/openai";
import { generateText } from "ai";
import OpenAI from "openai";
import { type LlamaServer, startLlamaServer } from "../llama-server.ts";
import { testModel } from "../models.ts";
import { type RunningCloud, startCloud, temporaryFolder } from "./cloud.ts";
import { receiptOf } from "./receipt.ts";

/** Bailiwick in front of a real second server: llama.cpp's own, as an operator who already runs one would. */
const model = "smollm2";
const folder = temporaryFolder();
let server: LlamaServer;
let cloud: RunningCloud;
let key: string;

before(async () => {
  const { path } = await testModel();
  server = await startLlamaServer(path, model);
  cloud = await startCloud({
    data: join(folder.path, "data"),
    arguments: ["--upstream", `${server.url}/v1`, "--site", "DE"],
  });
  key = await cloud.newKey();
});
after(async () => {
  await cloud?.stop();
  await server?.stop();
  folder.remove();
});

async function send(path: string, body: object): Promise<{ readonly response: Response; readonly text: string }> {
  const response = await fetch(`${cloud.url}${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify({ model, ...body }),
  });
  return { response, text: await response.text() };
}

function statementOf(response: Response): ReturnType<typeof receiptOf> {
  return receiptOf(cloud, key, { headers: Object.fromEntries(response.headers) });
}

const messages = [{ role: "user", content: "Say one word." }];

test("chat: whole and streamed cost the same, and the client sees no chunk that it did not ask for", async () => {
  const ask = { messages, max_tokens: 6, temperature: 0, cache_prompt: false };
  const whole = await send("/v1/chat/completions", ask);
  const said = (JSON.parse(whole.text) as { usage: { prompt_tokens: number; completion_tokens: number } }).usage;
  const streamed = await send("/v1/chat/completions", { ...ask, stream: true });
  assert.doesNotMatch(streamed.text, /"usage":\s*\{/);
  assert.match(streamed.text, /data: \[DONE\]\s*$/);
  for (const { response } of [whole, streamed]) {
    const { usage } = await statementOf(response);
    assert.equal(usage?.inputTokens, said.prompt_tokens);
    assert.equal(usage?.outputTokens, said.completion_tokens);
  }
});

test("completions, responses and messages pass through, metered and receipted, whole and streamed", async () => {
  const endpoints: readonly [string, object][] = [
    ["/v1/completions", { prompt: "The capital of France is", max_tokens: 4 }],
    ["/v1/responses", { input: "Say one word.", max_output_tokens: 16 }],
    ["/v1/messages", { messages, max_tokens: 16 }],
  ];
  for (const [path, body] of endpoints) {
    for (const stream of [false, true]) {
      const { response, text } = await send(path, { ...body, stream });
      assert.equal(response.status, 200, `${path}: ${text}`);
      const { usage } = await statementOf(response);
      assert.ok(usage !== null && usage.inputTokens > 0 && usage.outputTokens > 0, `${path} ${stream}: ${text}`);
    }
  }
});

test("the OpenAI client and the AI SDK's default models work against it", async () => {
  const client = new OpenAI({ apiKey: key, baseURL: `${cloud.url}/v1`, maxRetries: 0 });
  const response = await client.responses.create({ model, input: "Say hello.", max_output_tokens: 16 });
  assert.ok(response.output_text.length > 0);
  const provider = createOpenAI({ apiKey: key, baseURL: `${cloud.url}/v1` });
  const { text } = await generateText({
    model: provider(model),
    prompt: "Say hello.",
    maxOutputTokens: 16,
    maxRetries: 0,
  });
  assert.ok(text.length > 0);
});

test("an endpoint that it lacks says so, and the upstream's own refusal passes through unbilled", async () => {
  const lacking = await send("/v1/chat/completions", { messages: "not a list" });
  assert.ok(lacking.response.status >= 400);
  const { usage } = await statementOf(lacking.response);
  assert.ok(usage === null || usage.outputTokens === 0);
});

test("an upstream that goes away is unavailable, and nothing is made up", async () => {
  await server.stop();
  const { response, text } = await send("/v1/chat/completions", { messages, max_tokens: 4 });
  assert.equal(response.status, 503, text);
  assert.match(text, /engine_unavailable/);
});
