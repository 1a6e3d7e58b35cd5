import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { ask, errorIn, isDone, makeKey, type Seen, usageOf } from "./asking.ts";
import { type RunningCloud, startCloud, temporaryFolder } from "./cloud.ts";

/** Upstreams whose answers end in ways that no client should suffer from, by the name of the model that is asked for. */
const folder = temporaryFolder();
let cloud: RunningCloud;
let upstream: Server;
/** The body that the upstream got last. */
let lastAsked: Record<string, unknown> = {};
/** What the flood after a complete stream could write before its connection was closed. */
let floodedBytes = 0;

const event = (value: unknown): string => `data: ${JSON.stringify(value)}\n\n`;
const chunk = (content: string, finish: string | null = null): string =>
  event({
    id: "c",
    object: "chat.completion.chunk",
    choices: [{ index: 0, delta: { content }, finish_reason: finish }],
  });
const usage = { prompt_tokens: 5, completion_tokens: 2, total_tokens: 7 };
const wholeStream = [
  chunk("Hello."),
  chunk("", "stop"),
  event({ id: "c", object: "chat.completion.chunk", choices: [], usage }),
  "data: [DONE]\n\n",
];
const answerOf = (more: object): object => ({
  id: "c",
  object: "chat.completion",
  choices: [{ index: 0, message: { role: "assistant", content: "Hello." }, finish_reason: "stop" }],
  usage,
  ...more,
});

const behaviours: Readonly<Record<string, (response: ServerResponse) => void>> = {
  "done-stays-open": (response) => events(response, ...wholeStream),
  "done-then-pings": (response) => {
    events(response, ...wholeStream);
    const pings = setInterval(() => response.write(": ping\n\n"), 100);
    response.on("close", () => clearInterval(pings));
  },
  "done-then-flood": (response) => {
    events(response, ...wholeStream);
    const flood = (): void => {
      while (!response.destroyed) {
        const isTaken = response.write(chunk("x".repeat(60_000)));
        floodedBytes += 60_000;
        if (!isTaken) return;
      }
    };
    response.on("drain", flood);
    flood();
  },
  "heads-without-end": (response) => {
    const heads = setInterval(() => response.writeProcessing(), 5);
    response.on("close", () => clearInterval(heads));
  },
  "refuses-the-key": (response) =>
    json(response, 401, { error: { message: "bad key sk-operators-own", type: "auth" } }),
  redirects: (response) => {
    response.writeHead(302, { location: "http://127.0.0.1:1/" });
    response.end();
  },
  "fails-in-text": (response) => {
    response.writeHead(500, { "content-type": "text/plain" });
    response.end("boom at /srv/upstream/secret.py");
  },
  "bad-json": (response) => {
    response.writeHead(200, { "content-type": "application/json" });
    response.end('{"choices": [}');
  },
  "absurd-usage": (response) =>
    json(response, 200, answerOf({ usage: { prompt_tokens: 9_007_199_254_740_991, completion_tokens: 2 } })),
  "more-than-its-context": (response) =>
    json(response, 200, answerOf({ usage: { prompt_tokens: 4_000, completion_tokens: 2_000 } })),
  "says-no-usage": (response) => json(response, 200, answerOf({ usage: undefined })),
  "knows-no-context": (response) => json(response, 200, answerOf({})),
  "counts-as-it-goes": (response) => {
    const running = (tokens: number): string =>
      event({
        choices: [{ index: 0, delta: { content: "x" } }],
        usage: { prompt_tokens: 5, completion_tokens: tokens },
      });
    events(response, running(1), running(2), running(3));
    setTimeout(() => response.destroy(), 50);
  },
};

function json(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(value));
}
function events(response: ServerResponse, ...parts: readonly string[]): void {
  response.writeHead(200, { "content-type": "text/event-stream" });
  for (const part of parts) response.write(part);
}

function answer(request: IncomingMessage, response: ServerResponse): void {
  if (request.url === "/v1/models") {
    const data = Object.keys(behaviours).map((id) => ({
      id,
      object: "model",
      ...(id === "knows-no-context" ? {} : { max_model_len: 4_096 }),
    }));
    return json(response, 200, { object: "list", data });
  }
  let body = "";
  request.setEncoding("utf8");
  request.on("data", (part: string) => (body += part));
  request.on("end", () => {
    lastAsked = JSON.parse(body) as Record<string, unknown>;
    const behave = behaviours[String(lastAsked["model"])];
    if (behave === undefined) return json(response, 400, { error: { message: "no model", type: "invalid" } });
    return behave(response);
  });
}

before(async () => {
  upstream = createServer(answer);
  await new Promise<void>((resolve) => upstream.listen(0, "127.0.0.1", resolve));
  const { port } = upstream.address() as AddressInfo;
  const settings = `
models: {serve: []}
upstreams:
  - {name: odd, url: "http://127.0.0.1:${port}/v1", firstByteTimeoutMs: 30000, idleTimeoutMs: 30000}
`;
  cloud = await startCloud({ data: join(folder.path, "data"), settings });
});
after(async () => {
  await cloud?.kill();
  upstream.closeAllConnections();
  upstream.close();
  folder.remove();
});

async function asked(
  model: string,
  stream: boolean,
): Promise<Seen & { readonly tookMs: number; readonly key: string }> {
  const key = `${model}-${stream ? "stream" : "whole"}`;
  const secret = await makeKey(cloud, key);
  const startMs = performance.now();
  const seen = await ask({ url: cloud.url, key: secret, stream, more: { model } });
  return { ...seen, tookMs: performance.now() - startMs, key };
}

test("a stream that says that it is complete is, whatever its connection does afterwards", async () => {
  for (const model of ["done-stays-open", "done-then-pings", "done-then-flood"]) {
    const { text, whole, tookMs, key } = await asked(model, true);
    assert.ok(whole && isDone(text) && !text.includes("xxx"), `${model}: ${text.slice(0, 500)}`);
    assert.ok(tookMs < 20_000, `${model} took ${tookMs} ms`);
    const { outputTokens, unrated } = await usageOf(cloud, key);
    assert.deepEqual([outputTokens, unrated], [2, 0], model);
  }
  // What the connection's own buffers hold, and what came before the close: a flood that is read goes on for as long.
  assert.ok(floodedBytes > 0 && floodedBytes < 32 << 20, `${floodedBytes} bytes were taken after the end`);
});

test("heads that announce an answer for ever are no answer", async () => {
  const { status, text, tookMs } = await asked("heads-without-end", false);
  assert.equal(status, 502, text);
  assert.ok(tookMs < 20_000, `${tookMs} ms`);
});

test("what is between the operator and the upstream is not told to a tenant, and costs nothing", async () => {
  for (const [model, code] of [
    ["refuses-the-key", "upstream_refused"],
    ["redirects", "upstream_invalid"],
    ["fails-in-text", "engine_failed"],
  ] as const) {
    const seen = await asked(model, false);
    assert.deepEqual([seen.status, errorIn(seen).code], [502, code], seen.text);
    assert.doesNotMatch(seen.text, /sk-operators-own|secret\.py/);
    const { amount } = await usageOf(cloud, seen.key);
    assert.equal(Number(amount), 0, model);
  }
  assert.doesNotMatch(cloud.output(), /sk-operators-own/);
});

test("an answer that only looks like JSON is none", async () => {
  const seen = await asked("bad-json", false);
  assert.deepEqual([seen.status, errorIn(seen).code], [502, "upstream_invalid"]);
});

test("a usage that cannot be is no usage: unrated, and the books can still be read", async () => {
  for (const model of ["absurd-usage", "more-than-its-context"]) {
    for (let time = 0; time < 2; time++) {
      const { status, key } = await asked(model, time === 1);
      assert.equal(status, 200);
      const { unrated, amount, inputTokens } = await usageOf(cloud, key);
      assert.deepEqual([unrated, Number(amount), inputTokens], [1, 0, 0], model);
    }
  }
});

test("an answer that breaks off after it had said how much it used so far is metered by that", async () => {
  const seen = await asked("counts-as-it-goes", true);
  assert.ok(!isDone(seen.text));
  const { outputTokens, unrated } = await usageOf(cloud, seen.key);
  assert.deepEqual([outputTokens, unrated], [3, 0]);
});

test("what nobody counts is charged its bound under a token limit too", async () => {
  const key = await makeKey(cloud, "uncounted", { limits: { tokensPerMinute: 12_000 } });
  const statuses: (number | undefined)[] = [];
  for (let request = 0; request < 4; request++) {
    statuses.push((await ask({ url: cloud.url, key, more: { model: "says-no-usage", max_tokens: 4_000 } })).status);
  }
  assert.deepEqual(statuses, [200, 200, 429, 429]);
});

test("an answer without any limit gets the one that it was reserved with, where money or tokens are limited", async () => {
  const more = { model: "knows-no-context" };
  const free = await makeKey(cloud, "free");
  assert.equal((await ask({ url: cloud.url, key: free, more })).status, 200);
  assert.equal("max_tokens" in lastAsked, false, "nothing is added where nothing depends on it");
  const limited = await makeKey(cloud, "limited", { limits: { monthlyBudget: "1" } });
  assert.equal((await ask({ url: cloud.url, key: limited, more })).status, 200);
  assert.equal(lastAsked["max_tokens"], 8_192);
  assert.equal((await ask({ url: cloud.url, key: limited, more: { ...more, max_tokens: 7 } })).status, 200);
  assert.equal(lastAsked["max_tokens"], 7);
});

test("answers that others are chosen from are reserved for", async () => {
  const key = await makeKey(cloud, "choosy", { limits: { tokensPerMinute: 12_000 } });
  const body = (bestOf: number): string =>
    JSON.stringify({ model: "says-no-usage", prompt: "a", max_tokens: 1_000, best_of: bestOf });
  const path = "/v1/completions";
  // 20 answers of 1,000 tokens are more than a minute's; they run when the bucket is full, and leave it in debt.
  assert.equal((await ask({ url: cloud.url, key, path, body: body(20) })).status, 200);
  assert.equal((await ask({ url: cloud.url, key, path, body: body(1) })).status, 429);
  assert.equal((await ask({ url: cloud.url, key, path, body: body(1_000) })).status, 400);
});
