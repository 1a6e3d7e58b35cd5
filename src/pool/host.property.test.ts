import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { HostEvent } from "./host-events.ts";
import { Pool } from "./pool.ts";
import { defaultTuning, type Tuning } from "./tuning.ts";
import type { Effect, PoolEvent, PoolModel, PoolRequest } from "./types.ts";

const memoryBytes = 20;
const serving: Tuning = { ...defaultTuning, memoryShare: 1, preloads: true, learns: true, relaxes: true };

interface Answering {
  readonly request: PoolRequest;
  tokens: number;
  hasBegun: boolean;
}

/** A host as the pool sees it: one device whose KV goes with the weights, turns that are told by measured tokens. */
class Host {
  readonly pool: Pool;
  readonly told: Effect[][] = [];
  readonly open = new Map<string, Answering>();
  nowMs = 0;
  #turn: { readonly kind: "prefill" | "decode"; readonly model: string } | undefined;
  #loading: string | undefined;
  #wakeMs = Infinity;
  readonly #resident = new Set<string>();
  readonly #models: Map<string, PoolModel>;
  #reserved = false;

  constructor(models: readonly PoolModel[]) {
    this.#models = new Map(models.map((model) => [model.id, model]));
    const device = { id: "d", type: "cpu", memoryBytes, linkBytesPerMs: 1, keepsKv: false };
    const speed = {
      prefillFixedMs: 1,
      prefillTokenMs: 0.5,
      prefillTokenSquaredMs: 0,
      decodeFixedMs: 10,
      decodeSequenceMs: 1,
      decodeContextTokenMs: 0,
      loadMs: 400,
    };
    this.pool = new Pool({ devices: [device], models, speed: () => speed }, serving);
    this.#tell({ kind: "woken" });
  }

  arrive(request: PoolRequest): void {
    this.open.set(request.id, { request, tokens: 0, hasBegun: false });
    this.#tell({ kind: "arrived", request });
  }

  cancel(choice: number): void {
    const ids = [...this.open.keys()];
    const id = ids[choice % Math.max(1, ids.length)];
    if (id === undefined) return;
    const { request, hasBegun } = this.open.get(id)!;
    this.open.delete(id);
    // As the schedule does: in its model's turn it ends with it.
    if (hasBegun && this.#turn?.model === request.model) this.#endTurn(new Map(), [id]);
    else this.#tell({ kind: "cancelled", request: id });
  }

  lose(choice: number): void {
    const model = [...this.#resident][choice % Math.max(1, this.#resident.size)];
    if (model === undefined) return;
    this.#resident.delete(model);
    if (this.#turn?.model === model) this.#turn = undefined;
    // Begun ones without a token are placed anew; here they wait again.
    for (const each of this.open.values()) if (each.request.model === model) each.hasBegun = false;
    this.#tell({ kind: "modelLost", device: "d", model });
  }

  reserve(): void {
    if (this.#reserved) this.#tell({ kind: "reservationEnded", reservation: "rsv" });
    else this.#tell({ kind: "reserved", reservation: { id: "rsv", tenant: "t0", device: "d" } });
    this.#reserved = !this.#reserved;
  }

  endReservation(): void {
    if (this.#reserved) this.reserve();
  }

  step(choice: number): void {
    this.nowMs += 1 + (choice % 300);
    const ways: (() => void)[] = [];
    if (this.#turn !== undefined) ways.push(() => this.#compute(choice));
    if (this.#loading !== undefined) ways.push(() => this.#load(choice % 7 > 0));
    if (Number.isFinite(this.#wakeMs)) ways.push(() => this.#wake());
    ways[choice % Math.max(1, ways.length)]?.();
  }

  #compute(choice: number): void {
    const { model } = this.#turn!;
    const tokens = new Map<string, number>();
    const finished: string[] = [];
    for (const [id, each] of this.open) {
      if (each.request.model !== model || !each.hasBegun) continue;
      // A long prompt takes several turns: then nothing has come yet.
      const given =
        each.tokens === 0 && choice % 3 === 0
          ? 0
          : Math.min(1 + (choice % 20), each.request.maxOutputTokens - each.tokens);
      if (given > 0) tokens.set(id, given);
      each.tokens += given;
      this.#checkMemory();
      if (each.tokens >= each.request.maxOutputTokens) finished.push(id);
    }
    for (const id of finished) this.open.delete(id);
    this.#endTurn(tokens, finished);
  }

  #endTurn(tokens: ReadonlyMap<string, number>, finished: readonly string[]): void {
    this.#turn = undefined;
    this.#tell({ kind: "turnMeasured", device: "d", tokens, finished: new Set(finished) });
  }

  #load(isThere: boolean): void {
    const model = this.#loading!;
    this.#loading = undefined;
    if (isThere) this.#resident.add(model);
    this.#tell({ kind: isThere ? "loaded" : "loadFailed", device: "d", model });
  }

  #wake(): void {
    this.nowMs = Math.max(this.nowMs, this.#wakeMs);
    this.#wakeMs = Infinity;
    this.#tell({ kind: "woken" });
  }

  readonly #events: (PoolEvent | HostEvent)[] = [];
  #isDeciding = false;

  #tell(event: PoolEvent | HostEvent): void {
    this.#events.push(event);
    if (this.#isDeciding) return;
    this.#isDeciding = true;
    for (let next = this.#events.shift(); next !== undefined; next = this.#events.shift()) {
      const effects = [...this.pool.decide(next, this.nowMs)];
      this.told.push(effects);
      for (const effect of effects) this.#do(effect);
    }
    this.#isDeciding = false;
  }

  #do(effect: Effect): void {
    switch (effect.kind) {
      case "refuse":
        assert.ok(this.open.delete(effect.request), "a request is refused once, and only while it is open");
        return;
      case "fail":
        assert.ok(this.open.delete(effect.request), "what fails was open");
        return;
      case "load":
        assert.equal(this.#loading, undefined, "one load at a time");
        assert.ok(!this.#resident.has(effect.model), "no model is loaded twice");
        this.#loading = effect.model;
        this.#checkMemory();
        return;
      case "evict":
        assert.ok(this.#resident.delete(effect.model), "what leaves was there");
        if (this.#canAllStay) assert.notEqual(this.#models.get(effect.model)!.isPinned, true, "what is pinned stays");
        assert.notEqual(this.#turn?.model, effect.model, "not in its turn");
        for (const { request, hasBegun } of this.open.values())
          assert.ok(!(hasBegun && request.model === effect.model), "a running answer keeps its model");
        return;
      case "prefill":
      case "decode":
        return this.#begin(effect.kind, effect.model, effect.requests);
      case "stop":
        assert.equal(this.#turn?.kind, "decode", "what stops runs");
        return this.#endTurn(new Map(), []);
      case "wake":
        assert.ok(effect.atMs >= this.nowMs, "no wake in the past");
        this.#wakeMs = effect.atMs;
        return;
      default:
        assert.fail(`${effect.kind}: nobody here can do that`);
    }
  }

  #begin(kind: "prefill" | "decode", model: string, requests: readonly string[]): void {
    assert.equal(this.#turn, undefined, "one turn at a time");
    assert.ok(this.#resident.has(model), "a turn needs its weights");
    this.#turn = { kind, model };
    for (const id of requests) {
      const each = this.open.get(id);
      assert.ok(each !== undefined && each.request.model === model, "a turn is its model's open requests'");
      each.hasBegun = true;
    }
    this.#checkMemory();
    const begun = [...this.open.values()].filter(({ request, hasBegun }) => hasBegun && request.model === model);
    assert.ok(begun.length <= this.#models.get(model)!.sequencesMax!, "no more at once than there are places");
  }

  /** More that is pinned than there is room for is pinned in vain. */
  get #canAllStay(): boolean {
    const pinned = [...this.#models.values()].filter(({ isPinned }) => isPinned === true);
    return pinned.reduce((sum, model) => sum + model.weightsBytes, 0) <= memoryBytes;
  }

  #checkMemory(): void {
    const all = [...this.#resident, ...(this.#loading === undefined ? [] : [this.#loading])];
    let bytes = all.reduce((sum, id) => sum + this.#models.get(id)!.weightsBytes, 0);
    for (const { request, tokens, hasBegun } of this.open.values())
      if (hasBegun) bytes += (request.inputTokens + tokens) * this.#models.get(request.model)!.kvBytesPerToken;
    assert.ok(bytes <= memoryBytes, `${bytes} of ${memoryBytes}`);
  }
}

const models = fc
  .array(
    fc.record({
      weightsBytes: fc.integer({ min: 3, max: 22 }),
      // An engine whose programs reserve all KV when they start counts it with the weights.
      kvBytesPerToken: fc.constantFrom(0, 1 / 1024, 1 / 256),
      sequencesMax: fc.integer({ min: 1, max: 4 }),
      isPinned: fc.integer({ min: 0, max: 4 }).map((one) => one === 0),
      keepWarmMs: fc.constantFrom(0, 0, 3_000),
      unloadAfterMs: fc.constantFrom(undefined, 1_000),
    }),
    { minLength: 1, maxLength: 6, size: "max" },
  )
  .map((all) =>
    all.map(({ unloadAfterMs, ...rest }, index): PoolModel => {
      const leaves = unloadAfterMs === undefined || rest.isPinned ? {} : { unloadAfterMs };
      return { id: `m${index}`, contextTokens: 4_096, ...rest, ...leaves };
    }),
  );

const script = fc.array(
  fc.oneof(
    {
      weight: 10,
      arbitrary: fc.record({
        model: fc.nat(5),
        tenant: fc.nat(2),
        inputTokens: fc.integer({ min: 1, max: 3_000 }),
        maxOutputTokens: fc.integer({ min: 1, max: 200 }),
        objective: fc.constantFrom(
          { ttftMs: 500, tpotMs: 20 },
          { ttftMs: 10_000, tpotMs: 100 },
          { ttftMs: 60_000, tpotMs: 500 },
        ),
        isPreemptible: fc.boolean(),
      }),
    },
    { weight: 16, arbitrary: fc.nat(1_000) },
    { weight: 2, arbitrary: fc.record({ cancel: fc.nat(1_000) }) },
    { weight: 1, arbitrary: fc.record({ lose: fc.nat(1_000) }) },
    { weight: 1, arbitrary: fc.constant("reserve" as const) },
  ),
  { minLength: 20, maxLength: 200, size: "max" },
);

type Script = typeof script extends fc.Arbitrary<infer Value> ? Value : never;

function play(given: readonly PoolModel[], happenings: Script): Host {
  const host = new Host(given);
  for (const [index, happening] of happenings.entries()) {
    if (typeof happening === "number") host.step(happening);
    else if (happening === "reserve") host.reserve();
    else if ("cancel" in happening) host.cancel(happening.cancel);
    else if ("lose" in happening) host.lose(happening.lose);
    else {
      const { model, tenant, ...rest } = happening;
      host.arrive({ ...rest, id: `r${index}`, model: `m${model}`, tenant: `t${tenant}` });
    }
  }
  return host;
}

test("on a host, whatever comes: nothing that cannot be is asked for, and every request ends", () => {
  fc.assert(
    fc.property(models, script, (given, happenings) => {
      const host = play(given, happenings);
      host.endReservation();
      for (let more = 1; more < 20_000 && host.open.size > 0; more++) host.step(more);
      assert.deepEqual([...host.open.keys()], [], "every request is finished, refused or failed");
    }),
    { numRuns: 300 },
  );
});

test("on a host the same events give the same effects", () => {
  fc.assert(
    fc.property(models, script, (given, happenings) => {
      assert.deepEqual(play(given, happenings).told, play(given, happenings).told);
    }),
    { numRuns: 50 },
  );
});
