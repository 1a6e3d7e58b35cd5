import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { ManualClock } from "../base/index.ts";
import type { HostHello, HostLease, HostLeaseAnswer } from "../host/index.ts";
import { poll } from "./index.ts";

const host = "host_01HF7YAT000000000000000000";
const startMs = 1_700_000_000_000;

interface Told {
  readonly clock: ManualClock;
  /** How far the host's clock is ahead. */
  aheadMs: number;
  boot: string;
  host: string;
  protocol: number;
  isStopping: boolean;
  isLoading: boolean;
  /** It answers a lease with a byte, and then with no more. */
  isDripping: boolean;
  readonly leases: HostLease[];
  readonly heard: string[];
  /** Lets a second pass, and waits until it was answered, or failed. */
  readonly second: () => Promise<void>;
  readonly server: Server;
  readonly skewMs: () => number | undefined;
}

/** A control channel of a host that says what it is told to say, and a poll of it. */
async function polled(context: TestContext): Promise<Told> {
  const folder = mkdtempSync(join(tmpdir(), "bailiwick-poll-"));
  const clock = new ManualClock(startMs);
  const told: { -readonly [Name in keyof Told]?: Told[Name] } = {
    clock,
    aheadMs: 0,
    boot: "1",
    host,
    protocol: 1,
    isStopping: false,
    isLoading: false,
    isDripping: false,
    leases: [],
    heard: [],
  };
  const said = told as Told;
  const dripping: boolean[] = [];
  const server = createServer((request, response) => {
    void request.toArray().then((parts) => {
      const atMs = clock.nowMs() + said.aheadMs;
      const { boot, isStopping } = said;
      if (request.url === "/host/v1/hello") {
        if (said.isLoading) return response.writeHead(503).end('{"loading":"a model"}');
        const engine = { name: "fake", build: "1" };
        const hello = {
          protocol: said.protocol,
          host: said.host,
          boot,
          atMs,
          pid: 1,
          device: "cpu",
          engine,
          models: [],
        };
        return response.end(JSON.stringify(hello satisfies Omit<HostHello, "host"> & { host: string }));
      }
      said.leases.push(JSON.parse(Buffer.concat(parts as Buffer[]).toString()) as HostLease);
      if (said.isDripping) return dripping.push(response.write("{"));
      return response.end(JSON.stringify({ boot, atMs, isStopping } satisfies HostLeaseAnswer));
    });
  });
  const socketPath = join(folder, "s");
  await once(server.listen(socketPath), "listening");
  const ready = Promise.withResolvers<void>();
  const polling = poll({
    clock,
    reach: { socketPath },
    host,
    leaseSeconds: 10,
    clockSkewMs: 5_000,
    reservations: () => [{ id: "rsv_1", tenant: "prj_1", share: 0.5, untilMs: startMs + 60_000 }],
    onReady: ({ boot }) => {
      said.heard.push(`ready ${boot}`);
      ready.resolve();
    },
    onPool: () => undefined,
    onAway: (why) => said.heard.push(why),
    onSilent: () => said.heard.push("silent"),
  });
  context.after(() => {
    polling.stop();
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const answered = async (before: number): Promise<void> => {
    // What was asked is answered over a real socket.
    while (polling.steps === before) await new Promise((resolve) => setImmediate(resolve));
  };
  await ready.promise;
  await answered(0);
  told.server = server;
  told.skewMs = () => polling.skewMs;
  told.second = () => {
    const before = polling.steps;
    clock.advance(1_000);
    return answered(before);
  };
  return said;
}

test("a host that answers without an end is away, and after its lease's time silent, as if it did not answer", async (context) => {
  const told = await polled(context);
  told.isDripping = true;
  for (let count = 0; count < 2; count++) {
    const leases = told.leases.length;
    const asking = told.second();
    while (told.leases.length === leases) await new Promise((resolve) => setImmediate(resolve));
    told.clock.advance(10_000);
    await asking;
  }
  assert.match(told.heard.join(), /ready 1,it does not answer: [^,]+,silent/);
  told.isDripping = false;
  await told.second();
  assert.equal(told.heard.at(-1), "ready 1");
});

test("a host whose clock is off takes nothing new as long as that lasts, and hears times by its own clock", async (context) => {
  const said = await polled(context);
  assert.deepEqual(said.heard, ["ready 1"]);
  assert.equal(said.leases[0]!.reservations, undefined, "before its clock is known it is told no time");
  said.aheadMs = -7_000;
  await said.second();
  assert.equal(said.heard.at(-1), "its clock is 7.0 s behind, and 5 s are allowed");
  assert.equal(said.skewMs(), -7_000);
  await said.second();
  assert.equal(said.leases.at(-1)!.reservations![0]!.untilMs, startMs + 53_000);
  said.aheadMs = 4_999;
  await said.second();
  assert.equal(said.heard.at(-1), "ready 1");
});

test("another process in a host's place is asked who it is; one that stops or loads takes nothing", async (context) => {
  const said = await polled(context);
  said.boot = "2";
  await said.second();
  assert.match(said.heard.at(-1)!, /started again/);
  await said.second();
  assert.equal(said.heard.at(-1), "ready 2");
  said.isStopping = true;
  await said.second();
  assert.equal(said.heard.at(-1), "it is stopping");
  said.boot = "3";
  said.isStopping = false;
  said.isLoading = true;
  await said.second();
  await said.second();
  assert.equal(said.heard.at(-1), "it is loading a model");
});

test("who answers as another host, or in another protocol, gets no request", async (context) => {
  const said = await polled(context);
  said.host = "host_01HF7YAT000000000000000001";
  said.boot = "2";
  await said.second();
  await said.second();
  assert.match(said.heard.at(-1)!, /says that it is host_01HF7YAT000000000000000001/);
  said.host = host;
  said.protocol = 2;
  await said.second();
  assert.match(said.heard.at(-1)!, /version 2 of the host protocol/);
});

test("a host that is not heard for as long as its lease is given up once, and found again", async (context) => {
  const said = await polled(context);
  const address = said.server.address() as string;
  said.server.closeAllConnections();
  await new Promise((closed) => said.server.close(closed));
  for (let second = 0; second < 13; second++) await said.second();
  assert.match(
    said.heard.find((text) => text.startsWith("it does not answer"))!,
    /ENOENT|ECONNREFUSED|closed/,
  );
  assert.equal(said.heard.filter((text) => text === "silent").length, 1);
  await once(said.server.listen(address), "listening");
  await said.second();
  assert.equal(said.heard.at(-1), "ready 1");
});

test("what a host says and nobody can read makes nothing of it, and harms nobody", async (context) => {
  const said = await polled(context);
  said.boot = "";
  await said.second();
  assert.match(said.heard.at(-1)!, /what it says cannot be read: boot/);
  said.boot = "2";
  said.host = { toString: "no" } as unknown as string;
  await said.second();
  await said.second();
  assert.match(said.heard.at(-1)!, /what it says cannot be read: host/);
  said.host = host;
  await said.second();
  assert.equal(said.heard.at(-1), "ready 2");
});
