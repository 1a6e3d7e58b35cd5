import assert from "node:assert/strict";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { type Dispatcher, Pool } from "undici";
import { createIds, ManualClock, RefusalError, type RequestId } from "../base/index.ts";
import { createFake } from "../engine/fake/index.ts";
import type { Choice, Desk } from "./desk.ts";
import { openFloor } from "./floor.ts";
import { type Host, type HostBounds, hostBounds, openHost } from "./host.ts";
import type { HostCounts, HostHello, HostPool } from "./protocol.ts";
import { gaveWay } from "./refusals.ts";
import type { HostSettings } from "./settings.ts";

interface Opened {
  readonly host: Host;
  readonly clock: ManualClock;
  readonly pool: Pool;
  readonly socketPath: string;
  readonly log: readonly string[];
  readonly post: (
    body: object | string,
    headers?: Readonly<Record<string, string>>,
    signal?: AbortSignal,
  ) => Promise<Dispatcher.ResponseData>;
  /** Undefined: unknown there. */
  readonly counts: (request: RequestId) => Promise<HostCounts | "running" | undefined>;
}

interface Changes {
  readonly settings?: Partial<HostSettings>;
  readonly sequences?: number;
  readonly bounds?: Partial<HostBounds>;
  readonly load?: boolean;
  readonly openFloor?: typeof openFloor;
}

/** A host in this process, over its real socket, under a clock that stands still until told. */
async function open(context: TestContext, changes: Changes = {}): Promise<Opened> {
  const folder = mkdtempSync(join(tmpdir(), "bailiwick-host-"));
  const clock = new ManualClock(1_700_000_000_000);
  const socketPath = join(folder, "s");
  const log: string[] = [];
  const engine = {
    kind: "fake",
    threads: 1,
    gpu: "off",
    prefillSliceTokens: 64,
    loadTimeoutMs: 60_000,
    fake: {},
  } as const;
  const host = await openHost({
    settings: {
      host: "host_01HF7YAT000000000000000000",
      boot: "1",
      socketPath,
      folder: join(folder, "counts"),
      engine: { ...engine, sequences: changes.sequences ?? 4 },
      models: [{ name: "fake", path: "", sha256: "ab", contextTokens: 1_000 }],
      objective: { ttftMs: 60_000, tpotMs: 250 },
      queuedPerModel: 2,
      bodyBytes: 10_000,
      leaseSeconds: 3_600,
      drainMs: 100,
      environment: {},
      threadPoolSize: "1",
      ...changes.settings,
    },
    bounds: { ...hostBounds, countsWaitMs: 10, ...changes.bounds },
    clock,
    ids: createIds(clock),
    pid: 1,
    log: (...line) => log.push(JSON.stringify(line)),
    openFloor: changes.openFloor ?? openFloor,
    onHung: () => assert.fail("nothing hangs"),
    factory: () => Promise.resolve(createFake({}, clock, () => assert.fail("no script asked for a crash"))),
  });
  const pool = new Pool("http://host", { socketPath, connections: 32 });
  context.after(async () => {
    await pool.destroy();
    const stopped = host.stop(0);
    await passing(clock, stopped);
    rmSync(folder, { recursive: true, force: true });
  });
  if (changes.load !== false) await host.load();
  const post: Opened["post"] = (body, headers = {}, signal) =>
    pool.request({
      ...(signal === undefined ? {} : { signal }),
      method: "POST",
      path: "/v1/chat/completions",
      headers: { "content-type": "application/json", ...headers },
      body: typeof body === "string" ? body : JSON.stringify(body),
    });
  const counts: Opened["counts"] = async (request) => {
    const response = await pool.request({ method: "GET", path: `/host/v1/counts/${request}` });
    const value = await response.body.json();
    if (response.statusCode === 504) return "running";
    return response.statusCode === 200 ? (value as HostCounts) : undefined;
  };
  return { host, clock, pool, socketPath, log, post, counts };
}

/** Lets time pass until something that waits for it has happened. */
async function passing<Value>(clock: ManualClock, what: Promise<Value>): Promise<Value> {
  const state = { isOver: false };
  const over = what.finally(() => {
    state.isOver = true;
  });
  while (!state.isOver) {
    await new Promise((resolve) => setImmediate(resolve));
    clock.advance(5);
  }
  return over;
}

const idOf = (index: number): RequestId => `req_01HF7YAT${String(index).padStart(18, "0")}`;
const asked = (index: number): Record<string, string> => ({ "bailiwick-request": idOf(index) });
const chat = (content: string, more: object = {}): object => {
  return { model: "fake", messages: [{ role: "user", content }], ...more };
};

async function errorOf(response: Dispatcher.ResponseData): Promise<string> {
  const { error } = (await response.body.json()) as { error: { code: string } };
  return `${response.statusCode} ${error.code}`;
}

/** The stream's text until it holds `part`; the rest is left to be read. */
async function readUntil(parts: AsyncIterator<Buffer>, part: string): Promise<string> {
  let text = "";
  while (!text.includes(part)) {
    const { done, value } = await parts.next();
    if (done === true) assert.fail(`the stream ended before ${part}: ${text}`);
    text += value.toString();
  }
  return text;
}

const partsOf = (response: Dispatcher.ResponseData): AsyncIterator<Buffer> =>
  response.body[Symbol.asyncIterator]() as AsyncIterator<Buffer>;

test("hello names what is being loaded, and then the models; nothing runs before", async (context) => {
  const { host, pool, post, socketPath } = await open(context, { load: false });
  assert.equal(statSync(socketPath).mode & 0o777, 0o600);
  const early = await pool.request({ method: "GET", path: "/host/v1/hello" });
  assert.deepEqual([early.statusCode, await early.body.json()], [503, { loading: "the engine" }]);
  assert.equal(await errorOf(await post(chat("a"))), "503 engine_unavailable");
  await host.load();
  const ready = await pool.request({ method: "GET", path: "/host/v1/hello" });
  const { models, engine, protocol } = (await ready.body.json()) as HostHello;
  assert.deepEqual([protocol, engine.name, models[0]?.name, models[0]?.sequences], [1, "fake", "fake", 4]);
});

test("a gateway gets the usage at the end of each stream, the same as the counts, until it acknowledges", async (context) => {
  const { post, pool, counts } = await open(context);
  const response = await post(chat("one two", { stream: true }), asked(1));
  const frames = (await response.body.text()).trimEnd().split("\n\n");
  assert.equal(frames.at(-1), "data: [DONE]");
  const { choices, usage } = JSON.parse(frames.at(-2)!.slice(6)) as { choices: []; usage: Record<string, number> };
  assert.deepEqual([choices, usage["completion_tokens"]], [[], 17]);
  const kept = await ended(counts, idOf(1));
  assert.deepEqual(
    [kept.ending, kept.usage.inputTokens, kept.usage.outputTokens],
    ["stop", usage["prompt_tokens"], 17],
  );
  const body = JSON.stringify({ requests: [idOf(1), "nonsense", 5] });
  await (await pool.request({ method: "POST", path: "/host/v1/acknowledge", body })).body.dump();
  assert.equal(await counts(idOf(1)), undefined);
});

test("without a gateway the usage comes where it is asked for, and nothing is kept", async (context) => {
  const { post } = await open(context);
  const plain = await (await post(chat("a", { stream: true }))).body.text();
  assert.ok(!plain.includes('"usage"'));
  const wanted = await (await post(chat("a", { stream: true, stream_options: { include_usage: true } }))).body.text();
  assert.ok(wanted.includes('"choices":[],"usage"'));
});

test("a client that leaves ends its answer at once, and what it had is counted", async (context) => {
  const { post, counts, clock } = await open(context, { sequences: 1 });
  const { body } = await post(chat("[[fake:hang-after=3]]", { stream: true }), asked(1));
  await readUntil(body[Symbol.asyncIterator]() as AsyncIterator<Buffer>, "content");
  body.destroy();
  body.on("error", () => body.destroy());
  const streamed = await passing(clock, ended(counts, idOf(1)));
  assert.deepEqual([streamed.ending, streamed.usage.outputTokens], ["abort", 3]);
  // One that leaves before any byte has come, and one that leaves the queue.
  const leave = new AbortController();
  const gone = [2, 3].map((index) => assert.rejects(post(chat("[[fake:hang]]"), asked(index), leave.signal)));
  for (const index of [2, 3]) while ((await passing(clock, counts(idOf(index)))) !== "running") await turn();
  leave.abort(new Error("left"));
  await Promise.all(gone);
  const silent = await passing(clock, Promise.all([2, 3].map((index) => ended(counts, idOf(index)))));
  assert.deepEqual(
    silent.map(({ ending, usage }) => [ending, usage.outputTokens]),
    [
      ["abort", 0],
      ["abort", 0],
    ],
  );
  // Its place is free again.
  assert.equal((await post(chat("a"))).statusCode, 200);
});

test("a full queue refuses with when to come again; one that waited too long is refused too", async (context) => {
  const { post, clock, counts } = await open(context, { sequences: 1 });
  const running = post(chat("[[fake:slow-prefill=150000]]"), asked(0));
  while ((await passing(clock, counts(idOf(0)))) !== "running") await turn();
  const waiting = [1, 2].map((index) => post(chat("a"), asked(index)));
  for (const index of [1, 2]) while ((await passing(clock, counts(idOf(index)))) !== "running") await turn();
  const refused = await post(chat("a"));
  assert.ok(Number(refused.headers["retry-after"]) >= 1);
  assert.equal(await errorOf(refused), "503 overloaded");
  clock.advance(121_000);
  assert.deepEqual(
    await Promise.all(waiting.map(async (each) => errorOf(await each))),
    Array(2).fill("503 overloaded"),
  );
  assert.equal(await counts(idOf(1)), undefined, "a refusal says all there is to know");
  clock.advance(40_000);
  assert.equal((await running).statusCode, 200);
});

test("a client that waits long for its first token gets comments; a failure then comes as an event", async (context) => {
  const { post, clock, counts, log } = await open(context);
  const patient = post(chat("[[fake:slow-prefill=60000]]", { stream: true }), asked(1));
  while ((await passing(clock, counts(idOf(1)))) !== "running") await turn();
  clock.advance(11_000);
  const parts = partsOf(await patient);
  assert.equal(await readUntil(parts, "\n\n"), ": keep-alive\n\n");
  clock.advance(50_000);
  await readUntil(parts, "[DONE]");
  const failing = post(chat("[[fake:slow-prefill=60000]] [[fake:fail-after=0]] secret", { stream: true }), asked(2));
  while ((await passing(clock, counts(idOf(2)))) !== "running") await turn();
  clock.advance(11_000);
  const failed = partsOf(await failing);
  await readUntil(failed, ": keep-alive");
  clock.advance(50_000);
  await readUntil(failed, 'data: {"error":{');
  assert.equal((await failed.next()).done, true, "a failed stream has no [DONE]");
  assert.equal((await ended(counts, idOf(2))).ending, "error");
  assert.ok(log.length > 0 && !log.join("").includes("secret"));
});

test("a full queue has a place for who has fewer waiting; the latest of whom most wait is told when to come again", async (context) => {
  const { post, pool, clock, counts } = await open(context, { sequences: 1 });
  const of = (tenant: string, index: number, more = {}) => ({ "bailiwick-tenant": tenant, ...asked(index), ...more });
  const comesToBe = async (index: number): Promise<void> => {
    while ((await passing(clock, counts(idOf(index)))) !== "running") await turn();
  };
  const running = post(chat("[[fake:slow-prefill=40000]]"), of("flood", 0));
  await comesToBe(0);
  const first = post(chat("a"), of("flood", 1));
  await comesToBe(1);
  const latest = post(chat("a", { stream: true }), of("flood", 2));
  await comesToBe(2);
  clock.advance(11_000);
  const parts = partsOf(await latest);
  await readUntil(parts, ": keep-alive");
  assert.equal(await errorOf(await post(chat("a"), of("flood", 3))), "503 overloaded");
  const light = post(chat("a"), of("light", 4));
  const event = await readUntil(parts, "\n\n");
  const { error } = JSON.parse(event.slice(event.indexOf("{"))) as { error: Record<string, unknown> };
  assert.equal(error["code"], "overloaded");
  assert.match(
    String(error["message"]),
    /^2 wait for fake already: somebody of whom fewer wait has this one's place\.$/,
  );
  assert.ok(Number(error["retry_after"]) >= 1);
  assert.equal(error["next"], `Wait ${String(error["retry_after"])} s.`);
  assert.equal((await ended(counts, idOf(2))).ending, "error");
  await comesToBe(4);
  // He has one of the two places now: neither takes the other's.
  for (const [index, tenant] of ["light", "flood"].entries())
    assert.equal(await errorOf(await post(chat("a"), of(tenant, 5 + index))), "503 overloaded");
  clock.advance(40_000);
  for (const each of [running, first, light]) assert.equal((await passing(clock, each)).statusCode, 200);
  const { body } = await pool.request({ method: "GET", path: "/host/v1/pool" });
  const { totals, upForMs } = (await body.json()) as HostPool;
  assert.deepEqual([totals.refused, totals.ended], [4, 3]);
  assert.ok(upForMs! >= 51_000, String(upForMs));
});

test("what is preemptible gives its place to what is not, of its own tenant too", async (context) => {
  const { post, clock, counts } = await open(context, { sequences: 1 });
  const batch = { "bailiwick-tenant": "t", "bailiwick-preemptible": "yes" };
  const comesToBe = async (index: number): Promise<void> => {
    while ((await passing(clock, counts(idOf(index)))) !== "running") await turn();
  };
  const running = post(chat("[[fake:slow-prefill=50000]]"), asked(0));
  await comesToBe(0);
  const both = post(chat("a", { n: 2 }), { ...batch, ...asked(1) });
  await comesToBe(1);
  assert.equal(await errorOf(await post(chat("a"), batch)), "503 overloaded");
  const standard = post(chat("a"), { "bailiwick-tenant": "t", ...asked(2) });
  const refused = await both;
  assert.ok(Number(refused.headers["retry-after"]) >= 1);
  const { error } = (await refused.body.json()) as { error: { code: string; message: string } };
  assert.match(error.message, /^2 wait for fake already: work of a tier that comes first has this one's place\.$/);
  await comesToBe(2);
  assert.equal(await counts(idOf(1)), undefined, "a refusal says all there is to know");
  clock.advance(50_000);
  for (const each of [running, standard]) assert.equal((await passing(clock, each)).statusCode, 200);
});

test("an answer that gives way in the middle says so and when to come again, and what it had is counted", async (context) => {
  const choices: Choice[] = [];
  const { post, clock, counts } = await open(context, {
    openFloor: async (options) => {
      const floor = await openFloor(options);
      const { desk } = floor;
      const enter: Desk["enter"] = (choice) => (choices.push(choice), desk.enter(choice));
      return { ...floor, desk: { look: (wanted) => desk.look(wanted), sweep: () => desk.sweep(), enter } };
    },
  });
  const whole = post(chat("[[fake:hang-after=3]]"), asked(1));
  const { body } = await post(chat("[[fake:hang-after=3]]", { stream: true }), asked(2));
  const parts = body[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  await readUntil(parts, "content");
  while (choices.length < 2 || (await passing(clock, counts(idOf(1)))) !== "running") await turn();
  for (const { abort } of choices) abort.abort(new RefusalError(gaveWay("fake", 7_000)));
  const gone = await passing(clock, whole);
  assert.equal(gone.headers["retry-after"], "7");
  assert.equal(await errorOf(gone), "503 preempted");
  const event = await readUntil(parts, '"retry_after":7}}\n\n');
  assert.match(event, /"code":"preempted"/);
  for (const index of [1, 2]) {
    const { ending, usage } = await ended(counts, idOf(index));
    assert.deepEqual([ending, usage.outputTokens], ["error", 3]);
  }
});

test("an engine that fails before its first token is a 502, behind it an event; both are counted", async (context) => {
  const { post, counts } = await open(context);
  for (const [index, stream] of [false, true].entries()) {
    assert.equal(
      await errorOf(await post(chat("[[fake:fail-after=0]]", { stream }), asked(index))),
      "502 engine_failed",
    );
    assert.equal((await ended(counts, idOf(index))).ending, "error");
  }
  assert.equal(await errorOf(await post(chat("[[fake:fail-after=4]]"), asked(2))), "502 engine_failed");
  const text = await (await post(chat("[[fake:fail-after=4]]", { stream: true }), asked(3))).body.text();
  assert.match(text, /data: \{"error":\{[^\n]*"engine_failed"[^\n]*\n\n$/);
  assert.equal((await ended(counts, idOf(2))).usage.outputTokens, 4);
  assert.equal((await ended(counts, idOf(3))).usage.outputTokens, 4);
});

test("a prompt that the engine refuses is refused whole, and nothing is kept", async (context) => {
  const { post, counts } = await open(context);
  const long = chat("word ".repeat(1_100), { stream: true });
  assert.equal(await errorOf(await post(long, asked(1))), "400 context_length_exceeded");
  assert.equal(await counts(idOf(1)), undefined);
});

test("several answers: each its own choice, the input counted once, the output summed", async (context) => {
  const { post, pool, counts } = await open(context, { sequences: 2, settings: { queuedPerModel: 8 } });
  const response = await post(chat("one two", { n: 5, seed: 7, max_tokens: 4 }), asked(1));
  const { choices, usage } = (await response.body.json()) as {
    choices: { index: number; message: { content: string } }[];
    usage: Record<string, number>;
  };
  assert.deepEqual(
    choices.map(({ index }) => index),
    [0, 1, 2, 3, 4],
  );
  assert.equal(new Set(choices.map(({ message }) => message.content)).size, 5);
  assert.deepEqual([usage["prompt_tokens"], usage["completion_tokens"]], [4, 20]);
  assert.equal((await ended(counts, idOf(1))).usage.outputTokens, 20);
  const prompts = JSON.stringify({ model: "fake", prompt: ["a b", "c"], n: 2, max_tokens: 3 });
  const several = await pool.request({ method: "POST", path: "/v1/completions", body: prompts });
  const completed = (await several.body.json()) as { choices: unknown[]; usage: Record<string, number> };
  assert.deepEqual([completed.choices.length, completed.usage["prompt_tokens"]], [4, 3]);
});

test("without a lease nothing new is taken, and what runs finishes", async (context) => {
  const { post, pool, clock, counts } = await open(context, { settings: { leaseSeconds: 10 } });
  const running = post(chat("[[fake:slow-prefill=15000]]"), asked(1));
  while ((await passing(clock, counts(idOf(1)))) !== "running") await turn();
  clock.advance(10_000);
  assert.equal(await errorOf(await post(chat("a"))), "503 engine_unavailable");
  clock.advance(5_000);
  assert.equal((await running).statusCode, 200);
  const renew = (seconds: unknown): Promise<Dispatcher.ResponseData> =>
    pool.request({ method: "POST", path: "/host/v1/lease", body: JSON.stringify({ gateway: "gw_1", seconds }) });
  assert.equal(await errorOf(await renew("long")), "400 invalid_request");
  await (await renew(10)).body.dump();
  assert.equal((await post(chat("a"))).statusCode, 200);
});

/** Tokens of a prompt that were cached for a tenant. */
async function cachedFor(post: Opened["post"], tenant: string): Promise<number> {
  const answer = await post(chat("one two three"), { "bailiwick-tenant": tenant });
  const { usage } = (await answer.body.json()) as { usage: { prompt_tokens_details: { cached_tokens: number } } };
  return usage.prompt_tokens_details.cached_tokens;
}

test("told to forget a tenant it remembers nothing of it, nor of what ran meanwhile, and everything of others", async (context) => {
  const { post, pool, clock, counts } = await open(context);
  const forget = (tenant: unknown): Promise<Dispatcher.ResponseData> =>
    pool.request({ method: "POST", path: "/host/v1/forget", body: JSON.stringify({ tenant }) });
  for (const tenant of ["prj_a", "prj_b"]) assert.equal(await cachedFor(post, tenant), 0);
  for (const tenant of ["prj_a", "prj_b"]) assert.ok((await cachedFor(post, tenant)) > 0);
  assert.deepEqual(await (await forget("prj_a")).body.json(), { running: 0 });
  assert.equal(await cachedFor(post, "prj_a"), 0);
  const running = post(chat("one two three [[fake:slow-prefill=1000]]"), { ...asked(1), "bailiwick-tenant": "prj_a" });
  while ((await passing(clock, counts(idOf(1)))) !== "running") await turn();
  assert.deepEqual(await (await forget("prj_a")).body.json(), { running: 1 });
  // Something of the tenant's that comes to be cached before that one ends goes with it.
  await cachedFor(post, "prj_a");
  clock.advance(1_000);
  await (await running).body.dump();
  await turn();
  assert.equal(await cachedFor(post, "prj_a"), 0);
  assert.ok((await cachedFor(post, "prj_b")) > 0);
  for (const wrong of [undefined, "", 7]) assert.equal(await errorOf(await forget(wrong)), "400 invalid_request");
});

test("a host whose lease runs out has forgotten everything when it is renewed, also where that comes at once", async (context) => {
  const { post, pool, clock } = await open(context, { settings: { leaseSeconds: 10 } });
  const renew = async (): Promise<void> => {
    const body = JSON.stringify({ seconds: 10 });
    await (await pool.request({ method: "POST", path: "/host/v1/lease", body })).body.dump();
  };
  assert.equal(await cachedFor(post, "prj_a"), 0);
  clock.advance(9_000);
  await renew();
  assert.ok((await cachedFor(post, "prj_a")) > 0);
  clock.advance(10_000);
  await renew();
  assert.equal(await cachedFor(post, "prj_a"), 0);
  assert.ok((await cachedFor(post, "prj_a")) > 0);
});

test("a host that stops lets answers end, cuts off the rest, and takes nothing new", async (context) => {
  const { host, post, clock, counts } = await open(context);
  const soon = post(chat("[[fake:slow-prefill=1000]]"), asked(1));
  const never = await post(chat("[[fake:hang-after=2]]", { stream: true }), asked(2));
  const parts = partsOf(never);
  await readUntil(parts, "content");
  while ((await passing(clock, counts(idOf(1)))) !== "running") await turn();
  const stopped = host.stop(5_000);
  assert.equal(await errorOf(await post(chat("a"))), "503 draining");
  clock.advance(1_000);
  assert.equal((await soon).statusCode, 200);
  clock.advance(4_000);
  assert.ok((await readUntil(parts, "engine_failed")).includes('data: {"error":{'));
  await passing(clock, stopped);
});

test("what is no request is refused: not JSON, not UTF-8, too large, too slow, compressed, elsewhere", async (context) => {
  const { post, pool, clock, socketPath } = await open(context);
  assert.equal(await errorOf(await post("{")), "400 malformed_json");
  const invalid = Buffer.from([0x22, 0xff, 0x22]);
  const request = { method: "POST", path: "/v1/chat/completions" } as const;
  assert.equal(await errorOf(await pool.request({ ...request, body: invalid })), "400 malformed_json");
  assert.equal(await errorOf(await post(chat("x".repeat(10_001)))), "413 body_too_large");
  const headers = { "content-encoding": "gzip" };
  assert.equal(await errorOf(await pool.request({ ...request, headers, body: "{}" })), "415 unsupported_media_type");
  assert.equal(await errorOf(await pool.request({ method: "GET", path: "/v1/nothing" })), "404 not_found");
  assert.equal(await errorOf(await pool.request({ method: "GET", path: "/__proto__" })), "404 not_found");
  const wrong = await pool.request({ method: "GET", path: "/v1/completions" });
  assert.equal(wrong.headers["allow"], "POST");
  assert.equal(await errorOf(wrong), "405 method_not_allowed");
  assert.equal(await errorOf(await post(chat("a", { model: "fake2" }))), "404 model_not_found");
  assert.equal(await errorOf(await post(chat("a"), { "bailiwick-request": "mine" })), "400 invalid_request");
  const slow = connect(socketPath);
  slow.write("POST /v1/completions HTTP/1.1\r\nhost: h\r\ncontent-length: 5\r\n\r\n{");
  const answer = new Promise<string>((resolve) => slow.once("data", (data) => resolve(data.toString())));
  assert.ok((await passing(clock, answer)).startsWith("HTTP/1.1 408"));
  slow.destroy();
});

test("under warn, what was ignored is named in a header that cannot be broken", async (context) => {
  const { post } = await open(context);
  const body = chat("a", { logit_bias: { 5: 1 }, "x\r\nset-cookie: a": 1 });
  const response = await post(body, { "bailiwick-unsupported": "warn" });
  assert.equal(response.headers["bailiwick-ignored"], "logit_bias, x??set-cookie??a");
  assert.equal(await errorOf(await post(body)), "400 unsupported_parameter");
});

/** The counts of a request whose answer is over. */
async function ended(counts: Opened["counts"], request: RequestId): Promise<HostCounts> {
  const kept = await counts(request);
  if (kept === undefined || kept === "running") assert.fail(`${request} is ${kept ?? "unknown"}`);
  return kept;
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
