import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Pool } from "./pool.ts";
import { stepsWithin } from "./speed.ts";
import { defaultTuning } from "./tuning.ts";
import type { Effect, Fleet, PoolDevice, PoolEvent, PoolModel, PoolRequest } from "./types.ts";

const gigabyte = 1e9;
const memoryBytes = 24 * gigabyte;

interface Turn {
  readonly requests: readonly string[];
  /** More steps than that do not begin before its end. */
  readonly stepsMost: number;
}

/** A small world without a clock of its own: what may happen next is drawn, and every effect is checked at once. */
class World {
  readonly fleet: Fleet;
  readonly pool: Pool;
  readonly effects: Effect[][] = [];
  nowMs = 0;
  readonly waiting = new Set<string>();
  readonly refused = new Set<string>();
  readonly finished = new Set<string>();
  readonly #requests = new Map<string, PoolRequest>();
  readonly #models: Map<string, PoolModel>;
  readonly #resident = new Map<string, Set<string>>();
  readonly #loading = new Map<string, string>();
  readonly #turns = new Map<string, Turn>();
  /** Where the KV of a request is. */
  readonly #kvOn = new Map<string, string>();
  readonly #keepsKv: readonly boolean[];
  readonly #losesKv = new Set<string>();
  readonly #generated = new Map<string, number>();
  readonly #cancelled = new Set<string>();
  #devices = 0;
  #woken: number[] = [];

  /** `keepsKv`: whether each device's engine does, in turn. */
  constructor(devices: number, models: readonly PoolModel[], keepsKv: readonly boolean[]) {
    this.#models = new Map(models.map((model) => [model.id, model]));
    this.#keepsKv = keepsKv;
    this.fleet = {
      devices: Array.from({ length: devices }, () => this.#nextDevice()),
      models,
      speed: (model) => ({
        prefillFixedMs: 5,
        prefillTokenMs: 0.05,
        prefillTokenSquaredMs: 0,
        decodeFixedMs: 10,
        decodeSequenceMs: 0.1,
        decodeContextTokenMs: 0,
        loadMs: model.weightsBytes / 16e6,
      }),
    };
    // All of the memory is the pool's to give: what it leaves to an engine beside hides nothing here.
    this.pool = new Pool(this.fleet, { ...defaultTuning, memoryShare: 1 });
    for (const { id } of this.fleet.devices) this.#resident.set(id, new Set());
  }

  #nextDevice(): PoolDevice {
    const id = `device-${this.#devices}`;
    const keepsKv = this.#keepsKv[this.#devices % this.#keepsKv.length]!;
    this.#devices++;
    if (!keepsKv) this.#losesKv.add(id);
    return { id, type: "small", memoryBytes, linkBytesPerMs: 16e6, keepsKv };
  }

  arrive(request: PoolRequest): void {
    this.#requests.set(request.id, request);
    this.waiting.add(request.id);
    this.#tell({ kind: "arrived", request });
  }

  /** Whoever asked leaves. */
  cancel(choice: number): void {
    const id = [...this.waiting][choice % Math.max(1, this.waiting.size)];
    if (id === undefined) return;
    const inTurn = [...this.#turns.values()].some(({ requests }) => requests.includes(id));
    // In a turn it is part of it until the end, and gone then.
    if (inTurn) this.#cancelled.add(id);
    else this.#over(id);
    this.#tell({ kind: "cancelled", request: id });
  }

  /** A device is gone with all that was on it; another one comes. */
  replace(choice: number): void {
    const device = [...this.#resident.keys()][choice % this.#resident.size]!;
    for (const id of this.#turns.get(device)?.requests ?? []) if (this.#cancelled.has(id)) this.#over(id);
    this.#turns.delete(device);
    this.#loading.delete(device);
    this.#resident.delete(device);
    for (const [id, on] of this.#kvOn) if (on === device) this.#kvOn.delete(id);
    const added = this.#nextDevice();
    this.#resident.set(added.id, new Set());
    this.#tell({ kind: "deviceLost", device });
    this.#tell({ kind: "deviceJoined", device: added });
  }

  /** One of the things that are under way comes to its end. */
  step(choice: number): void {
    const ends = [
      ...[...this.#turns.keys()].map((device) => () => this.#endTurn(device, 1 + (choice % 7))),
      ...[...this.#loading].map(
        ([device, model]) =>
          () =>
            this.#loaded(device, model, choice % 5 > 0),
      ),
      ...(this.#woken.length > 0 ? [() => this.#wake()] : []),
    ];
    this.nowMs += 1 + (choice % 40);
    ends[choice % Math.max(1, ends.length)]?.();
  }

  #endTurn(device: string, most: number): void {
    const { requests, stepsMost } = this.#turns.get(device)!;
    this.#turns.delete(device);
    const finished: string[] = [];
    const steps = Math.min(most, stepsMost);
    for (const id of requests) {
      const wanted = this.#requests.get(id)!.maxOutputTokens;
      const generated = Math.min(wanted, (this.#generated.get(id) ?? 0) + steps);
      this.#generated.set(id, generated);
      if (generated === wanted) finished.push(id);
    }
    this.#checkMemory(device);
    for (const id of finished) {
      this.#over(id);
      this.finished.add(id);
    }
    for (const id of requests) if (this.#cancelled.delete(id)) this.#over(id);
    this.#tell({ kind: "turnEnded", device, steps, finished });
  }

  /** It is finished, refused or given up: nothing of it is anywhere. Returns whether it still was. */
  #over(id: string): boolean {
    this.#kvOn.delete(id);
    return this.waiting.delete(id);
  }

  /** Weights that are there or being copied, and all KV that there is. */
  #checkMemory(device: string): void {
    const loading = this.#loading.get(device);
    let bytes = 0;
    for (const id of [...this.#resident.get(device)!, ...(loading === undefined ? [] : [loading])])
      bytes += this.#models.get(id)!.weightsBytes;
    for (const [id, on] of this.#kvOn) if (on === device) bytes += this.#kvBytesOf(id);
    assert.ok(bytes <= memoryBytes, `never exceeds memory: ${bytes} on ${device}`);
  }

  #kvBytesOf(id: string): number {
    const { model, inputTokens } = this.#requests.get(id)!;
    return (inputTokens + (this.#generated.get(id) ?? 0)) * this.#models.get(model)!.kvBytesPerToken;
  }

  #loaded(device: string, model: string, isThere: boolean): void {
    this.#loading.delete(device);
    if (isThere) this.#resident.get(device)!.add(model);
    this.#tell({ kind: isThere ? "loaded" : "loadFailed", device, model });
  }

  #wake(): void {
    this.nowMs = Math.max(this.nowMs, Math.min(...this.#woken));
    this.#woken = this.#woken.filter((atMs) => atMs > this.nowMs);
    this.#tell({ kind: "woken" });
  }

  #tell(event: PoolEvent): void {
    const effects = [...this.pool.decide(event, this.nowMs)];
    this.effects.push(effects);
    for (const effect of effects) this.#check(effect);
  }

  #check(effect: Effect): void {
    switch (effect.kind) {
      case "refuse":
        assert.ok(this.#over(effect.request), "a request is refused once, and only while it waits");
        this.refused.add(effect.request);
        return;
      case "fail":
        assert.ok((this.#generated.get(effect.request) ?? 0) > 0, "who had no token is placed anew");
        assert.ok(this.#over(effect.request));
        return;
      case "load":
        assert.ok(!this.#loading.has(effect.device), "one copy at a time");
        assert.ok(!this.#resident.get(effect.device)!.has(effect.model), "no model is copied twice");
        this.#loading.set(effect.device, effect.model);
        return this.#checkMemory(effect.device);
      case "evict":
        assert.ok(this.#resident.get(effect.device)!.delete(effect.model), "what leaves was there");
        for (const [id, on] of this.#kvOn) {
          const isLeft = on === effect.device && this.#requests.get(id)!.model === effect.model;
          assert.ok(!isLeft || !this.#losesKv.has(on), "KV that goes with the weights is nobody's any more");
        }
        return;
      case "prefill":
      case "decode":
        for (const id of effect.requests) {
          const { permitted } = this.#requests.get(id)!;
          assert.ok(permitted === undefined || permitted.has(effect.device), "no turn where it is not permitted");
        }
        assert.ok(!this.#turns.has(effect.device), "one turn at a time");
        assert.ok(this.#resident.get(effect.device)!.has(effect.model), "a turn needs its weights");
        assert.ok(effect.requests.length > 0);
        for (const id of effect.requests) assert.ok(this.waiting.has(id), "no turn for what is over");
        return this.#begin(effect);
      case "wake":
        assert.ok(effect.atMs >= this.nowMs, "no wake in the past");
        this.#woken.push(effect.atMs);
        return;
      case "drop":
        assert.ok(this.waiting.has(effect.request));
        assert.ok(!this.#losesKv.has(this.#kvOn.get(effect.request)!), "an engine that cannot is not asked to");
        assert.ok(this.#kvOn.delete(effect.request), "what is given up was there");
        return;
      case "stop":
        assert.ok(this.#turns.has(effect.device), "what stops runs");
        return;
      case "move":
        assert.fail("nothing is moved yet");
    }
  }

  #begin(turn: Extract<Effect, { kind: "prefill" | "decode" }>): void {
    const { device, requests } = turn;
    const isPrefill = turn.kind === "prefill";
    for (const id of requests) {
      assert.equal(this.#kvOn.get(id), isPrefill ? undefined : device, "a prompt is computed once, where it goes on");
      this.#kvOn.set(id, device);
    }
    this.#checkMemory(device);
    const model = this.#models.get(turn.model)!;
    const speed = this.fleet.speed(model, this.fleet.devices[0]!);
    const stepsMost =
      turn.kind === "prefill" ? 1 : stepsWithin(speed, requests.length, 0, Math.max(0, turn.untilMs - this.nowMs));
    this.#turns.set(device, { requests, stepsMost });
  }
}

const models = fc
  .array(
    fc.record({
      size: fc.integer({ min: 2, max: 25 }),
      kvBytesPerToken: fc.constantFrom(1e5, 1e5, 1e6),
      isPinned: fc.integer({ min: 0, max: 9 }).map((one) => one === 0),
      keepWarmMs: fc.constantFrom(0, 0, 3_000, 600_000),
      sequencesMax: fc.constantFrom(1_000, 1_000, 1, 2, 4),
    }),
    { minLength: 2, maxLength: 8, size: "max" },
  )
  .map((all) =>
    all.map(({ size, ...rest }, index): PoolModel => {
      return { id: `model-${index}`, weightsBytes: size * gigabyte, contextTokens: 32_768, ...rest };
    }),
  );

/** Whether KV stays where weights leave, on each device in turn. */
const engines = fc.array(fc.boolean(), { minLength: 1, maxLength: 4 });

const steps = fc.array(
  fc.oneof(
    {
      weight: 12,
      arbitrary: fc.record({
        model: fc.nat(7),
        inputTokens: fc.integer({ min: 1, max: 20_000 }),
        maxOutputTokens: fc.oneof(
          { weight: 4, arbitrary: fc.integer({ min: 1, max: 400 }) },
          { weight: 1, arbitrary: fc.integer({ min: 1_000, max: 20_000 }) },
        ),
        ttftMs: fc.constantFrom(50, 1_000, 10_000, 60_000),
        tpotMs: fc.constantFrom(15, 50, 100),
        tenant: fc.nat(3),
        weight: fc.constantFrom(1, 1, 1, 5),
        isPreemptible: fc.integer({ min: 0, max: 3 }).map((one) => one === 0),
        // Which of the first devices are permitted, as bits; none of those that replace them.
        devices: fc.option(fc.integer({ min: 0, max: 7 }), { freq: 4 }),
      }),
    },
    { weight: 16, arbitrary: fc.nat(1_000) },
    { weight: 2, arbitrary: fc.record({ cancel: fc.nat(1_000) }) },
    { weight: 1, arbitrary: fc.record({ replace: fc.nat(1_000) }) },
    // A clock that is set, forward or back.
    { weight: 1, arbitrary: fc.record({ jumpMs: fc.constantFrom(-60_000, -500, 500, 2_000, 600_000) }) },
  ),
  { minLength: 20, maxLength: 200, size: "max" },
);

type Happening =
  | number
  | Step
  | { readonly cancel: number }
  | { readonly replace: number }
  | { readonly jumpMs: number };

function play(
  devices: number,
  sizes: readonly PoolModel[],
  keepsKv: readonly boolean[],
  script: readonly Happening[],
): World {
  const world = new World(devices, sizes, keepsKv);
  for (const [index, step] of script.entries()) {
    if (typeof step === "number") world.step(step);
    else if ("cancel" in step) world.cancel(step.cancel);
    else if ("replace" in step) world.replace(step.replace);
    else if ("jumpMs" in step) world.nowMs += step.jumpMs;
    else {
      const { model, tenant, ttftMs, tpotMs, devices: bits, ...rest } = step;
      const id = `request-${index}`;
      world.arrive({
        id,
        model: `model-${model}`,
        tenant: `tenant-${tenant}`,
        objective: { ttftMs, tpotMs },
        ...rest,
        ...(bits === null
          ? {}
          : { permitted: new Set([0, 1, 2].filter((each) => bits & (1 << each)).map((each) => `device-${each}`)) }),
      });
    }
  }
  return world;
}

interface Step {
  readonly model: number;
  readonly inputTokens: number;
  readonly maxOutputTokens: number;
  readonly ttftMs: number;
  readonly tpotMs: number;
  readonly tenant: number;
  readonly weight: number;
  readonly isPreemptible: boolean;
  readonly devices: number | null;
}

test("whatever comes, the pool asks for nothing that cannot be, and forgets no request", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 3 }), models, engines, steps, (devices, sizes, keepsKv, script) => {
      const world = play(devices, sizes, keepsKv, script);
      for (let more = 0; more < 200_000 && world.waiting.size > 0; more++) world.step(more % 3 === 0 ? 0 : more);
      assert.equal(world.waiting.size, 0, "every request is finished or refused");
    }),
    { numRuns: 150 },
  );
});

test("the same events give the same effects", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 3 }), models, engines, steps, (devices, sizes, keepsKv, script) => {
      assert.deepEqual(play(devices, sizes, keepsKv, script).effects, play(devices, sizes, keepsKv, script).effects);
    }),
    { numRuns: 50 },
  );
});
