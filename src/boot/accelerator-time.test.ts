import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ManualClock } from "../base/index.ts";
import type { Destination } from "../engine/index.ts";
import { acceleratorTime, addAcceleratorTime } from "../store/index.ts";
import { type TemporaryPostgres, temporaryPostgres, temporaryStore } from "../store/testing.ts";
import { AcceleratorTime } from "./accelerator-time.ts";

let postgres: TemporaryPostgres;
before(async () => void (postgres = await temporaryPostgres()));
after(() => postgres.remove());

/** As much of a host as is asked for its time. */
function host(name: string, incarnation: number, toldAtMs: number, busyMs: number): Destination {
  const pool = { toldAtMs, upForMs: 0, pool: { device: { name: "H20" }, totals: { busyMs } } };
  return { kind: "host", name, incarnation, pool } as unknown as Destination;
}

test("time is what has passed between two tellings of the same process, and work no more than that", () => {
  const clock = new ManualClock(Date.parse("2026-03-31T23:59:30Z"));
  let hosts: readonly Destination[] = [host("a", 1, 1_000, 900_000)];
  const time = new AcceleratorTime(clock, () => hosts);
  const look = (...next: readonly Destination[]) => {
    hosts = next;
    return time.look().map(({ host, upMs, busyMs }) => [host, upMs, busyMs]);
  };
  // What its process had done before was counted by whoever looked then, or by nobody.
  assert.deepEqual(look(host("a", 1, 1_000, 900_000)), []);
  assert.deepEqual(look(host("a", 1, 61_000, 930_000), host("b", 1, 50_000, 0)), [["a", 60_000, 30_000]]);
  // Nothing was told since; then another process tells, and is looked at for the first time.
  assert.deepEqual(look(host("a", 1, 61_000, 930_000), host("b", 1, 110_000, 60_500)), [["b", 60_000, 60_000]]);
  assert.deepEqual(look(host("a", 2, 130_000, 5), host("b", 1, 170_000, 60_500)), [["b", 60_000, 0]]);
  assert.deepEqual(look(host("a", 2, 190_000, 1_005)), [["a", 60_000, 1_000]]);
  const upstream = { kind: "upstream", name: "u" } as unknown as Destination;
  assert.deepEqual(look(upstream, { ...host("c", 1, 1, 1), pool: undefined }), []);
});

test("time is kept by the hour, and a period has the hours that begin in it", async (context) => {
  const store = await temporaryStore(postgres, new ManualClock());
  context.after(() => store.close());
  const { db } = store;
  const of = (at: string, upMs: number, busyMs: number, name = "a") => ({
    atMs: Date.parse(at),
    host: name,
    device: name === "a" ? "H20" : "910B",
    upMs,
    busyMs,
  });
  await addAcceleratorTime(db, [of("2026-03-31T23:59:59.999Z", 60_000, 30_000), of("2026-03-31T23:00:00Z", 60_000, 0)]);
  await addAcceleratorTime(db, [of("2026-03-31T23:30:00Z", 60_000, 60_000), of("2026-04-01T00:00:00Z", 60_000, 0)]);
  await addAcceleratorTime(db, [of("2026-03-01T12:00:00Z", 60_000, 0, "b")]);
  await addAcceleratorTime(db, []);
  const quarter = { from: new Date("2026-01-01T00:00:00Z"), to: new Date("2026-04-01T00:00:00Z") };
  assert.deepEqual(await acceleratorTime(db, quarter), [
    { device: "910B", upSeconds: 60, busySeconds: 0 },
    { device: "H20", upSeconds: 180, busySeconds: 90 },
  ]);
});
