import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type IncomingHttpHeaders } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { ManualClock } from "../base/index.ts";
import type { Dispatch, ServiceLevel } from "../engine/index.ts";
import type { HostPool } from "../host/index.ts";
import { HostDestination } from "./index.ts";

/** As the host's protocol has it: what a host answers is what a destination is told. */
const idle: HostPool = {
  device: { name: "CPU", memoryBytes: 100, usedBytes: 0 },
  models: [],
  pending: 0,
  totals: {
    turns: 0,
    loads: 0,
    failedLoads: 0,
    evictions: 0,
    loadedBytes: 0,
    refused: 0,
    ended: 0,
    firstTokensInTime: 0,
    inTime: 0,
    busyMs: 0,
  },
};

const nothing = { engine: { name: "fake", build: "1" }, models: [] };

function destination(context: TestContext, clock: ManualClock): HostDestination {
  const host = new HostDestination({
    name: "host_1",
    site: () => ({ name: "here", jurisdiction: "DE" }),
    clock,
    connections: 1,
    firstByteTimeoutMs: 1_000,
    idleTimeoutMs: 1_000,
    onFailure: assert.fail,
  });
  context.after(() => host.close());
  return host;
}

/** A Unix socket that answers everything, and the headers of what it was asked. */
async function listening(context: TestContext): Promise<{ socketPath: string; asked: IncomingHttpHeaders[] }> {
  const folder = mkdtempSync(join(tmpdir(), "bailiwick-destination-"));
  const asked: IncomingHttpHeaders[] = [];
  const server = createServer((request, response) => {
    asked.push(request.headers);
    request.resume().on("end", () => response.end("{}"));
  });
  context.after(() => {
    server.close();
    rmSync(folder, { recursive: true });
  });
  const socketPath = join(folder, "s");
  await once(server.listen(socketPath), "listening");
  return { socketPath, asked };
}

function send(host: HostDestination, promised: ServiceLevel, weight = 1): Promise<void> {
  const dispatch: Dispatch = {
    request: "req_01KA0000000000000000000001",
    tenant: "prj_1",
    path: "/v1/completions",
    body: Buffer.from("{}"),
    promised,
    weight,
    warnUnsupported: false,
    isAgain: false,
    headers: [],
  };
  return new Promise((resolve, failed) => {
    const end = (): void => (host.ended(), resolve());
    host.send(dispatch, { head: () => undefined, part: () => undefined, end, failed });
  });
}

test("a host hears what each request was promised, in the words that it reads", async (context) => {
  const { socketPath, asked } = await listening(context);
  const host = destination(context, new ManualClock());
  host.up({ reach: { socketPath }, boot: "1", ...nothing });
  const interactive = { ttftMs: 10_000, tpotMs: 100, isPreemptible: false, serviceTier: "priority" };
  const batch = { ttftMs: 300_000, tpotMs: 2_000, isPreemptible: true, serviceTier: "flex" };
  for (const level of [interactive, batch, interactive]) await send(host, level);
  assert.deepEqual(
    asked.map((headers) => ["objective", "service-tier", "preemptible"].map((name) => headers[`bailiwick-${name}`])),
    [
      ["10000/100", "priority", undefined],
      ["300000/2000", "flex", "yes"],
      ["10000/100", "priority", undefined],
    ],
  );
});

test("a host hears what a request's project weighs, where that is not what all weigh", async (context) => {
  const { socketPath, asked } = await listening(context);
  const host = destination(context, new ManualClock());
  host.up({ reach: { socketPath }, boot: "1", ...nothing });
  const level = { ttftMs: 10_000, tpotMs: 100, isPreemptible: false, serviceTier: "default" };
  for (const weight of [1, 3]) await send(host, level, weight);
  assert.deepEqual(
    asked.map((headers) => headers["bailiwick-weight"]),
    [undefined, "3"],
  );
});

test("what a host told of its pool stays with the time of its telling, until another process comes up", async (context) => {
  const clock = new ManualClock(1_000);
  const host = destination(context, clock);
  const at = { reach: { socketPath: "/nowhere.sock" }, boot: "1", ...nothing };
  const told = (): unknown => host.pool;
  assert.equal(told(), undefined);
  host.up(at);
  clock.advance(250);
  host.told(idle);
  const figures = { toldAtMs: 1_250, upForMs: 250, pool: idle };
  assert.deepEqual(told(), figures);
  clock.advance(1_000);
  host.down();
  assert.deepEqual(told(), figures, "the last figures are still to be seen, with their age");
  host.up(at);
  assert.equal(told(), undefined);
});

test("a pool's totals are since its process started, also where that was not heard for a while, or before this gateway was there", async (context) => {
  const clock = new ManualClock(1_000);
  const host = destination(context, clock);
  const at = { reach: { socketPath: "/nowhere.sock" }, boot: "1", ...nothing };
  const upForMs = (pool: HostPool): number => (host.told(pool), host.pool!.upForMs);
  host.up(at);
  clock.advance(60_000);
  host.down("it does not answer");
  host.up(at);
  clock.advance(1_000);
  assert.equal(upForMs(idle), 61_000, "the same process");
  host.up({ ...at, boot: "2" });
  clock.advance(500);
  assert.equal(upForMs(idle), 500, "another one");
  assert.equal(upForMs({ ...idle, upForMs: 7_200_000 }), 7_200_000, "it knows better itself");
});

/** A host that answers what it is told to, and the bodies of the orders that it got. */
async function answering(
  context: TestContext,
  status: () => number,
): Promise<{ socketPath: string; orders: string[] }> {
  const folder = mkdtempSync(join(tmpdir(), "bailiwick-destination-"));
  const orders: string[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (part: Buffer) => (body += part.toString()));
    request.on("end", () => {
      orders.push(`${request.url} ${body}`);
      response.writeHead(status()).end(JSON.stringify({ running: 2 }));
    });
  });
  context.after(() => {
    server.close();
    rmSync(folder, { recursive: true });
  });
  const socketPath = join(folder, "s");
  await once(server.listen(socketPath), "listening");
  return { socketPath, orders };
}

/** Lets time pass until it is there. */
async function passing<Value>(clock: ManualClock, what: Promise<Value>): Promise<Value> {
  let isOver = false;
  const over = what.finally(() => {
    isOver = true;
  });
  // Read anew each time: the handler above changes it.
  const goesOn = (): boolean => !isOver;
  while (goesOn()) {
    await new Promise((resolve) => setImmediate(resolve));
    clock.advance(10);
  }
  return over;
}

test("a host is told to forget until it has done so, also while it takes nothing new", async (context) => {
  const clock = new ManualClock(0);
  const host = destination(context, clock);
  let status = 500;
  const { socketPath, orders } = await answering(context, () => status);
  host.up({ reach: { socketPath }, boot: "1", ...nothing });
  host.down("it is stopping");
  const forgetting = host.forget("prj_1", 10_000);
  while (orders.length === 0) await new Promise((resolve) => setImmediate(resolve));
  status = 200;
  assert.deepEqual(await passing(clock, forgetting), { outcome: "forgotten", running: 2 });
  assert.ok(orders.length >= 2);
  assert.equal(orders[0], '/host/v1/forget {"tenant":"prj_1"}');
  // One of an earlier release has no such path.
  status = 404;
  assert.deepEqual(await host.forget("prj_1", 10_000), { outcome: "unable" });
});

test("a host that nobody reaches is away once its lease must be over, and at once where it was before", async (context) => {
  const clock = new ManualClock(0);
  const host = destination(context, clock);
  host.up({ reach: { socketPath: "/nowhere" }, boot: "1", ...nothing });
  const startedMs = clock.monotonicMs();
  assert.deepEqual(await passing(clock, host.forget("prj_1", 10_000)), { outcome: "away" });
  assert.ok(clock.monotonicMs() - startedMs >= 15_000);
  const againMs = clock.monotonicMs();
  assert.deepEqual(await passing(clock, host.forget("prj_1", 10_000)), { outcome: "away" });
  assert.ok(clock.monotonicMs() - againMs < 5_000);
});

test("a host that does not answer the question for counts, or never to its end, holds nothing up", async (context) => {
  for (const begin of ["", '{"request":']) {
    const folder = mkdtempSync(join(tmpdir(), "bailiwick-destination-"));
    const isAsked = Promise.withResolvers<void>();
    const server = createServer((_request, response) => {
      if (begin !== "") response.write(begin);
      isAsked.resolve();
    });
    context.after(() => {
      server.closeAllConnections();
      server.close();
      rmSync(folder, { recursive: true });
    });
    const socketPath = join(folder, "s");
    await once(server.listen(socketPath), "listening");
    const clock = new ManualClock();
    const host = destination(context, clock);
    host.up({ reach: { socketPath }, boot: "1", ...nothing });
    const counted = host.counts("req_01KA0000000000000000000001", 2_000);
    await isAsked.promise;
    clock.advance(15_000);
    assert.equal(await counted, undefined);
  }
});

/** What a destination takes from a host that answers the question for counts so. */
async function countedBy(context: TestContext, answer: string): Promise<unknown> {
  const folder = mkdtempSync(join(tmpdir(), "bailiwick-destination-"));
  const server = createServer((request, response) => void request.resume().on("end", () => response.end(answer)));
  context.after(() => {
    server.close();
    rmSync(folder, { recursive: true });
  });
  const socketPath = join(folder, "s");
  await once(server.listen(socketPath), "listening");
  const host = destination(context, new ManualClock());
  host.up({ reach: { socketPath }, boot: "1", ...nothing });
  return host.counts("req_01KA0000000000000000000001", 0);
}

test("what a host says that it counted is taken where it can be, and of the request that it was asked of", async (context) => {
  const request = "req_01KA0000000000000000000001";
  const usage = { inputTokens: 5, cachedInputTokens: 2, outputTokens: 3, reasoningTokens: 1 };
  const said = (more: object, of = request): string =>
    JSON.stringify({ request: of, usage: { ...usage, ...more }, ending: "stop" });
  assert.deepEqual(await countedBy(context, said({})), { usage, ending: "stop" });
  const lies = [
    said({ inputTokens: -5 }),
    said({ outputTokens: 2.5 }),
    said({ outputTokens: null }),
    said({ outputTokens: "3" }),
    said({ outputTokens: 2 ** 40 }),
    said({}).replace('"outputTokens":3', '"outputTokens":1e999'),
    said({ cachedInputTokens: 6 }),
    said({ reasoningTokens: 4 }),
    said({}, "req_01KA0000000000000000000002"),
    said({}).replace('"stop"', '"free"'),
    "null",
    "[]",
  ];
  for (const lie of lies) assert.equal(await countedBy(context, lie), "unreadable", lie);
});
