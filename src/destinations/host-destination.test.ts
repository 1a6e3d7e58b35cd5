import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock } from "../base/index.ts";
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

test("what a host told of its pool stays with the time of its telling, until another process comes up", async (context) => {
  const clock = new ManualClock(1_000);
  const host = new HostDestination({
    name: "host_1",
    site: { name: "here", jurisdiction: "DE" },
    clock,
    connections: 1,
    firstByteTimeoutMs: 1_000,
    idleTimeoutMs: 1_000,
    onFailure: assert.fail,
  });
  context.after(() => host.close());
  const at = { socketPath: "/nowhere.sock", engine: { name: "fake", build: "1" }, models: [] };
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
