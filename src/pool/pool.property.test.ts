import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Pool } from "./pool.ts";
import type { Effect, Fleet, PoolEvent, PoolModel, PoolRequest } from "./types.ts";

const gigabyte = 1e9;

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
  readonly #turns = new Map<string, { requests: readonly string[]; isPrefill: boolean }>();
  readonly #generated = new Map<string, number>();
  readonly #cancelled = new Set<string>();
  #devices = 0;
  #woken: number[] = [];

  constructor(devices: number, models: readonly PoolModel[]) {
    this.#models = new Map(models.map((model) => [model.id, model]));
    this.fleet = {
      devices: Array.from({ length: devices }, (_, index) => {
        return { id: `device-${index}`, type: "small", memoryBytes: 24 * gigabyte, linkBytesPerMs: 16e6 };
      }),
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
    this.#devices = devices;
    this.pool = new Pool(this.fleet);
    for (const { id } of this.fleet.devices) this.#resident.set(id, new Set());
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
    else this.waiting.delete(id);
    this.#tell({ kind: "cancelled", request: id });
  }

  /** A device is gone with all that was on it; another one comes. */
  replace(choice: number): void {
    const device = [...this.#resident.keys()][choice % this.#resident.size]!;
    for (const id of this.#turns.get(device)?.requests ?? []) if (this.#cancelled.has(id)) this.waiting.delete(id);
    this.#turns.delete(device);
    this.#loading.delete(device);
    this.#resident.delete(device);
    const added = `device-${this.#devices++}`;
    this.#resident.set(added, new Set());
    this.#tell({ kind: "deviceLost", device });
    const spec = { id: added, type: "small", memoryBytes: 24 * gigabyte, linkBytesPerMs: 16e6 };
    this.#tell({ kind: "deviceJoined", device: spec });
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
    const { requests, isPrefill } = this.#turns.get(device)!;
    this.#turns.delete(device);
    const finished: string[] = [];
    const steps = isPrefill ? 1 : most;
    for (const id of requests) {
      const wanted = this.#requests.get(id)!.maxOutputTokens;
      const generated = Math.min(wanted, (this.#generated.get(id) ?? 0) + steps);
      this.#generated.set(id, generated);
      if (generated === wanted) finished.push(id);
    }
    for (const id of finished) {
      this.waiting.delete(id);
      this.finished.add(id);
    }
    for (const id of requests) if (this.#cancelled.delete(id)) this.waiting.delete(id);
    this.#tell({ kind: "turnEnded", device, steps, finished });
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
        assert.ok(this.waiting.delete(effect.request), "a request is refused once, and only while it waits");
        this.refused.add(effect.request);
        return;
      case "fail":
        assert.ok((this.#generated.get(effect.request) ?? 0) > 0, "who had no token is placed anew");
        assert.ok(this.waiting.delete(effect.request));
        return;
      case "load": {
        assert.ok(!this.#loading.has(effect.device), "one copy at a time");
        assert.ok(!this.#resident.get(effect.device)!.has(effect.model), "no model is copied twice");
        this.#loading.set(effect.device, effect.model);
        const bytes = [...this.#resident.get(effect.device)!, effect.model].reduce(
          (sum, id) => sum + this.#models.get(id)!.weightsBytes,
          0,
        );
        assert.ok(bytes <= 24 * gigabyte, "never exceeds memory");
        return;
      }
      case "evict":
        assert.ok(this.#resident.get(effect.device)!.delete(effect.model), "what leaves was there");
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
        this.#turns.set(effect.device, { requests: effect.requests, isPrefill: effect.kind === "prefill" });
        return;
      case "wake":
        assert.ok(effect.atMs >= this.nowMs, "no wake in the past");
        this.#woken.push(effect.atMs);
        return;
      case "drop":
        assert.ok(this.waiting.has(effect.request));
        return;
      case "stop":
        assert.ok(this.#turns.has(effect.device), "what stops runs");
        return;
      case "move":
        assert.fail("nothing is moved yet");
    }
  }
}

const models = fc.array(fc.integer({ min: 2, max: 25 }), { minLength: 2, maxLength: 8, size: "max" }).map((sizes) =>
  sizes.map((size, index): PoolModel => {
    return { id: `model-${index}`, weightsBytes: size * gigabyte, kvBytesPerToken: 1e5, contextTokens: 32_768 };
  }),
);

const steps = fc.array(
  fc.oneof(
    {
      weight: 12,
      arbitrary: fc.record({
        model: fc.nat(7),
        inputTokens: fc.integer({ min: 1, max: 20_000 }),
        maxOutputTokens: fc.integer({ min: 1, max: 400 }),
        ttftMs: fc.constantFrom(50, 1_000, 10_000),
        tpotMs: fc.constantFrom(15, 50, 100),
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

function play(devices: number, sizes: readonly PoolModel[], script: readonly Happening[]): World {
  const world = new World(devices, sizes);
  for (const [index, step] of script.entries()) {
    if (typeof step === "number") world.step(step);
    else if ("cancel" in step) world.cancel(step.cancel);
    else if ("replace" in step) world.replace(step.replace);
    else if ("jumpMs" in step) world.nowMs += step.jumpMs;
    else {
      const { model, ttftMs, tpotMs, devices: bits, ...tokens } = step;
      const id = `request-${index}`;
      world.arrive({
        id,
        model: `model-${model}`,
        tenant: `tenant-${model % 2}`,
        objective: { ttftMs, tpotMs },
        ...tokens,
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
  readonly devices: number | null;
}

test("whatever comes, the pool asks for nothing that cannot be, and forgets no request", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 3 }), models, steps, (devices, sizes, script) => {
      const world = play(devices, sizes, script);
      for (let more = 0; more < 20_000 && world.waiting.size > 0; more++) world.step(more % 3 === 0 ? 0 : more);
      assert.equal(world.waiting.size, 0, "every request is finished or refused");
    }),
    { numRuns: 150 },
  );
});

test("the same events give the same effects", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 3 }), models, steps, (devices, sizes, script) => {
      assert.deepEqual(play(devices, sizes, script).effects, play(devices, sizes, script).effects);
    }),
    { numRuns: 50 },
  );
});
