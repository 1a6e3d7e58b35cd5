import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock } from "../base/index.ts";
import type { Destination, PoolFigures, ToldPool } from "../engine/index.ts";
import { poolsOfHosts, poolStatus } from "./pool.ts";

const totals = {
  turns: 1,
  loads: 1,
  failedLoads: 0,
  evictions: 0,
  loadedBytes: 10,
  refused: 0,
  ended: 1,
  firstTokensInTime: 1,
  inTime: 1,
  busyMs: 5,
};
const model = {
  name: "m",
  state: "resident",
  loadedBytes: 10,
  isPinned: false,
  keepWarmMs: 600_000,
  waiting: 0,
  running: 0,
} as const;
const told: ToldPool = {
  device: { name: "CPU", memoryBytes: 100, usedBytes: 10 },
  models: [model],
  pending: 0,
  totals,
};

/** As much of a destination as is asked for what goes on in it. */
function destination(
  kind: "host" | "upstream",
  name: string,
  ready: boolean,
  pool: PoolFigures | undefined,
): Destination {
  const why = ready ? undefined : "it is away";
  const site = { name: "here", jurisdiction: undefined };
  return { kind, name, site, ready, why, running: 2, pool } as Partial<Destination> as Destination;
}

test("each host with what it last told and how old that is; upstreams by what is known of them here", () => {
  const clock = new ManualClock(5_000);
  const destinations = [
    destination("host", "busy", true, { toldAtMs: 4_600, upForMs: 4_000, pool: told }),
    destination("host", "new", true, undefined),
    destination("host", "away", false, { toldAtMs: 1_000, upForMs: 900, pool: told }),
    destination("upstream", "other", true, undefined),
  ];
  const site = { name: "here", jurisdiction: null };
  const pool = {
    device: { ...told.device, turn: null, loading: null },
    models: [{ ...model, keepWarmMs: 600_000, unloadAfterMs: null, slackMs: null, idleMs: null }],
    pending: 0,
    totals,
  };
  assert.deepEqual(poolStatus(destinations, clock), {
    at: "1970-01-01T00:00:05.000Z",
    hosts: [
      { name: "busy", site, ready: true, reason: null, ageMs: 400, upForMs: 4_000, pool },
      { name: "new", site, ready: true, reason: null, ageMs: null, upForMs: null, pool: null },
      { name: "away", site, ready: false, reason: "it is away", ageMs: 4_000, upForMs: 900, pool },
    ],
    upstreams: [{ name: "other", site, ready: true, running: 2 }],
  });
  // Gauges of a host that is gone would say that it still holds what it held.
  assert.deepEqual(poolsOfHosts(destinations, clock), [{ host: "busy", ageMs: 400, pool: told }]);
});
