import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type Ask, ask, control, errorIn, eventsOf, isDone, makeKey, usageIn, usageOf } from "./asking.ts";
import { eventually, type RunningCloud, startCloud, temporaryFolder } from "./cloud.ts";

/** What clients may send: every fault has its code and its words, costs nothing, and harms nobody else. */
const folder = temporaryFolder();
let cloud: RunningCloud;
let url: string;
let key: string;

const settings = `
engine: {kind: fake, contextTokens: 512}
models: {serve: [fake]}
fake: {firstTokenMs: 1, tokenMs: 0, tokens: 8}
limits: {bodyBytes: 65536, headersTimeoutMs: 1500, bodyTimeoutMs: 2000, connections: 64}
`;

before(async () => {
  cloud = await startCloud({ data: join(folder.path, "data"), settings });
  ({ url } = cloud);
  key = await makeKey(cloud, "faults");
});
after(async () => {
  await cloud?.kill();
  folder.remove();
});

async function refused(options: Omit<Ask, "url">, status: number, code: string, words?: RegExp): Promise<void> {
  const seen = await ask({ url, key, ...options });
  assert.equal(seen.status, status, seen.text);
  const error = errorIn(seen);
  assert.equal(error.code, code, seen.text);
  if (words !== undefined) assert.match(error.message, words);
}

test("bodies that are no JSON object in UTF-8", async () => {
  const bodies = ["", "{", "[]", "null", "1", '{"model": "fake"', '{"model":"fake","messages":[}]}', "\u0000"];
  for (const body of bodies) await refused({ body }, 400, "malformed_json");
  const socket = await opened();
  const bytes = Buffer.from('{"model":"fake","messages":[{"role":"user","content":"\xff"}]}', "latin1");
  socket.socket.write(head(bytes.length));
  socket.socket.write(bytes);
  await eventually("an answer", () => /malformed_json/.test(socket.text()));
  socket.socket.destroy();
  await refused({ body: "[".repeat(60_000) }, 400, "malformed_json");
});

test("fields of wrong types, each named", async () => {
  const wrong: readonly [Record<string, unknown>, RegExp][] = [
    [{ model: 7 }, /model/],
    [{ model: "" }, /model/],
    [{ messages: "hello" }, /messages/],
    [{ messages: [] }, /messages/],
    [{ messages: [{ role: "nobody", content: "x" }] }, /role/],
    [{ messages: [{ role: "user", content: 5 }] }, /content/],
    [{ stream: "yes" }, /stream/],
    [{ stream_options: [] }, /stream_options/],
    [{ temperature: "hot" }, /temperature/],
    [{ temperature: -1 }, /temperature/],
    [{ top_p: 7 }, /top_p/],
    [{ max_tokens: 0 }, /max_tokens/],
    [{ max_tokens: 1.5 }, /max_tokens/],
    [{ max_tokens: 1e300 }, /max_tokens/],
    [{ n: 1_000_000 }, /`?n`?/],
    [{ stop: {} }, /stop/],
    [{ tools: "all" }, /tools/],
    [{ response_format: "json" }, /response_format/],
    [{ seed: "seven" }, /seed/],
  ];
  for (const [more, words] of wrong) {
    const seen = await ask({ url, key, more });
    assert.equal(seen.status, 400, `${JSON.stringify(more)}: ${seen.text}`);
    const error = errorIn(seen);
    assert.match(error.code, /^(invalid_request|unsupported_parameter)$/, seen.text);
    assert.match(`${error.param} ${error.message}`, words);
  }
});

test("a body over the limit, declared or not", async () => {
  const body = JSON.stringify({ model: "fake", messages: [{ role: "user", content: "x".repeat(70_000) }] });
  await refused({ body }, 413, "body_too_large");
  const chunked = await opened();
  chunked.socket.write(head(undefined));
  chunked.socket.write(`${(40_000).toString(16)}\r\n${"x".repeat(40_000)}\r\n`.repeat(2));
  await eventually("the refusal", () => /413 /.test(chunked.text()) && /body_too_large/.test(chunked.text()));
  await eventually("the connection's end", chunked.closed);
  await refused({ headers: { "content-encoding": "gzip" } }, 415, "unsupported_media_type");
  for (const type of ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=utf-16"]) {
    await refused({ headers: { "content-type": type } }, 415, "unsupported_media_type", /body of type/);
  }
  for (const type of ["application/json; charset=utf-8", "application/vnd.api+json"]) {
    assert.equal((await ask({ url, key, headers: { "content-type": type } })).status, 200, type);
  }
});

test("an unknown model, with the nearest name; unknown paths and methods", async () => {
  await refused({ more: { model: "fakke" } }, 404, "model_not_found", /Did you mean "fake"\?/);
  await refused({ more: { model: "x".repeat(200) } }, 404, "model_not_found");
  await refused({ more: { model: "qwen3-0.6b" } }, 404, "model_not_found", /in the catalogue but not served/);
  await refused({ path: "/v1/nothing" }, 404, "not_found");
  await refused({ path: "/v1/models" }, 405, "method_not_allowed");
  const get = await fetch(`${url}/v1/chat/completions`, { headers: { authorization: `Bearer ${key}` } });
  assert.equal(get.status, 405);
  assert.equal(get.headers.get("allow"), "POST");
});

test("a prompt over the context is refused with both numbers, streamed or not", async () => {
  const content = Array.from({ length: 600 }, (_, index) => `w${index}`).join(" ");
  for (const stream of [false, true]) {
    await refused({ content, stream }, 400, "context_length_exceeded", /\d{3}.* 512/);
  }
});

test("schemas that are hostile: deep, recursive, huge, unsatisfiable", async () => {
  let deep: unknown = { type: "string" };
  for (let depth = 0; depth < 2_000; depth++) deep = { type: "array", items: deep };
  const huge = Object.fromEntries(Array.from({ length: 1_500 }, (_, index) => [`p${index}`, { type: "string" }]));
  const recursive = { $ref: "#/$defs/a", $defs: { a: { type: "object", properties: { a: { $ref: "#/$defs/a" } } } } };
  const schemas: readonly unknown[] = [
    deep,
    { type: "object", properties: huge },
    recursive,
    { type: "integer", minimum: 3, maximum: 2 },
    { type: "string", pattern: "(a+)+$" },
    { $ref: "https://schemas.invalid/hostile.json" },
    7,
  ];
  for (const schema of schemas) {
    const more = { response_format: { type: "json_schema", json_schema: { name: "x", schema } } };
    const seen = await ask({ url, key, more });
    // The scripted engine may answer what the real one cannot constrain; neither may fail over it.
    assert.ok(seen.status === 200 || seen.status === 400, `${JSON.stringify(schema).slice(0, 80)}: ${seen.text}`);
    if (seen.status === 400) assert.match(errorIn(seen).code, /^(unsupported_schema|invalid_request)$/);
  }
  assert.equal((await ask({ url, key })).status, 200);
});

test("missing, wrong, revoked, expired keys", async () => {
  const missing = await ask({ url });
  assert.deepEqual([missing.status, errorIn(missing).code], [401, "missing_key"]);
  await refused({ key: "bwk_nobody" }, 401, "invalid_key");
  await refused({ headers: { authorization: "Basic abc" } }, 401, "invalid_key");
  const revoked = await makeKey(cloud, "revoked");
  assert.equal((await ask({ url, key: revoked })).status, 200);
  await control(cloud, "POST", "/keys/revoked/revoke");
  const revokedAtMs = performance.now();
  let lastServedMs = revokedAtMs;
  await eventually("the refusal", async () => {
    const fromMs = performance.now();
    if ((await ask({ url, key: revoked })).status === 401) return true;
    lastServedMs = fromMs;
    return false;
  });
  assert.ok(lastServedMs - revokedAtMs < 1_000, "a revoked key was served for more than a second");
  await refused({ key: revoked }, 401, "revoked_key");
  const expiresAt = new Date(Date.now() + 2_000).toISOString();
  const expiring = await makeKey(cloud, "expiring", { limits: { expiresAt } });
  await eventually("the expiry", () => Date.now() > Date.parse(expiresAt));
  await refused({ key: expiring }, 401, "expired_key");
});

test("a key over its budget, out of its scope, over its rate", async () => {
  // 700 bytes and templates at 0.10 a million fit; a whole context of output at 0.40 a million does not.
  const poor = await makeKey(cloud, "poor", { limits: { monthlyBudget: "0.0001" } });
  assert.equal((await ask({ url, key: poor, more: { max_tokens: 4 } })).status, 200);
  await refused({ key: poor }, 429, "budget_exceeded", /budget/);
  const scoped = await makeKey(cloud, "scoped", { limits: { models: ["qwen3-0.6b"] } });
  await refused({ key: scoped }, 403, "model_not_permitted", /"fake"/);
  const slow = await makeKey(cloud, "slow", { limits: { requestsPerMinute: 1 } });
  assert.equal((await ask({ url, key: slow })).status, 200);
  const second = await ask({ url, key: slow });
  assert.deepEqual([second.status, errorIn(second).code], [429, "rate_limited"]);
  assert.ok(Number(second.headers["retry-after"]) >= 1);
  assert.equal(second.headers["x-ratelimit-remaining-requests"], "0");
});

test("an unknown parameter is refused; for a project with unsupported=warn a header names it", async () => {
  const more = { frobnicate: 1 };
  const seen = await ask({ url, key, more });
  assert.deepEqual(
    [seen.status, errorIn(seen).code, errorIn(seen).param],
    [400, "unsupported_parameter", "frobnicate"],
  );
  await control(cloud, "POST", "/projects", { organisation: "default", name: "lenient", unsupported: "warn" });
  const lenient = await makeKey(cloud, "lenient", { project: "lenient" });
  for (const stream of [false, true]) {
    const warned = await ask({ url, key: lenient, more, stream });
    assert.equal(warned.status, 200, warned.text);
    assert.equal(warned.headers["bailiwick-ignored"], "frobnicate");
  }
});

test("a project that may be processed in Germany only is refused where no jurisdiction is declared", async () => {
  await control(cloud, "POST", "/projects", {
    organisation: "default",
    name: "german",
    dataClass: "personal",
    processing: ["DE"],
  });
  const german = await makeKey(cloud, "german", { project: "german" });
  await refused({ key: german }, 403, "no_permitted_site");
});

interface Opened {
  readonly socket: Socket;
  readonly text: () => string;
  readonly closed: () => boolean;
}

async function opened(): Promise<Opened> {
  const socket = connect(Number(new URL(url).port), "127.0.0.1");
  let text = "";
  socket.on("data", (part: Buffer) => (text += part.toString("latin1")));
  // A reset is one way in which the server may end a connection that it gave up on.
  socket.on("error", () => socket.destroy());
  await new Promise<void>((resolve) => socket.once("connect", () => resolve()));
  return { socket, text: () => text, closed: () => socket.destroyed || socket.readableEnded };
}

function head(length: number | undefined): string {
  const framing = length === undefined ? "transfer-encoding: chunked" : `content-length: ${length}`;
  return `POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${key}\r\ncontent-type: application/json\r\n${framing}\r\n\r\n`;
}

test("slow and half-open clients are let go in time, and others are served meanwhile", async () => {
  const slowHead = await opened();
  slowHead.socket.write("POST /v1/chat/completions HTTP/1.1\r\nhost: ");
  const slowBody = await opened();
  slowBody.socket.write(`${head(1_000)}{"model":`);
  const silent = await opened();
  const halfClosed = await opened();
  halfClosed.socket.end(`${head(1_000)}{"model":`);
  const noise = await opened();
  noise.socket.write("\x16\x03\x01\x02\x00\x01\x00\r\n\r\n");
  assert.equal((await ask({ url, key })).status, 200);
  await eventually("the slow body's refusal", () => /408 .*request_timeout/s.test(slowBody.text()));
  await eventually("the noise's refusal", () => /400 /.test(noise.text()));
  for (const [name, client] of Object.entries({ slowHead, slowBody, halfClosed, noise })) {
    await eventually(`the end of ${name}`, client.closed);
  }
  silent.socket.destroy();
});

test("more connections than there may be: those that are open are served, and later ones again", async () => {
  const many: Opened[] = [];
  for (let index = 0; index < 80; index++) many.push(await opened());
  for (const { socket } of many) socket.destroy();
  await eventually("room again", async () => (await ask({ url, key })).status === 200);
});

test("what no request says: no host, an expectation that nobody can meet, a method that is not there", async () => {
  const { port } = new URL(url);
  for (const [text, status, code] of [
    ["GET /healthz HTTP/1.1\r\n\r\n", 400, "invalid_request"],
    [`GET /healthz HTTP/1.1\r\nhost: x:${port}\r\nexpect: a-miracle\r\n\r\n`, 400, "invalid_request"],
    [`DELETE /healthz HTTP/1.1\r\nhost: x:${port}\r\n\r\n`, 405, "method_not_allowed"],
    [`POST /readyz HTTP/1.1\r\nhost: x:${port}\r\ncontent-length: 0\r\n\r\n`, 405, "method_not_allowed"],
  ] as const) {
    const client = await opened();
    client.socket.write(text);
    await eventually(text, () => client.text().includes(`HTTP/1.1 ${status} `) && client.text().includes(`"${code}"`));
    await eventually("the connection's end", client.closed);
  }
});

test("headers beyond any measure", async () => {
  const seen = await ask({ url, key, headers: { "x-long": "x".repeat(20_000) } });
  assert.equal(seen.status, 431);
});

test("a client that does not read holds nothing up but its own answer", async () => {
  const slow = await opened();
  slow.socket.pause();
  const body = JSON.stringify({
    model: "fake",
    stream: true,
    messages: [{ role: "user", content: "[[fake:tokens=400]]" }],
  });
  slow.socket.write(head(Buffer.byteLength(body)) + body);
  const other = await ask({ url, key, stream: true });
  assert.ok(isDone(other.text) && eventsOf(other.text).length > 2);
  slow.socket.resume();
  await eventually("its whole answer", () => slow.text().includes("data: [DONE]"));
  slow.socket.destroy();
});

test("what was refused is in no usage", async () => {
  const counting = await makeKey(cloud, "counting");
  const good = await ask({ url, key: counting });
  for (const more of [{ model: "nothing" }, { messages: 1 }, { frobnicate: 1 }])
    await ask({ url, key: counting, more });
  const usage = await usageOf(cloud, "counting");
  assert.equal(usage.outputTokens, usageIn(good)?.completion_tokens);
  assert.equal(usage.inputTokens, usageIn(good)?.prompt_tokens);
  assert.equal(usage.unrated, 0);
});
