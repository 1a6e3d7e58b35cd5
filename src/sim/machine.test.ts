import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Effect, Fleet, WorkEvent, Scheduler, Speed } from "../pool/index.ts";
import { Impossible, Machine } from "./machine.ts";
import type { SimulatedRequest } from "./outcome.ts";

const speed: Speed = {
  prefillFixedMs: 5,
  prefillTokenMs: 0.1,
  prefillTokenSquaredMs: 0.001,
  decodeFixedMs: 10,
  decodeSequenceMs: 1,
  decodeContextTokenMs: 0.01,
  loadMs: 100,
};

function fleetOf(models: number, devices = 1): Fleet {
  return {
    devices: Array.from({ length: devices }, (_, index) => {
      return { id: `d${index}`, type: "test", memoryBytes: 1_000, linkBytesPerMs: 2 };
    }),
    models: Array.from({ length: models }, (_, index) => {
      return { id: `m${index}`, weightsBytes: 400, kvBytesPerToken: 1, contextTokens: 1_000 };
    }),
    speed: () => speed,
  };
}

function request(id: string, more: Partial<SimulatedRequest> = {}): SimulatedRequest {
  const objective = { ttftMs: 1_000, tpotMs: 20 };
  return {
    id,
    model: "m0",
    tenant: "t",
    objective,
    inputTokens: 10,
    maxOutputTokens: 100,
    atMs: 0,
    outputTokens: 3,
    ...more,
  };
}

/** Answers events as the test says; remembers them with their times. */
class Scripted implements Scheduler {
  readonly seen: (WorkEvent & { readonly nowMs: number })[] = [];
  readonly #answer: (event: WorkEvent, nowMs: number) => readonly Effect[];

  constructor(answer: (event: WorkEvent, nowMs: number) => readonly Effect[]) {
    this.#answer = answer;
  }

  decide(event: WorkEvent, nowMs: number): readonly Effect[] {
    this.seen.push({ ...event, nowMs });
    return this.#answer(event, nowMs);
  }
}

const load: Effect = { kind: "load", device: "d0", model: "m0" };
const prefill = (...requests: string[]): Effect => ({ kind: "prefill", device: "d0", model: "m0", requests });
const decode = (untilMs: number, ...requests: string[]): Effect => {
  return { kind: "decode", device: "d0", model: "m0", requests, untilMs };
};

test("a request's times are those of the cost model", () => {
  const scheduler = new Scripted((event) => {
    if (event.kind === "arrived") return [load];
    if (event.kind === "loaded") return [prefill("r")];
    return event.kind === "turnEnded" && event.finished.length === 0 ? [decode(1_000, "r")] : [];
  });
  const machine = new Machine(fleetOf(1), scheduler, [request("r", { atMs: 7 })]);
  const totals = machine.run();
  const [outcome] = machine.outcomes;
  // Copied until 107; the prompt takes 5 + 10 x 0.1 + 100 x 0.001; then steps of 10 + 1 + 0.11 and 10 + 1 + 0.12.
  assert.ok(Math.abs(outcome!.firstTokenMs! - 113.1) < 1e-9);
  assert.ok(Math.abs(totals.endMs - (113.1 + 11.11 + 11.12)) < 1e-9);
  assert.equal(outcome!.isMet, true);
  assert.ok(Math.abs(outcome!.ttftMs! - 106.1) < 1e-9);
  assert.equal(totals.tokens, 3);
  assert.equal(totals.switches, 1);
  assert.equal(totals.bytesMoved, 400);
});

test("a turn that is stopped ends with the step under way, and the tokens until then are given", () => {
  const scheduler = new Scripted((event, nowMs) => {
    if (event.kind === "arrived") return event.request.id === "r" ? [load] : [{ kind: "stop", device: "d0" }];
    if (event.kind === "loaded") return [prefill("r")];
    if (event.kind !== "turnEnded") return [];
    if (nowMs < 120) return [decode(10_000, "r")];
    return event.steps === 3 ? [decode(10_000, "r"), { kind: "refuse", request: "late", reason: "overloaded" }] : [];
  });
  // Steps of 11.11, 11.12, 11.13 from 106.1 on: at 130 the third is under way.
  const machine = new Machine(fleetOf(1), scheduler, [
    request("r", { outputTokens: 50 }),
    request("late", { atMs: 130 }),
  ]);
  machine.run();
  const ended = scheduler.seen.filter(({ kind }) => kind === "turnEnded");
  assert.ok(Math.abs(ended[1]!.nowMs - (106.1 + 11.11 + 11.12 + 11.13)) < 1e-9);
  assert.equal(machine.outcomes[1]!.isMet, false, "a refused request counts as missed");
});

test("what no machine can do is told, whoever asked for it", () => {
  const cases: readonly [string, readonly Effect[], RegExp][] = [
    ["a turn without weights", [prefill("r")], /not resident/],
    ["two copies at once", [load, { ...load, model: "m1" }], /copies two models/],
    ["an eviction of what is not there", [{ kind: "evict", device: "d0", model: "m0" }], /is not on/],
    ["an unknown device", [{ ...load, device: "d9" }], /no device d9/],
    ["an unknown request", [{ kind: "refuse", request: "x", reason: "overloaded" }], /no request x/],
    ["an empty turn", [load, { ...prefill("r"), requests: [] } as Effect], /empty turn|not resident/],
    ["nothing at all", [], /neither finished nor refused/],
  ];
  for (const [what, effects, message] of cases) {
    const machine = new Machine(fleetOf(3), new Scripted(() => effects), [request("r")]);
    assert.throws(
      () => machine.run(),
      (error) => error instanceof Impossible && message.test(error.message),
      what,
    );
  }
});

test("memory holds weights and KV together, and no more", () => {
  const run = (inputTokens: number): void => {
    const scheduler = new Scripted((event) => {
      if (event.kind === "arrived") return [load];
      return event.kind === "loaded" ? [prefill("r")] : [];
    });
    new Machine(fleetOf(1), scheduler, [request("r", { inputTokens, outputTokens: 1 })]).run();
  };
  run(599);
  assert.throws(() => run(601), /d0 would hold 1001 of 1000 bytes/);
});

test("steps taken together give what steps one by one give", () => {
  const job = fc.record({
    inputTokens: fc.integer({ min: 1, max: 40 }),
    outputTokens: fc.integer({ min: 2, max: 30 }),
  });
  fc.assert(
    fc.property(fc.array(job, { minLength: 1, maxLength: 6 }), fc.integer({ min: 1, max: 400 }), (jobs, turnMs) => {
      const requests = jobs.map((each, index) => request(`r${index}`, each));
      const ids = requests.map(({ id }) => id);
      let left = ids;
      const scheduler = new Scripted((event, nowMs) => {
        if (event.kind === "arrived") return event.request.id === "r0" ? [load] : [];
        if (event.kind === "loaded") return [prefill(...ids)];
        if (event.kind !== "turnEnded") return [];
        left = left.filter((id) => !event.finished.includes(id));
        return left.length === 0 ? [] : [decode(nowMs + turnMs, ...left)];
      });
      const machine = new Machine(fleetOf(1), scheduler, requests);
      machine.run();
      const expected = oneByOne(requests, scheduler.seen.find(({ kind }) => kind === "turnEnded")!.nowMs);
      for (const [index, outcome] of machine.outcomes.entries()) {
        assert.ok(Math.abs(outcome.lastTokenMs - expected[index]!.lastMs) < 1e-6);
        assert.ok(Math.abs(outcome.lateByMs - expected[index]!.lateByMs) < 1e-6);
      }
    }),
    { numRuns: 200 },
  );
});

/** The same decoding, a token at a time: all together from `startMs`, until each has what it wants. */
function oneByOne(requests: readonly SimulatedRequest[], startMs: number): { lastMs: number; lateByMs: number }[] {
  const states = requests.map((each) => {
    return { each, given: 1, lastMs: startMs, lateByMs: startMs - (each.atMs + each.objective.ttftMs) };
  });
  for (let nowMs = startMs; ;) {
    const running = states.filter(({ each, given }) => given < each.outputTokens);
    if (running.length === 0) return states;
    const context = running.reduce((sum, { each, given }) => sum + each.inputTokens + given, 0);
    nowMs += speed.decodeFixedMs + running.length * speed.decodeSequenceMs + context * speed.decodeContextTokenMs;
    for (const state of running) {
      const { ttftMs, tpotMs } = state.each.objective;
      state.lateByMs = Math.max(state.lateByMs, nowMs - (state.each.atMs + ttftMs + state.given * tpotMs));
      state.lastMs = nowMs;
      state.given++;
    }
  }
}
