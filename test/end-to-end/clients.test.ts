import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { createOpenAI } from "@ai-sdk/openai";
import { generateText, streamText } from "ai";
import OpenAI from "openai";
import { commandFails, type RunningCloud, startCloud, temporaryFolder } from "./cloud.ts";

/** The unmodified clients that tenants have, against the real default model. */
const model = "smollm2-135m-instruct";
const folder = temporaryFolder();
let cloud: RunningCloud;
let key: string;
let client: OpenAI;

before(async () => {
  cloud = await startCloud({ data: join(folder.path, "data"), arguments: ["--site", "DE"], readyWithinMs: 280_000 });
  key = await cloud.newKey();
  client = new OpenAI({ apiKey: key, baseURL: `${cloud.url}/v1`, maxRetries: 0 });
});
after(async () => {
  await cloud?.stop();
  folder.remove();
});

const question = (text: string) => [
  { role: "system" as const, content: "You are a helpful assistant." },
  { role: "user" as const, content: text },
];

test("the client lists the models", async () => {
  const models = await client.models.list();
  assert.ok(models.data.some(({ id }) => id === model));
});

test("an answer, whole and streamed, is the same answer with the same usage", async () => {
  const ask = { model, messages: question("What is the capital of France?"), temperature: 0, max_tokens: 24 };
  const whole = await client.chat.completions.create(ask);
  const stream = await client.chat.completions.create({
    ...ask,
    stream: true,
    stream_options: { include_usage: true },
  });
  let text = "";
  let usage: OpenAI.CompletionUsage | null | undefined;
  let finish: string | null | undefined;
  for await (const chunk of stream) {
    text += chunk.choices[0]?.delta.content ?? "";
    finish = chunk.choices[0]?.finish_reason ?? finish;
    usage = chunk.usage ?? usage;
  }
  assert.match(text, /Paris/);
  assert.equal(text, whole.choices[0]?.message.content);
  assert.equal(finish, whole.choices[0]?.finish_reason);
  assert.equal(usage?.prompt_tokens, whole.usage?.prompt_tokens);
  assert.equal(usage?.completion_tokens, whole.usage?.completion_tokens);
});

test("a JSON schema, a named tool and logprobs come back as the client expects them", async () => {
  const shaped = await client.chat.completions.create({
    model,
    messages: question("Invent a person."),
    temperature: 0,
    max_tokens: 80,
    response_format: {
      type: "json_schema",
      json_schema: {
        name: "person",
        schema: {
          type: "object",
          properties: { age: { type: "integer" }, adult: { type: "boolean" } },
          required: ["age", "adult"],
          additionalProperties: false,
        },
      },
    },
  });
  const person = JSON.parse(shaped.choices[0]?.message.content ?? "") as { age: number; adult: boolean };
  assert.equal(typeof person.age, "number");
  assert.equal(typeof person.adult, "boolean");

  const called = await client.chat.completions.create({
    model,
    messages: question("What is the weather in Berlin?"),
    temperature: 0,
    max_tokens: 80,
    tools: [
      {
        type: "function",
        function: {
          name: "get_weather",
          parameters: {
            type: "object",
            properties: { unit: { enum: ["celsius", "fahrenheit"] } },
            required: ["unit"],
            additionalProperties: false,
          },
        },
      },
    ],
    tool_choice: { type: "function", function: { name: "get_weather" } },
  });
  const [call] = called.choices[0]?.message.tool_calls ?? [];
  assert.ok(call?.type === "function" && call.function.name === "get_weather");
  assert.match((JSON.parse(call.function.arguments) as { unit: string }).unit, /^(celsius|fahrenheit)$/);

  const explained = await client.chat.completions.create({
    model,
    messages: question("Say yes."),
    max_tokens: 4,
    seed: 7,
    temperature: 1.3,
    logprobs: true,
    top_logprobs: 3,
  });
  const tokens = explained.choices[0]?.logprobs?.content ?? [];
  assert.ok(tokens.length > 0);
  for (const token of tokens) {
    assert.ok(token.logprob <= 0 && token.top_logprobs.length === 3);
    assert.ok(token.top_logprobs[0]!.logprob >= token.top_logprobs[2]!.logprob);
  }
});

test("a client that leaves is metered as an abort", async () => {
  const stream = await client.chat.completions.create({
    model,
    messages: question("Count from one to one hundred in words."),
    max_tokens: 400,
    temperature: 0,
    stream: true,
  });
  for await (const _ of stream) break;
  const metrics = async (): Promise<string> => (await fetch(`${cloud.url}/metrics`)).text();
  const endMs = Date.now() + 60_000;
  while (!/bailiwick_requests_total\{[^}]*ending="abort"\} [1-9]/.test(await metrics())) {
    assert.ok(Date.now() < endMs, "no abort in the metrics");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
});

test("the Vercel AI SDK's chat models generate and stream", async () => {
  const provider = createOpenAI({ apiKey: key, baseURL: `${cloud.url}/v1` });
  const whole = await generateText({
    model: provider.chat(model),
    prompt: "Name a colour.",
    temperature: 0,
    maxOutputTokens: 12,
    maxRetries: 0,
  });
  assert.ok(whole.text.length > 0 && (whole.usage.outputTokens ?? 0) > 0);
  const streamed = streamText({
    model: provider.chat(model),
    prompt: "Name a colour.",
    temperature: 0,
    maxOutputTokens: 12,
    maxRetries: 0,
  });
  let text = "";
  for await (const part of streamed.textStream) text += part;
  assert.equal(text, whole.text);
});

test("every answer has a receipt that verifies offline, down to the bytes that were sent", async () => {
  const request = JSON.stringify({ model, messages: question("Say hello."), max_tokens: 8 });
  const response = await fetch(`${cloud.url}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: request,
  });
  const body = Buffer.from(await response.arrayBuffer());
  const id = response.headers.get("bailiwick-receipt");
  assert.match(id ?? "", /^rcpt_/);
  const get = async (path: string): Promise<Buffer> => {
    const got = await fetch(`${cloud.url}${path}`, { headers: { authorization: `Bearer ${key}` } });
    assert.equal(got.status, 200, path);
    return Buffer.from(await got.arrayBuffer());
  };
  const path = (name: string): string => join(folder.path, name);
  const receipt = await get(`/v1/receipts/${id}`);
  writeFileSync(path("receipt.json"), receipt);
  writeFileSync(path("keys.json"), await get("/.well-known/bailiwick/keys"));
  writeFileSync(path("digest-key.json"), await get("/v1/receipts/digest-key"));
  writeFileSync(path("request.json"), request);
  writeFileSync(path("response.json"), body);
  const verify = ["receipt", "verify", path("receipt.json"), "--key", path("keys.json"), "--json"];
  const bytes = ["--request", path("request.json"), "--response", path("response.json")];
  const valid = await commandFails([...verify, ...bytes, "--digest-key", path("digest-key.json")]);
  assert.equal(valid.code, 0, valid.stderr + valid.stdout);
  assert.equal((JSON.parse(valid.stdout) as { valid: boolean }).valid, true);

  const flipped = Buffer.from(receipt);
  flipped[Math.floor(flipped.length / 2)]! ^= 1;
  writeFileSync(path("receipt.json"), flipped);
  const invalid = await commandFails(verify);
  assert.equal(invalid.code, 1, invalid.stderr);
  assert.equal((JSON.parse(invalid.stdout) as { valid: boolean }).valid, false);
});

test("usage is reported per key, model and day, and adds up to what the answers said", async () => {
  const mine = await cloud.newKey("default", "--name", "usage-test");
  const own = new OpenAI({ apiKey: mine, baseURL: `${cloud.url}/v1`, maxRetries: 0 });
  let input = 0;
  let output = 0;
  for (const stream of [false, true]) {
    const ask = { model, messages: question("Say one word."), max_tokens: 6 };
    const answer = stream
      ? await own.chat.completions
          .stream({ ...ask, stream: true, stream_options: { include_usage: true } })
          .finalChatCompletion()
      : await own.chat.completions.create(ask);
    input += answer.usage?.prompt_tokens ?? NaN;
    output += answer.usage?.completion_tokens ?? NaN;
  }
  const rows = await cloud.command<Record<string, string | number>[]>("usage", "--key", "usage-test");
  assert.equal(rows.length, 1);
  const { key: name, requests, inputTokens, outputTokens, unrated, amount, currency } = rows[0]!;
  assert.deepEqual(
    { requests, inputTokens, outputTokens, unrated, currency },
    { requests: 2, inputTokens: input, outputTokens: output, unrated: 0, currency: "EUR" },
  );
  assert.ok(name !== undefined && Number(amount) > 0);
});
