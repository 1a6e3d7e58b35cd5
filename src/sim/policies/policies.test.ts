import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { Effect, Fleet, WorkEvent, PoolModel, Scheduler } from "../../pool/index.ts";
import type { Outcome, SimulatedRequest } from "../outcome.ts";
import { attainment, simulate } from "../simulate.ts";
import { Aegaeon } from "./aegaeon.ts";
import { Dedicated } from "./dedicated.ts";
import { FifoSwap } from "./fifo-swap.ts";
import { LruSwap } from "./lru-swap.ts";
import { MuxServe } from "./muxserve.ts";
import { PrismCode } from "./prism-code.ts";
import { PrismPaper } from "./prism-paper.ts";
import { artifactServerlessLlmOptions, ServerlessLlm } from "./serverless-llm.ts";

type Make = (fleet: Fleet, requests: readonly SimulatedRequest[]) => Scheduler;

function oracle(requests: readonly SimulatedRequest[]): (requestId: string) => number {
  const tokens = new Map(requests.map(({ id, outputTokens }) => [id, outputTokens]));
  return (requestId) => tokens.get(requestId)!;
}

/** It needs a device for prompts and one for decoding. */
function aegaeon(fleet: Fleet, share: number): Scheduler {
  const { length } = fleet.devices;
  return length < 2 ? new Dedicated(fleet) : new Aegaeon(fleet, Math.max(1, Math.floor(length * share)));
}

const makers: Readonly<Record<string, Make>> = {
  dedicated: (fleet) => new Dedicated(fleet),
  "serverless-llm": (fleet) => new ServerlessLlm(fleet),
  "serverless-llm, shortest first": (fleet, requests) =>
    new ServerlessLlm(fleet, { order: "sjf", outputTokensOf: oracle(requests) }),
  "serverless-llm, the artifact's": (fleet) => new ServerlessLlm(fleet, artifactServerlessLlmOptions),
  aegaeon: (fleet) => aegaeon(fleet, 0.5),
  "aegaeon, few for prompts": (fleet) => aegaeon(fleet, 0.1),
  muxserve: (fleet) => new MuxServe(fleet),
  "lru-swap": (fleet) => new LruSwap(fleet),
  "lru-swap, few loaded": (fleet) => new LruSwap(fleet, { loadedMax: 2 }),
  "fifo-swap": (fleet) => new FifoSwap(fleet),
  "prism-paper": (fleet) => new PrismPaper(fleet),
  "prism-paper, patient": (fleet) => new PrismPaper(fleet, { evictsForRoom: false, gainMin: 0 }),
  "prism-code": (fleet) => new PrismCode(fleet),
};

const gigabyte = 1e9;

function fleetOf(devicesBytes: readonly number[], models: readonly Omit<PoolModel, "id">[]): Fleet {
  const linkBytesPerMs = 16e6;
  return {
    devices: devicesBytes.map((memoryBytes, index) => ({ id: `d${index}`, type: "t", memoryBytes, linkBytesPerMs })),
    models: models.map((model, index) => ({ ...model, id: `m${index}` })),
    speed: (model) => ({
      prefillFixedMs: 6,
      prefillTokenMs: 0.02,
      prefillTokenSquaredMs: 1e-7,
      decodeFixedMs: model.weightsBytes / 1.5e9,
      decodeSequenceMs: 0.07,
      decodeContextTokenMs: 2e-5,
      loadMs: model.weightsBytes / linkBytesPerMs,
    }),
  };
}

const sevenB = { weightsBytes: 14 * gigabyte, kvBytesPerToken: 57_344, contextTokens: 8_192 };

function requestOf(
  id: number,
  atMs: number,
  model: number,
  inputTokens: number,
  outputTokens: number,
): SimulatedRequest {
  const objective = { ttftMs: 10_000, tpotMs: 100 };
  const names = { id: `r${id}`, model: `m${model}`, tenant: "t" };
  return { ...names, atMs, objective, inputTokens, outputTokens, maxOutputTokens: Math.max(outputTokens, 512) };
}

/** A request of each model in turn. */
function inTurn(models: number, count: number, everyMs: number): SimulatedRequest[] {
  return Array.from({ length: count }, (_, id) => requestOf(id, id * everyMs, id % models, 200, 100));
}

/** What a scheduler heard and asked for. */
class Recorded implements Scheduler {
  readonly #scheduler: Scheduler;
  readonly log: { readonly atMs: number; readonly event: WorkEvent; readonly effects: readonly Effect[] }[] = [];

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }
  decide(event: WorkEvent, nowMs: number): readonly Effect[] {
    const effects = this.#scheduler.decide(event, nowMs);
    this.log.push({ atMs: nowMs, event, effects });
    return effects;
  }
  get effects(): readonly Effect[] {
    return this.log.flatMap(({ effects }) => effects);
  }
}

function recorded(fleet: Fleet, scheduler: Scheduler, requests: readonly SimulatedRequest[]) {
  const record = new Recorded(scheduler);
  const { outcomes, totals } = simulate(fleet, record, requests);
  return { outcomes, totals, effects: record.effects, log: record.log };
}

function told(outcomes: readonly Outcome[]): unknown {
  return outcomes.map(({ request, firstTokenMs, lastTokenMs, refusal }) => [
    request.id,
    firstTokenMs,
    lastTokenMs,
    refusal,
  ]);
}

/** Small devices and large models: memory is short, and devices differ. */
const tight = fc
  .record({
    devicesBytes: fc.array(
      fc.integer({ min: 16, max: 60 }).map((gigabytes) => gigabytes * gigabyte),
      {
        minLength: 1,
        maxLength: 4,
      },
    ),
    models: fc.array(
      fc.record({
        weightsBytes: fc.integer({ min: 1, max: 30 }).map((gigabytes) => gigabytes * gigabyte),
        kvBytesPerToken: fc.integer({ min: 50_000, max: 1_500_000 }),
        contextTokens: fc.constant(4_096),
      }),
      { minLength: 1, maxLength: 8 },
    ),
    requests: fc.array(
      fc.record({
        atMs: fc.oneof(fc.integer({ min: 0, max: 90_000 }), fc.integer({ min: 0, max: 2_000 })),
        model: fc.nat(),
        inputTokens: fc.integer({ min: 1, max: 3_000 }),
        outputTokens: fc.integer({ min: 1, max: 1_000 }),
        more: fc.integer({ min: 0, max: 1_000 }),
        ttftMs: fc.constantFrom(500, 10_000),
      }),
      { minLength: 1, maxLength: 60 },
    ),
  })
  .map(({ devicesBytes, models, requests }) => ({
    fleet: fleetOf(devicesBytes, models),
    requests: requests
      .sort((a, b) => a.atMs - b.atMs)
      .map(({ atMs, model, inputTokens, outputTokens, more, ttftMs }, id) => ({
        ...requestOf(id, atMs, model % models.length, inputTokens, outputTokens),
        objective: { ttftMs, tpotMs: 50 },
        maxOutputTokens: outputTokens + more,
      })),
  }));

for (const [name, make] of Object.entries(makers)) {
  describe(name, () => {
    test("asks for nothing impossible and ends every request, however short the memory", () => {
      fc.assert(
        fc.property(tight, ({ fleet, requests }) => {
          const { outcomes } = simulate(fleet, make(fleet, requests), requests);
          assert.equal(outcomes.length, requests.length);
          for (const { request, refusal } of outcomes) {
            const model = fleet.models.find(({ id }) => id === request.model)!;
            const bytes = model.weightsBytes + (request.inputTokens + request.maxOutputTokens) * model.kvBytesPerToken;
            const fits = fleet.devices.some(({ memoryBytes }) => bytes <= memoryBytes * 0.95);
            if (!fits) assert.equal(refusal, "model_too_large");
          }
        }),
        { numRuns: 60, seed: 7 },
      );
    });

    test("decides the same for the same events", () => {
      const fleet = fleetOf(
        [80 * gigabyte, 80 * gigabyte],
        Array.from({ length: 12 }, () => sevenB),
      );
      const requests = inTurn(12, 60, 400);
      const [first, second] = [1, 2].map(() => told(simulate(fleet, make(fleet, requests), requests).outcomes));
      assert.deepEqual(first, second);
    });

    test("keeps its promises where each model has a device", () => {
      const fleet = fleetOf([80 * gigabyte, 80 * gigabyte], [sevenB, sevenB]);
      const requests = inTurn(2, 40, 1_500);
      assert.equal(attainment(simulate(fleet, make(fleet, requests), requests).outcomes), 1);
    });

    test("refuses what fits nowhere, and what it does not know", () => {
      const fleet = fleetOf([20 * gigabyte], [{ ...sevenB, weightsBytes: 40 * gigabyte }]);
      const scheduler = make(fleet, []);
      const reasonOf = (model: number): unknown => {
        const request = requestOf(model, 0, model, 10, 10);
        const refusal = scheduler.decide({ kind: "arrived", request }, 0).find(({ kind }) => kind === "refuse");
        return refusal?.kind === "refuse" ? refusal.reason : undefined;
      };
      assert.equal(reasonOf(0), "model_too_large");
      assert.equal(reasonOf(1), "unknown_model");
    });

    test("a request joins its model's batch with the step under way", () => {
      const fleet = fleetOf([80 * gigabyte], [sevenB]);
      const requests = [requestOf(0, 0, 0, 10, 400), requestOf(1, 3_000, 0, 10, 10)];
      const { outcomes } = simulate(fleet, make(fleet, requests), requests);
      assert.ok(outcomes[1]!.ttftMs! < 40, `${outcomes[1]!.ttftMs} ms`);
    });
  });
}

test("dedicated: each model is loaded once, on a device of its own; the others are refused", () => {
  const fleet = fleetOf([80 * gigabyte, 40 * gigabyte], [sevenB, sevenB, sevenB]);
  const { outcomes, effects } = recorded(fleet, new Dedicated(fleet), inTurn(3, 30, 200));
  const loads = effects.flatMap((effect) => (effect.kind === "load" ? [`${effect.model} ${effect.device}`] : []));
  assert.deepEqual(loads.sort(), ["m0 d1", "m1 d0"]);
  assert.ok(effects.every(({ kind }) => kind !== "evict"));
  for (const { request, refusal } of outcomes) assert.equal(refusal, request.model === "m2" ? "overloaded" : undefined);
});

test("muxserve: most demand gets a device first, nothing is swapped, and who has no place is refused", () => {
  const fleet = fleetOf(
    [36 * gigabyte, 36 * gigabyte],
    Array.from({ length: 6 }, () => sevenB),
  );
  const ratePerSecond = ({ id }: PoolModel): number => ({ m4: 3, m5: 2 })[id] ?? 1;
  const { outcomes, effects } = recorded(fleet, new MuxServe(fleet, { ratePerSecond }), inTurn(6, 30, 300));
  const devices = new Map(effects.flatMap((effect) => (effect.kind === "load" ? [[effect.model, effect.device]] : [])));
  assert.deepEqual([...devices.keys()].sort(), ["m0", "m1", "m4", "m5"]);
  assert.notEqual(devices.get("m4"), devices.get("m5"));
  assert.ok(effects.every(({ kind }) => kind !== "evict"));
  for (const { request, refusal } of outcomes) {
    assert.equal(refusal, devices.has(request.model) ? undefined : "overloaded");
  }
});

test("muxserve: who is expected to have three times the demand gets three times the time", () => {
  const fleet = fleetOf([80 * gigabyte], [sevenB, sevenB]);
  const ratePerSecond = ({ id }: PoolModel): number => (id === "m0" ? 3 : 1);
  const requests = [requestOf(0, 0, 0, 10, 5_000), requestOf(1, 0, 1, 10, 5_000)];
  const { outcomes } = simulate(fleet, new MuxServe(fleet, { ratePerSecond }), requests);
  const [often, seldom] = outcomes.map(({ lastTokenMs }) => lastTokenMs);
  // 4/3 of its own time with a quarter lost, and all of both together.
  assert.ok(Math.abs(often! / seldom! - 2 / 3) < 0.03, `${often} and ${seldom}`);
});

test("serverless-llm: a device with the model takes more of it up to the batch, the next goes to another", () => {
  const fleet = fleetOf([80 * gigabyte, 80 * gigabyte], [sevenB, sevenB]);
  const requests = Array.from({ length: 6 }, (_, id) => requestOf(id, id * 10, 0, 10, 500));
  const { effects } = recorded(fleet, new ServerlessLlm(fleet, { batchMax: 4 }), requests);
  assert.deepEqual(
    effects.flatMap((effect) => (effect.kind === "load" ? [effect.device] : [])),
    ["d0", "d1"],
  );
  for (const effect of effects) if (effect.kind === "decode") assert.ok(effect.requests.length <= 4);
});

test("serverless-llm: a model stays until its requests are finished, and the oldest that waits is next", () => {
  const fleet = fleetOf([80 * gigabyte], [sevenB, sevenB, sevenB]);
  const requests = [requestOf(0, 0, 0, 10, 300), requestOf(1, 100, 1, 10, 300), requestOf(2, 200, 2, 10, 10)];
  const order = (options: object): string[] => {
    const { outcomes } = simulate(fleet, new ServerlessLlm(fleet, options), requests);
    return [...outcomes].sort((a, b) => a.lastTokenMs - b.lastTokenMs).map(({ request }) => request.model);
  };
  assert.deepEqual(order({}), ["m0", "m1", "m2"]);
  assert.deepEqual(order({ order: "sjf", outputTokensOf: oracle(requests) }), ["m0", "m2", "m1"]);
});

test("serverless-llm: the artifact's gives up on who has waited 15 s, the other never", () => {
  const fleet = fleetOf([80 * gigabyte], [sevenB, sevenB]);
  const requests = [requestOf(0, 0, 0, 10, 4_000), requestOf(1, 100, 1, 10, 10), requestOf(2, 20_000, 1, 10, 10)];
  const refusals = (options: object): unknown[] =>
    simulate(fleet, new ServerlessLlm(fleet, options), requests).outcomes.map(({ refusal }) => refusal);
  assert.deepEqual(refusals(artifactServerlessLlmOptions), [undefined, "overloaded", undefined]);
  assert.deepEqual(refusals({}), [undefined, undefined, undefined]);
});

test("fifo-swap: models do not alternate, and nobody overtakes", () => {
  const fleet = fleetOf([80 * gigabyte], [sevenB, sevenB]);
  const requests = [0, 0, 1, 0, 1, 1, 0].map((model, id) => requestOf(id, id * 50, model, 50, 200));
  const { outcomes, log } = recorded(fleet, new FifoSwap(fleet), requests);
  const turns = log.flatMap(({ effects }) =>
    effects.flatMap((effect) => (effect.kind === "prefill" || effect.kind === "decode" ? [effect.model] : [])),
  );
  const stretches = turns.filter((model, index) => model !== turns[index - 1]);
  assert.deepEqual(stretches, ["m0", "m1", "m0", "m1", "m0"]);
  const firstTokens = outcomes.map(({ firstTokenMs }) => firstTokenMs!);
  assert.deepEqual(
    firstTokens,
    [...firstTokens].sort((a, b) => a - b),
  );
});

test("fifo-swap: models are dealt out to the devices in turn", () => {
  const fleet = fleetOf([80 * gigabyte, 80 * gigabyte], [sevenB, sevenB, sevenB]);
  const { effects } = recorded(fleet, new FifoSwap(fleet), inTurn(3, 9, 4_000));
  const devices = new Map(effects.flatMap((effect) => (effect.kind === "load" ? [[effect.model, effect.device]] : [])));
  assert.deepEqual(Object.fromEntries(devices), { m0: "d0", m1: "d1", m2: "d0" });
});

test("lru-swap: models stay beside one another, and the least recently used leaves for one more", () => {
  const fleet = fleetOf([36 * gigabyte], [sevenB, sevenB, sevenB]);
  const requests = [0, 1, 0, 2].map((model, id) => requestOf(id, id * 5_000, model, 10, 10));
  const { effects } = recorded(fleet, new LruSwap(fleet), requests);
  const swaps = effects.flatMap((effect) =>
    effect.kind === "load" || effect.kind === "evict" ? [`${effect.kind} ${effect.model}`] : [],
  );
  assert.deepEqual(swaps, ["load m0", "load m1", "evict m1", "load m2"]);
});

test("lru-swap: with none idle the next waits for one to finish, and loaded models go on", () => {
  const fleet = fleetOf([36 * gigabyte], [sevenB, sevenB, sevenB]);
  const requests = [
    requestOf(0, 0, 0, 10, 300),
    requestOf(1, 10, 1, 10, 900),
    requestOf(2, 2_000, 2, 10, 10),
    requestOf(3, 2_100, 1, 10, 10),
  ];
  const { outcomes } = simulate(fleet, new LruSwap(fleet), requests);
  assert.ok(outcomes[2]!.firstTokenMs! > outcomes[0]!.lastTokenMs);
  assert.ok(outcomes[2]!.firstTokenMs! < outcomes[1]!.lastTokenMs);
  assert.ok(outcomes[3]!.ttftMs! < 200);
});

test("lru-swap: no more requests of a model run at once than it is told", () => {
  const fleet = fleetOf([80 * gigabyte], [sevenB]);
  const requests = Array.from({ length: 12 }, (_, id) => requestOf(id, id, 0, 10, 50));
  const { effects } = recorded(fleet, new LruSwap(fleet, { parallel: 4 }), requests);
  const most = Math.max(...effects.map((effect) => (effect.kind === "decode" ? effect.requests.length : 0)));
  assert.equal(most, 4);
});

test("prism-paper: of two busy models on a device one moves, and its source serves until the target is ready", () => {
  const fleet = fleetOf([40 * gigabyte, 40 * gigabyte], [sevenB, sevenB, sevenB]);
  const busy = (model: number, fromMs: number): SimulatedRequest[] =>
    Array.from({ length: 100 }, (_, index) => requestOf(0, fromMs + index * 200, model, 400, 200));
  // The first two are loaded on a device each; the second is never asked again.
  const requests = [requestOf(0, 0, 0, 10, 10), requestOf(0, 1, 1, 10, 10), ...busy(0, 2), ...busy(2, 3)]
    .sort((a, b) => a.atMs - b.atMs)
    .map((request, id) => ({ ...request, id: `r${id}` }));
  const { outcomes, log } = recorded(fleet, new PrismPaper(fleet), requests);
  assert.equal(attainment(outcomes), 1);
  const at = log.findLastIndex(({ effects }) => effects.some(({ kind }) => kind === "load"));
  const move = log[at]!.effects.find((effect) => effect.kind === "load")!;
  const ready = log.findLastIndex(({ event }) => event.kind === "loaded");
  const during = log.slice(at, ready).flatMap(({ effects }) => effects);
  assert.ok(during.some((effect) => effect.kind === "prefill" && effect.model === move.model));
  const after = log.slice(ready).flatMap(({ effects }) => effects);
  const prompts = after.filter((effect) => effect.kind === "prefill" && effect.model === move.model);
  assert.ok(prompts.every((effect) => effect.kind === "prefill" && effect.device === move.device));
  assert.ok(after.some((effect) => effect.kind === "evict" && effect.model === move.model));
});

test("prism-paper: a model is evicted once nobody has asked for 45 s", () => {
  const fleet = fleetOf([80 * gigabyte], [sevenB, sevenB]);
  const requests = [
    requestOf(0, 0, 1, 10, 10),
    ...Array.from({ length: 60 }, (_, id) => requestOf(id + 1, id * 1_000, 0, 10, 50)),
  ];
  const { log } = recorded(fleet, new PrismPaper(fleet), requests);
  const evicted = log.flatMap(({ atMs, effects }) =>
    effects.flatMap((effect) => (effect.kind === "evict" ? [{ atMs, model: effect.model }] : [])),
  );
  assert.equal(evicted.length, 1);
  assert.equal(evicted[0]!.model, "m1");
  assert.ok(evicted[0]!.atMs > 45_000 && evicted[0]!.atMs < 53_000);
});

test("prism-code: between two rounds nothing is activated", () => {
  const fleet = fleetOf([80 * gigabyte], [sevenB, sevenB]);
  const requests = [requestOf(0, 0, 0, 10, 900), requestOf(1, 500, 1, 10, 10)];
  const { log } = recorded(fleet, new PrismCode(fleet), requests);
  const loads = log.flatMap(({ atMs, effects }) => (effects.some(({ kind }) => kind === "load") ? [atMs] : []));
  assert.deepEqual(loads, [0, 5_000]);
});

test("prism-code: a device has four models at most", () => {
  const small = { ...sevenB, weightsBytes: 2 * gigabyte };
  const fleet = fleetOf(
    [80 * gigabyte],
    Array.from({ length: 6 }, () => small),
  );
  const { outcomes, effects } = recorded(fleet, new PrismCode(fleet), inTurn(6, 12, 100));
  let models = 0;
  for (const { kind } of effects) {
    if (kind === "load") models++;
    if (kind === "evict") models--;
    assert.ok(models <= 4);
  }
  // The fifth has to wait until one of the first has been idle for 50 s.
  assert.ok(outcomes.find(({ request }) => request.model === "m5")!.ttftMs! > 50_000);
});
