import assert from "node:assert/strict";
import { Session } from "node:inspector";
import { test } from "node:test";
import type { Pool as Scheduling } from "./pool.ts";
import type { Fleet, PoolDevice, PoolEvent } from "./types.ts";

const gigabyte = 1e9;
const folder = new URL(".", import.meta.url).href;

const session = new Session();
session.connect();
post("Profiler.enable");
post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });
// Blocks are counted in code that is compiled from now on.
const { Pool } = await import("./pool.ts");
const { defaultTuning } = await import("./tuning.ts");

function post(method: string, given: object = {}): unknown {
  let told: unknown;
  session.post(method, given, (error, result) => {
    assert.equal(error, null);
    told = result;
  });
  return told;
}

/**
 * How often blocks of this folder's code are run, as the engine counts them: the same on any machine and at any speed. What
 * it does not see (moving an array's elements up, say) is native and small.
 */
function workOf(run: () => void): number {
  post("Profiler.takePreciseCoverage");
  run();
  const { result } = post("Profiler.takePreciseCoverage") as { readonly result: readonly Covered[] };
  let work = 0;
  for (const { url, functions } of result) {
    if (!url.startsWith(folder)) continue;
    for (const { ranges } of functions) for (const { count } of ranges) work += count;
  }
  return work;
}

interface Covered {
  readonly url: string;
  readonly functions: readonly { readonly ranges: readonly { readonly count: number }[] }[];
}

function device(id: string, memory: number): PoolDevice {
  return { id, type: "x", memoryBytes: memory * gigabyte, linkBytesPerMs: 16e6 };
}

function pool(devices: readonly PoolDevice[], models: number, weights: number): Scheduling {
  const fleet: Fleet = {
    devices,
    models: Array.from({ length: models }, (_, index) => {
      return { id: `m${index}`, weightsBytes: weights * gigabyte, kvBytesPerToken: 1, contextTokens: 32_768 };
    }),
    speed: () => ({
      prefillFixedMs: 5,
      prefillTokenMs: 0.01,
      prefillTokenSquaredMs: 0,
      decodeFixedMs: 10,
      decodeSequenceMs: 0.05,
      decodeContextTokenMs: 0,
      loadMs: 1_000,
    }),
  };
  return new Pool(fleet, defaultTuning);
}

/** Each of another tenant, as one came after the other. */
function arrival(index: number, models: number, ttftMs: number, tpotMs: number): PoolEvent {
  const request = {
    id: `r${index}`,
    model: `m${index % models}`,
    tenant: `t${index}`,
    objective: { ttftMs, tpotMs },
    inputTokens: 50,
    maxOutputTokens: 200,
  };
  return { kind: "arrived", request };
}

/** So many requests in the lanes of the first of two devices, and then what happened. */
function withPlaces(requests: number, event: PoolEvent, nowMs: number): number {
  const played = pool([device("d0", 80), device("d1", 80)], 1, 5);
  for (let index = 0; index < requests; index++) played.decide(arrival(index, 1, 300_000, 2_000), index / 100);
  return workOf(() => void played.decide(event, nowMs));
}

/** So many that no device can take. */
function withNone(requests: number, event: PoolEvent, nowMs: number): number {
  const played = pool([device("d0", 20)], 20, 15);
  for (let index = 0; index < requests; index++) played.decide(arrival(index, 20, 600_000, 15), index / 100);
  assert.ok(played.survey().pending > requests * 0.9, "they wait");
  return workOf(() => void played.decide(event, nowMs));
}

const few = 500;
const many = 8 * few;

for (const event of [
  { kind: "deviceLost", device: "d0" },
  { kind: "loadFailed", device: "d0", model: "m0" },
  { kind: "reserved", reservation: { id: "v", tenant: "x", device: "d0" } },
] as const) {
  test(`${event.kind}: eight times the requests are not much more than eight times the work`, () => {
    const [less, more] = [withPlaces(few, event, 200), withPlaces(many, event, 200)];
    assert.ok(less > few, `it has to do with each: ${less}`);
    assert.ok(more < 12 * less, `${more} for ${many}, ${less} for ${few}`);
  });
}

test("when the time of all is over at once, too", () => {
  const [less, more] = [withNone(few, { kind: "woken" }, 2_000_000), withNone(many, { kind: "woken" }, 2_000_000)];
  assert.ok(less > few, `it has to do with each: ${less}`);
  assert.ok(more < 12 * less, `${more} for ${many}, ${less} for ${few}`);
});

test("one more request is hardly more work where eight times as many tenants wait", () => {
  const next = arrival(100_007, 20, 600_000, 15);
  const [less, more] = [withNone(few, next, 200), withNone(many, next, 200)];
  assert.ok(more < 2 * less, `${more} for ${many}, ${less} for ${few}`);
});
