import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { type AddressInfo, createServer as createRawServer } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { ask, errorIn, eventsOf, isDone, makeKey, type Seen, usageOf } from "./asking.ts";
import { eventually, type RunningCloud, startCloud, temporaryFolder } from "./cloud.ts";

/** An upstream that does everything wrong, by the name of the model that is asked for. */
const folder = temporaryFolder();
let cloud: RunningCloud;
let url: string;
let upstream: Server;
/** How often each model's client has left, or got its end. */
const left = new Map<string, number>();

const usage = { prompt_tokens: 5, completion_tokens: 2, total_tokens: 7 };
const whole = {
  id: "chatcmpl-1",
  object: "chat.completion",
  created: 1,
  model: "m",
  // A tier that is none of ours: what an upstream says of its own passes.
  service_tier: "scale",
  choices: [{ index: 0, message: { role: "assistant", content: "Hello." }, finish_reason: "stop" }],
  usage,
};
const chunk = (content: string, finish: string | null = null): string =>
  event({
    id: "c",
    object: "chat.completion.chunk",
    service_tier: "scale",
    choices: [{ index: 0, delta: { content }, finish_reason: finish }],
  });
const event = (value: unknown): string => `data: ${JSON.stringify(value)}\n\n`;
const usageEvent = event({ id: "c", object: "chat.completion.chunk", choices: [], usage });
const done = "data: [DONE]\n\n";

const behaviours: Readonly<Record<string, (response: ServerResponse, stream: boolean) => void>> = {
  good: (response, stream) => {
    if (!stream) return json(response, 200, whole);
    return events(response, chunk("Hello."), chunk("", "stop"), usageEvent, done).end();
  },
  "garbage-body": (response) => send(response, 200, "application/json", "\u0000\u0001 not JSON at all"),
  "garbage-type": (response) => send(response, 200, "text/html", "<html><body>Welcome to nginx</body></html>"),
  "garbage-bytes": (response) => {
    response.socket?.end("\u0016\u0003\u0001 this is no HTTP\r\n\r\n");
  },
  "garbage-stream": (response) => {
    events(response, "\u0000\u0001 neither events nor text ", "and no end of a line").end();
  },
  "half-event": (response) => {
    events(response, chunk("He"), chunk("llo").slice(0, 30)).end();
  },
  "half-event-cut": (response) => {
    events(response, chunk("He"), chunk("llo").slice(0, 30));
    setTimeout(() => response.destroy(), 50);
  },
  "half-body-cut": (response) => {
    response.writeHead(200, { "content-type": "application/json", "content-length": "1000" });
    response.write('{"id":');
    setTimeout(() => response.destroy(), 50);
  },
  never: () => undefined,
  "never-ends": (response) => void events(response, chunk("He")),
  "no-done": (response) => void events(response, chunk("He"), chunk("", "stop"), usageEvent).end(),
  "no-usage": (response, stream) => {
    if (stream) events(response, chunk("Hello."), chunk("", "stop"), done).end();
    else json(response, 200, { ...whole, usage: undefined });
  },
  "error-500": (response) => json(response, 500, { error: { message: "CUDA out of memory", type: "server_error" } }),
  "error-400": (response) => json(response, 400, { error: { message: "no such field", type: "invalid", param: "x" } }),
  "error-429": (response) => {
    response.setHeader("retry-after", "7");
    json(response, 429, { error: { message: "too many", type: "rate" } });
  },
  "error-event": (response) => {
    events(response, chunk("He"), event({ error: { message: "the worker died", type: "server_error" } })).end();
  },
};

function send(response: ServerResponse, status: number, type: string, text: string): void {
  response.writeHead(status, { "content-type": type });
  response.end(text);
}
function json(response: ServerResponse, status: number, value: unknown): void {
  send(response, status, "application/json", JSON.stringify(value));
}
function events(response: ServerResponse, ...parts: readonly string[]): ServerResponse {
  response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8" });
  for (const part of parts) response.write(part);
  return response;
}

function answer(request: IncomingMessage, response: ServerResponse): void {
  if (request.url === "/v1/models") {
    const data = Object.keys(behaviours).map((id) => ({ id, object: "model" }));
    return json(response, 200, { object: "list", data });
  }
  let body = "";
  request.setEncoding("utf8");
  request.on("data", (part: string) => (body += part));
  request.on("end", () => {
    const { model, stream } = JSON.parse(body) as { model?: string; stream?: boolean };
    const behave = behaviours[model ?? ""];
    // The cloud asks with an empty object what there is; one that has the endpoint finds fault with that.
    if (behave === undefined) return json(response, 400, { error: { message: "no model", type: "invalid" } });
    response.on("close", () => left.set(model!, (left.get(model!) ?? 0) + 1));
    return behave(response, stream === true);
  });
}

before(async () => {
  upstream = createServer(answer);
  await new Promise<void>((resolve) => upstream.listen(0, "127.0.0.1", resolve));
  const { port } = upstream.address() as AddressInfo;
  cloud = await startCloud({
    data: join(folder.path, "data"),
    settings: `
models: {serve: []}
upstreams:
  - name: wrong
    url: http://127.0.0.1:${port}/v1
    firstByteTimeoutMs: 2000
    idleTimeoutMs: 2000
`,
  });
  ({ url } = cloud);
});
after(async () => {
  await cloud?.kill();
  upstream.closeAllConnections();
  upstream.close();
  folder.remove();
});

/** Asks the upstream's model with a key of its own; what the books say of it afterwards. */
async function asked(model: string, stream: boolean): Promise<{ seen: Seen; unrated: number; outputTokens: number }> {
  const name = `${model}-${stream ? "stream" : "whole"}`;
  const key = await makeKey(cloud, name);
  const seen = await ask({ url, key, stream, more: { model } });
  const books = await usageOf(cloud, name);
  assert.equal(books.requests, 1);
  return { seen, unrated: books.unrated, outputTokens: books.outputTokens };
}

function failedStream(seen: Seen, code: string | RegExp): void {
  assert.equal(seen.status, 200, seen.text);
  assert.ok(seen.whole && !isDone(seen.text), seen.text);
  const last = eventsOf(seen.text).at(-1) as { error?: { code?: string } };
  assert.match(last.error?.code ?? "", typeof code === "string" ? new RegExp(`^${code}$`) : code, seen.text);
}

test("what a good upstream says passes byte for byte, its tier too, though another was asked for", async () => {
  const key = await makeKey(cloud, "bytes");
  const more = { model: "good", service_tier: "flex" };
  const { text } = await ask({ url, key, more });
  assert.equal(text, JSON.stringify(whole));
  const streamed = await ask({ url, key, more, stream: true });
  assert.equal(streamed.text, chunk("Hello.") + chunk("", "stop") + usageEvent + done);
});

test("a good upstream's answer passes, and is rated", async () => {
  for (const stream of [false, true]) {
    const { seen, unrated, outputTokens } = await asked("good", stream);
    assert.equal(seen.status, 200, seen.text);
    assert.equal(isDone(seen.text), stream);
    assert.deepEqual([unrated, outputTokens], [0, 2]);
  }
});

test("garbage instead of an answer: upstream_invalid or engine_failed, unrated and never free", async () => {
  for (const model of ["garbage-body", "garbage-type", "garbage-bytes"]) {
    const { seen, unrated } = await asked(model, false);
    assert.equal(seen.status, 502, `${model}: ${seen.status} ${seen.text}`);
    assert.match(errorIn(seen).code, /^(upstream_invalid|engine_failed)$/);
    assert.equal(unrated, 1, model);
  }
});

test("garbage instead of a stream: an error, and no [DONE]", async () => {
  for (const model of ["garbage-body", "garbage-type", "garbage-bytes"]) {
    const { seen, unrated } = await asked(model, true);
    assert.ok(seen.whole && !isDone(seen.text) && /"error"/.test(seen.text), `${model}: ${seen.text}`);
    assert.ok((seen.status ?? 0) >= 500, `${model}: ${seen.status}`);
    assert.equal(unrated, 1, model);
  }
  const { seen, unrated } = await asked("garbage-stream", true);
  failedStream(seen, /^(engine_failed|upstream_invalid)$/);
  assert.equal(unrated, 1);
});

test("half an event, its end or a cut: an error event, and what was not whole does not pass as an answer", async () => {
  for (const model of ["half-event", "half-event-cut", "no-done"]) {
    const { seen } = await asked(model, true);
    failedStream(seen, /^(engine_failed|upstream_invalid)$/);
  }
  const { seen, unrated } = await asked("half-body-cut", false);
  assert.deepEqual([seen.status, errorIn(seen).code, unrated], [502, "engine_failed", 1]);
});

test("never: the time is over, the upstream is told, and the request is unrated", async () => {
  const first = await asked("never", false);
  assert.deepEqual([first.seen.status, errorIn(first.seen).code, first.unrated], [504, "engine_timeout", 1]);
  const streamed = await asked("never", true);
  assert.deepEqual([streamed.seen.status, errorIn(streamed.seen).code], [504, "engine_timeout"]);
  const silent = await asked("never-ends", true);
  failedStream(silent.seen, "engine_timeout");
  assert.equal(silent.unrated, 1);
  await eventually("the upstream's hearing of it", () => left.get("never") === 2 && left.get("never-ends") === 1);
});

test("an answer without usage passes, and is unrated", async () => {
  for (const stream of [false, true]) {
    const { seen, unrated } = await asked("no-usage", stream);
    assert.equal(seen.status, 200);
    assert.equal(isDone(seen.text), stream);
    assert.equal(unrated, 1);
  }
});

test("its refusals pass in its own words; a 500 is unrated, a refusal costs nothing", async () => {
  for (const stream of [false, true]) {
    const failed = await asked("error-500", stream);
    assert.equal(failed.seen.status, 500);
    assert.match(failed.seen.text, /CUDA out of memory/);
    assert.equal(failed.unrated, 1);
    const bad = await asked("error-400", stream);
    assert.deepEqual([bad.seen.status, bad.unrated, bad.outputTokens], [400, 0, 0]);
    assert.match(bad.seen.text, /no such field/);
    const busy = await asked("error-429", stream);
    assert.deepEqual([busy.seen.status, busy.seen.headers["retry-after"]], [429, "7"]);
  }
  const { seen } = await asked("error-event", true);
  assert.ok(!isDone(seen.text));
  assert.match(seen.text, /the worker died/);
});

test("an upstream that is gone: engine_unavailable, nothing owed; back, it is served again", async () => {
  const key = await makeKey(cloud, "gone");
  const { port } = upstream.address() as AddressInfo;
  upstream.closeAllConnections();
  await new Promise((resolve) => upstream.close(resolve));
  const seen = await ask({ url, key, more: { model: "good" } });
  assert.equal(seen.status, 503, seen.text);
  assert.equal(errorIn(seen).code, "engine_unavailable");
  upstream = createServer(answer);
  await new Promise<void>((resolve) => upstream.listen(port, "127.0.0.1", resolve));
  await eventually("it again", async () => (await ask({ url, key, more: { model: "good" } })).status === 200);
  assert.equal((await usageOf(cloud, "gone")).unrated, 0);
});

test(
  "an upstream that never answers anything holds up neither the start nor other models",
  { timeout: 120_000 },
  async (context) => {
    const silent = createRawServer((socket) => socket.unref().on("error", () => socket.destroy()));
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    context.after(() => silent.close());
    const { port } = silent.address() as AddressInfo;
    let askedAtMs = Infinity;
    silent.once("connection", () => (askedAtMs = performance.now()));
    const other = await startCloud({
      data: join(folder.path, "other"),
      settings: `
engine: {kind: fake}
models: {serve: [fake]}
upstreams: [{name: silent, url: "http://127.0.0.1:${port}/v1", models: [{name: lost}]}]
`,
    });
    try {
      // It is asked for ten seconds: a machine that takes longer to start cannot show that nobody waited for that.
      if (performance.now() - askedAtMs > 9_500)
        return context.skip("the start took longer than the upstream is asked");
      const key = await makeKey(other, "served");
      assert.equal((await ask({ url: other.url, key })).status, 200);
      const lost = await ask({ url: other.url, key, more: { model: "lost" } });
      assert.ok(lost.status === 404 || lost.status === 503, lost.text);
    } finally {
      await other.kill();
    }
  },
);
