import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock, RefusalError } from "../base/index.ts";
import { createFake } from "../engine/fake/index.ts";
import { defaultTuning, type Effect, type HostEvent, Pool, type PoolEvent } from "../pool/index.ts";
import { Schedule } from "./schedule.ts";

const speed = {
  prefillFixedMs: 10,
  prefillTokenMs: 1,
  prefillTokenSquaredMs: 0,
  decodeFixedMs: 10,
  decodeSequenceMs: 1,
  decodeContextTokenMs: 0,
  loadMs: 10,
};

/** Lets answers end, for the reason that it is told, as soon as something is reserved. */
class Ending extends Pool {
  ends: Extract<Effect, { kind: "fail" }> | undefined;

  override decide(event: PoolEvent | HostEvent, nowMs: number): readonly Effect[] {
    const effects = super.decide(event, nowMs);
    return event.kind === "reserved" && this.ends !== undefined ? [...effects, this.ends] : effects;
  }
}

async function ended(ends: Omit<Extract<Effect, { kind: "fail" }>, "kind" | "request">): Promise<Error> {
  const clock = new ManualClock(1_000);
  const factory = createFake({}, clock, () => assert.fail("no crash was asked for"));
  const engine = await factory.open({
    sequences: 2,
    threads: 1,
    gpu: "off",
    prefillSliceTokens: 64,
    memoryBytes: undefined,
  });
  const model = await engine.load({ name: "m", path: "", sha256: "", contextTokens: 100 });
  const devices = [{ id: "d", type: "d", memoryBytes: 10, linkBytesPerMs: 1, keepsKv: false }];
  const models = [{ id: "m", weightsBytes: 1, kvBytesPerToken: 0, contextTokens: 100 }];
  const pool = new Ending({ devices, models, speed: () => speed }, defaultTuning);
  const schedule = new Schedule({
    clock,
    pool,
    device: "d",
    model: () => model,
    load: () => Promise.resolve(true),
    unload: () => Promise.resolve(),
    hindrance: () => undefined,
    onLoad: () => undefined,
    onBroken: () => undefined,
  });
  schedule.start();
  const objective = { ttftMs: 1_000, tpotMs: 100 };
  const request = { id: "r", model: "m", tenant: "t", objective, inputTokens: 1, maxOutputTokens: 9 };
  const { promise, resolve } = Promise.withResolvers<Error>();
  const place = schedule.enter({ request, signal: new AbortController().signal, fail: resolve });
  await place.begun;
  pool.ends = { kind: "fail", request: "r", ...ends };
  schedule.reserve([{ id: "rsv_1", tenant: "other", share: 0.1 }]);
  schedule.stop();
  await engine.close();
  return promise;
}

test("an answer that the pool ends for others says that it gave way; one whose model is gone, that it cannot go on", async () => {
  const gone = await ended({});
  assert.ok(!(gone instanceof RefusalError));
  assert.equal(gone.message, "m cannot go on");
  const gaveWay = await ended({ reason: "preempted" });
  assert.ok(gaveWay instanceof RefusalError);
  assert.equal(gaveWay.refusal.code, "preempted");
  assert.match(gaveWay.refusal.message, /^This answer of m gave way: /);
  assert.ok(gaveWay.refusal.retryAfterSeconds! >= 1);
});
