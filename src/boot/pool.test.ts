import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock, type ProjectId, type ReservationId } from "../base/index.ts";
import type { Destination, PoolFigures, ToldPool } from "../engine/index.ts";
import type { ActiveReservation } from "../reservations/index.ts";
import { poolsOfHosts, poolStatus, reservedShares } from "./pool.ts";

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
  return { kind, name, site, ready, why, running: 2, pool, faults: [] } as Partial<Destination> as Destination;
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
  const times = { fromMs: 0, untilMs: 3_600_000 };
  const [app, lab] = ["prj_1", "prj_2"] as ProjectId[];
  const [first, second, third] = ["rsv_1", "rsv_2", "rsv_3"] as ReservationId[];
  const reserved: readonly ActiveReservation[] = [
    { id: first!, tenant: app!, project: "ministry/app", device: "busy", ...times },
    { id: second!, tenant: lab!, project: "ministry/lab", share: 0.1, ...times },
    { id: third!, tenant: lab!, project: "ministry/lab", share: 0.2, ...times },
  ];
  const until = "1970-01-01T01:00:00.000Z";
  assert.deepEqual(poolStatus(destinations, reserved, clock), {
    at: "1970-01-01T00:00:05.000Z",
    hosts: [
      { name: "busy", site, ready: true, reason: null, ageMs: 400, upForMs: 4_000, pool, faults: [] },
      { name: "new", site, ready: true, reason: null, ageMs: null, upForMs: null, pool: null, faults: [] },
      { name: "away", site, ready: false, reason: "it is away", ageMs: 4_000, upForMs: 900, pool, faults: [] },
    ],
    upstreams: [{ name: "other", site, ready: true, running: 2 }],
    reserved: [
      { reservation: "rsv_1", project: "ministry/app", device: "busy", share: null, until },
      { reservation: "rsv_2", project: "ministry/lab", device: null, share: 0.1, until },
      { reservation: "rsv_3", project: "ministry/lab", device: null, share: 0.2, until },
    ],
  });
  assert.deepEqual(reservedShares(reserved), [{ project: "ministry/lab", share: 0.3 }]);
  // Gauges of a host that is gone would say that it still holds what it held.
  assert.deepEqual(poolsOfHosts(destinations, clock), [{ host: "busy", ageMs: 400, pool: told }]);
});
