import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  defaultTuning,
  type Effect,
  type Fleet,
  Pool,
  type WorkEvent,
  type Scheduler,
  type Speed,
} from "../../pool/index.ts";
import type { SimulatedRequest } from "../outcome.ts";
import { attainment, simulate } from "../simulate.ts";
import { demandsMs } from "./demand.ts";
import { isExcluded, lowerBound } from "./index.ts";
import { requestsOf } from "./testing.ts";
import { chainsOf } from "./yardstick.ts";

const slow: Speed = {
  prefillFixedMs: 8,
  prefillTokenMs: 0.05,
  prefillTokenSquaredMs: 1e-6,
  decodeFixedMs: 12,
  decodeSequenceMs: 0.3,
  decodeContextTokenMs: 1e-4,
  loadMs: 200,
};
/** Better in all but what sequences cost. */
const quick: Speed = { ...slow, prefillTokenMs: 0.02, decodeFixedMs: 5, decodeSequenceMs: 0.4, loadMs: 100 };

function fleetOf(types: readonly ("slow" | "quick")[]): Fleet {
  return {
    devices: types.map((type, index) => ({ id: `d${index}`, type, memoryBytes: 40e9, linkBytesPerMs: 16e6 })),
    models: ["a", "b", "c", "d"].map((id) => ({ id, weightsBytes: 10e9, kvBytesPerToken: 1e5, contextTokens: 8192 })),
    speed: (_, { type }) => (type === "slow" ? slow : quick),
  };
}

const workloads = fc
  .array(
    fc.record({
      atMs: fc.double({ min: 0, max: 8000, noNaN: true }),
      ttftMs: fc.constantFrom(500, 1000, 3000),
      tpotMs: fc.constantFrom(20, 40, 100),
      inputTokens: fc.integer({ min: 1, max: 2000 }),
      outputTokens: fc.integer({ min: 1, max: 150 }),
      model: fc.constantFrom("a", "b", "c", "d"),
    }),
    { minLength: 1, maxLength: 60 },
  )
  .map(requestsOf);

test("nothing that the simulator achieves is below the bound", () => {
  fc.assert(
    fc.property(workloads, fc.integer({ min: 1, max: 4 }), (requests, devices) => {
      const fleet = fleetOf(Array.from({ length: devices }, () => "slow" as const));
      const { outcomes, totals } = simulate(fleet, new Pool(fleet, defaultTuning), requests);
      const { accelerators, demandMs } = lowerBound(fleet, requests, attainment(outcomes));
      assert.ok(accelerators <= devices, `${accelerators} > ${devices} at ${attainment(outcomes)}`);
      assert.ok(demandMs <= totals.busyMs + 1e-3, `${demandMs} > ${totals.busyMs}`);
    }),
    { numRuns: 60 },
  );
});

test("a fleet of different devices is not excluded from what it achieves", () => {
  const types = fc.array(fc.constantFrom("slow" as const, "quick" as const), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(workloads, types, (requests, types) => {
      const fleet = fleetOf(types);
      const { outcomes } = simulate(fleet, new Pool(fleet, defaultTuning), requests);
      assert.equal(isExcluded(fleet, requests, attainment(outcomes)), false);
    }),
    { numRuns: 40 },
  );
});

test("in each window of a run that meets all, devices are busy for no less than its demand", () => {
  let runs = 0;
  fc.assert(
    fc.property(workloads, (requests) => {
      const fleet = fleetOf(Array.from({ length: 8 }, () => "slow" as const));
      const watch = new Watch(new Pool(fleet, defaultTuning));
      if (attainment(simulate(fleet, watch, requests).outcomes) < 1) return;
      runs++;
      const models = chainsOf(fleet, requests, () => slow).map((chains) => chains.toSorted((a, b) => a.atMs - b.atMs));
      for (let fromMs = 0; fromMs < 10_000; fromMs += 250) {
        const endsMs = [100, 300, 1000, 2000, 4000, 100_000].map((ms) => fromMs + ms);
        for (const [end, demandMs] of demandsMs(models, fromMs, endsMs).entries()) {
          const busyMs = watch.busyMs(fromMs, endsMs[end]!);
          assert.ok(demandMs <= busyMs + 1e-3, `${demandMs} > ${busyMs} from ${fromMs} to ${endsMs[end]}`);
        }
      }
    }),
    { numRuns: 60 },
  );
  assert.ok(runs > 10, `only ${runs} runs met all`);
});

test("requests within the same time never lower the bound, and a lower attainment never raises it", () => {
  fc.assert(
    fc.property(workloads, workloads, (some, more) => {
      const fleet = fleetOf(["slow"]);
      const ends = requestsOf([
        { atMs: 0, ttftMs: 500, tpotMs: 20, inputTokens: 1, outputTokens: 1, model: "a" },
        { atMs: 8000, ttftMs: 3000, tpotMs: 100, inputTokens: 1, outputTokens: 150, model: "a" },
      ]);
      const few = lowerBound(fleet, [...ends, ...some]);
      const all = [...ends, ...some, ...more];
      assert.ok(lowerBound(fleet, all).accelerators >= few.accelerators);
      assert.ok(lowerBound(fleet, all, 0.9).accelerators <= lowerBound(fleet, all).accelerators);
    }),
    { numRuns: 25 },
  );
});

test("models that cannot share need their steps each", () => {
  const wish = { atMs: 0, ttftMs: 100, tpotMs: 20, inputTokens: 500, outputTokens: 400 };
  const request = (model: string): SimulatedRequest => requestsOf([{ ...wish, model }])[0]!;
  const fleet = fleetOf(["slow"]);
  // 12.3 ms of each 20.
  assert.equal(lowerBound(fleet, [request("a")]).accelerators, 1);
  assert.equal(lowerBound(fleet, [request("a"), request("a")]).accelerators, 1);
  assert.equal(lowerBound(fleet, ["a", "b"].map(request)).accelerators, 2);
  assert.equal(lowerBound(fleet, ["a", "b", "c", "d"].map(request)).accelerators, 3);
  assert.equal(lowerBound(fleet, ["a", "b", "c", "d"].map(request), 0.75).accelerators, 2);
  assert.equal(isExcluded(fleetOf(["slow", "slow"]), ["a", "b", "c", "d"].map(request)), true);
  assert.equal(isExcluded(fleetOf(["slow", "quick"]), ["a", "b", "c", "d"].map(request)), false);
  assert.equal(isExcluded(fleetOf(["quick"]), ["a", "b", "c", "d"].map(request)), true);
});

test("no requests, or none that must be met, need nothing", () => {
  const fleet = fleetOf(["slow"]);
  const requests = requestsOf([{ atMs: 3, ttftMs: 100, tpotMs: 20, inputTokens: 5, outputTokens: 4, model: "a" }]);
  assert.equal(lowerBound(fleet, []).accelerators, 0);
  assert.equal(lowerBound(fleet, requests, 0).accelerators, 0);
  assert.equal(lowerBound(fleet, requests).accelerators, 1);
  assert.equal(isExcluded(fleetOf([]), requests), true);
  assert.throws(() => lowerBound(fleetOf(["slow", "quick"]), requests), /one type/);
});

/** Notes when devices have turns. */
class Watch implements Scheduler {
  readonly #watched: Scheduler;
  readonly #startedMs = new Map<string, number>();
  readonly #turns: { readonly fromMs: number; readonly toMs: number }[] = [];

  constructor(watched: Scheduler) {
    this.#watched = watched;
  }

  decide(event: WorkEvent, nowMs: number): readonly Effect[] {
    if (event.kind === "turnEnded") this.#turns.push({ fromMs: this.#startedMs.get(event.device)!, toMs: nowMs });
    const effects = this.#watched.decide(event, nowMs);
    for (const effect of effects) {
      if (effect.kind === "prefill" || effect.kind === "decode") this.#startedMs.set(effect.device, nowMs);
    }
    return effects;
  }

  busyMs(fromMs: number, toMs: number): number {
    return this.#turns.reduce(
      (sum, turn) => sum + Math.max(0, Math.min(toMs, turn.toMs) - Math.max(fromMs, turn.fromMs)),
      0,
    );
  }
}
