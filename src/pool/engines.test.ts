import assert from "node:assert/strict";
import { test } from "node:test";
import type { HostEvent } from "./host-events.ts";
import { Pool } from "./pool.ts";
import { defaultTuning, type Tuning } from "./tuning.ts";
import type { Effect, Fleet, PoolDevice, PoolEvent, PoolModel, PoolRequest } from "./types.ts";

const plain: Tuning = { ...defaultTuning, memoryShare: 1 };
const serving: Tuning = { ...plain, preloads: true, learns: true, relaxes: true };
const calm = { ttftMs: 10_000, tpotMs: 100 };

function device(id: string, memoryBytes: number): PoolDevice {
  return { id, type: "cpu", memoryBytes, linkBytesPerMs: 1, keepsKv: false };
}

function model(id: string, more: Partial<PoolModel> = {}): PoolModel {
  return { id, weightsBytes: 10, kvBytesPerToken: 0, contextTokens: 4_096, sequencesMax: 2, ...more };
}

/** Steps of 10 ms, prompts of 1 ms a token, copies of 500 ms. */
const speed = {
  prefillFixedMs: 0,
  prefillTokenMs: 1,
  prefillTokenSquaredMs: 0,
  decodeFixedMs: 10,
  decodeSequenceMs: 0,
  decodeContextTokenMs: 0,
  loadMs: 500,
};

function fleet(devices: readonly PoolDevice[], models: readonly PoolModel[]): Fleet {
  return { devices, models, speed: () => speed };
}

let count = 0;
function request(name: string, more: Partial<PoolRequest> = {}): PoolRequest {
  const id = `r${++count}`;
  return { id, model: name, tenant: name, objective: calm, inputTokens: 100, maxOutputTokens: 50, ...more };
}

/** A pool and its clock: events at times, effects by kind. */
class Played {
  readonly pool: Pool;
  nowMs = 0;
  #wakeMs: number | undefined;

  constructor(given: Fleet, tuning: Tuning = plain) {
    this.pool = new Pool(given, tuning);
  }

  at(nowMs: number, event: PoolEvent | HostEvent): readonly Effect[] {
    this.nowMs = nowMs;
    const effects = this.pool.decide(event, nowMs);
    this.#wakeMs = find(effects, "wake")?.atMs ?? this.#wakeMs;
    return effects;
  }
  arrive(nowMs: number, wanted: PoolRequest): readonly Effect[] {
    return this.at(nowMs, { kind: "arrived", request: wanted });
  }
  loaded(nowMs: number, name: string): readonly Effect[] {
    return this.at(nowMs, { kind: "loaded", device: "d", model: name });
  }
  turn(nowMs: number, tokens: Record<string, number>, finished: readonly string[] = []): readonly Effect[] {
    const told = { tokens: new Map(Object.entries(tokens)), finished: new Set(finished) };
    return this.at(nowMs, { kind: "turnMeasured", device: "d", ...told });
  }
  /** Plays wakes until an effect of this kind comes. */
  until(kind: Effect["kind"], first: readonly Effect[]): readonly Effect[] {
    let effects = first;
    for (let tries = 0; tries < 1_000; tries++) {
      if (effects.some((effect) => effect.kind === kind)) return effects;
      assert.ok(this.#wakeMs !== undefined, `nothing leads to ${kind}`);
      const atMs = this.#wakeMs;
      this.#wakeMs = undefined;
      effects = this.at(atMs, { kind: "woken" });
    }
    return assert.fail(`${kind} does not come`);
  }
}

const kinds = (effects: readonly Effect[]): string[] =>
  effects.map(({ kind }) => kind).filter((kind) => kind !== "wake");
const find = <Kind extends Effect["kind"]>(effects: readonly Effect[], kind: Kind) =>
  effects.find((effect): effect is Extract<Effect, { kind: Kind }> => effect.kind === kind);

test("idle memory is filled in the order of the models, and no further", () => {
  const played = new Played(fleet([device("d", 20)], [model("a"), model("b"), model("c")]), serving);
  assert.equal(find(played.at(0, { kind: "woken" }), "load")?.model, "a");
  assert.equal(find(played.loaded(500, "a"), "load")?.model, "b");
  assert.deepEqual(kinds(played.loaded(1_000, "b")), []);
});

test("what is pinned is loaded first, never leaves, and what has no room beside it is refused at once", () => {
  const models = [model("a"), model("pinned", { isPinned: true }), model("large", { weightsBytes: 15 })];
  const played = new Played(fleet([device("d", 20)], models));
  assert.equal(find(played.at(0, { kind: "woken" }), "load")?.model, "pinned");
  played.loaded(500, "pinned");
  assert.equal(find(played.arrive(600, request("large")), "refuse")?.reason, "model_too_large");
  assert.equal(find(played.arrive(700, request("a")), "load")?.model, "a");
});

test("a model with running answers does not leave: it begins no prompt, ends what runs, and goes then", () => {
  const played = new Played(fleet([device("d", 10)], [model("a"), model("b")]));
  const [first, second] = [request("a"), request("b", { objective: { ttftMs: 3_000, tpotMs: 100 } })];
  played.arrive(0, first);
  played.loaded(500, "a");
  played.turn(600, { [first.id]: 1 });
  played.arrive(620, second);
  const third = request("a");
  const during = [...played.turn(640, { [first.id]: 2 }), ...played.arrive(650, third)];
  assert.equal(find(during, "evict"), undefined);
  assert.equal(find(during, "prefill"), undefined, "no new prompt of the one that is to leave");
  const ended = played.turn(700, { [first.id]: 40 }, [first.id]);
  assert.deepEqual(kinds(ended), ["evict", "load"]);
  const there = played.loaded(1_200, "b");
  assert.deepEqual(find(there, "prefill")?.requests, [second.id], "and the one that came has a turn before it leaves");
});

test("no more sequences run at once than the engine has places", () => {
  const played = new Played(fleet([device("d", 10)], [model("a")]));
  const three = [request("a"), request("a"), request("a")];
  for (const each of three) played.arrive(0, each);
  const begun = find(played.loaded(500, "a"), "prefill")?.requests ?? [];
  assert.equal(begun.length, 2);
  const [one = "", two = ""] = begun;
  assert.equal(find(played.turn(700, { [one]: 1, [two]: 1 }), "prefill"), undefined);
  const next = played.turn(800, { [one]: 3, [two]: 3 }, [one]);
  assert.deepEqual(find(next, "prefill")?.requests, [three.find(({ id }) => !begun.includes(id))!.id]);
});

test("a model that was used a moment ago makes room for nobody while it is kept warm", () => {
  const played = new Played(fleet([device("d", 10)], [model("a", { keepWarmMs: 5_000 }), model("b")]));
  const first = request("a");
  played.arrive(0, first);
  played.loaded(500, "a");
  played.turn(600, { [first.id]: 1 }, [first.id]);
  const effects = played.until(
    "evict",
    played.arrive(700, request("b", { objective: { ttftMs: 8_000, tpotMs: 100 } })),
  );
  assert.deepEqual(kinds(effects), ["evict", "load"]);
  assert.ok(played.nowMs >= 5_600, `it left at ${played.nowMs}`);
});

test("a model that nobody uses leaves when its time is over, and is not loaded ahead again", () => {
  const played = new Played(fleet([device("d", 20)], [model("a", { unloadAfterMs: 1_000 })]), serving);
  assert.deepEqual(kinds(played.at(0, { kind: "woken" })), []);
  const first = request("a");
  played.arrive(0, first);
  played.loaded(500, "a");
  const effects = played.until("evict", played.turn(700, { [first.id]: 1 }, [first.id]));
  assert.deepEqual([kinds(effects), played.nowMs], [["evict"], 1_700]);
});

test("measured turns correct the speeds: where steps take three times as long, fewer requests are taken", () => {
  const objective = { ttftMs: 5_000, tpotMs: 25 };
  const played = new Played(fleet([device("d", 30)], [model("a"), model("b"), model("c")]), {
    ...serving,
    relaxes: false,
  });
  played.at(0, { kind: "woken" });
  for (const [index, name] of ["a", "b", "c"].entries()) played.loaded(500 * (index + 1), name);
  const first = request("a", { objective, maxOutputTokens: 4_000 });
  played.arrive(2_000, first);
  let nowMs = 2_100;
  played.turn(nowMs, { [first.id]: 1 });
  for (let turns = 0; turns < 60; turns++) played.turn((nowMs += 300), { [first.id]: 10 });
  const second = played.arrive(nowMs, request("b", { objective }));
  assert.equal(find(second, "stop"), undefined, "two models would need 60 ms of every 25");
  const fresh = new Played(fleet([device("d", 30)], [model("a"), model("b")]), { ...serving, relaxes: false });
  fresh.at(0, { kind: "woken" });
  for (const [index, name] of ["a", "b"].entries()) fresh.loaded(500 * (index + 1), name);
  fresh.arrive(2_000, request("a", { objective }));
  fresh.turn(2_100, {});
  assert.deepEqual(kinds(fresh.arrive(2_150, request("b", { objective }))), ["stop"], "as predicted both fit");
});

test("a prompt that takes several turns is running meanwhile, and has its first token when it has been told", () => {
  const played = new Played(fleet([device("d", 10)], [model("a")]));
  const long = request("a", { inputTokens: 1_000 });
  played.arrive(0, long);
  assert.deepEqual(kinds(played.loaded(500, "a")), ["prefill"]);
  assert.deepEqual(kinds(played.turn(750, {})), ["decode"]);
  assert.deepEqual(kinds(played.turn(1_000, {})), ["decode"]);
  assert.deepEqual(kinds(played.turn(1_500, { [long.id]: 1 }, [long.id])), []);
  assert.deepEqual(kinds(played.arrive(1_600, request("a"))), ["prefill"]);
});

test("what no device could do when idle is not promised: a request is taken all the same", () => {
  const tight = { ttftMs: 50, tpotMs: 1 };
  const strict = new Played(fleet([device("d", 10)], [model("a")]));
  assert.ok(find(strict.until("refuse", strict.arrive(0, request("a", { objective: tight }))), "refuse"));
  const relaxed = new Played(fleet([device("d", 10)], [model("a")]), { ...serving, preloads: false });
  assert.deepEqual(kinds(relaxed.arrive(0, request("a", { objective: tight }))), ["load"]);
});

test("a refusal says when one like it could be taken", () => {
  const played = new Played(fleet([device("d", 10)], [model("a")]));
  played.arrive(0, request("a", { inputTokens: 4_000, objective: { ttftMs: 60_000, tpotMs: 100 } }));
  played.loaded(500, "a");
  const first = [0, 1, 2, 3, 4].map(() =>
    played.arrive(600, request("a", { inputTokens: 4_000, objective: { ttftMs: 12_000, tpotMs: 100 } })),
  );
  const refused = find(played.until("refuse", first.at(-1)!), "refuse")!;
  assert.equal(refused.reason, "overloaded");
  assert.ok(refused.retryAfterMs! >= 1_000 && refused.retryAfterMs! < 60_000, String(refused.retryAfterMs));
});

const reserved = (tenant: string): PoolEvent => ({ kind: "reserved", reservation: { id: "rsv", tenant, device: "d" } });

test("a reserved device takes its tenant's requests and what gives way; others are told that it is reserved", () => {
  const played = new Played(fleet([device("d", 20)], [model("a"), model("b")]));
  played.at(0, reserved("holder"));
  assert.equal(find(played.arrive(1, request("a")), "refuse")?.reason, "reserved");
  assert.equal(find(played.arrive(2, request("a", { tenant: "holder" })), "load")?.model, "a");
  played.loaded(500, "a");
  const batch = request("b", { tenant: "other", isPreemptible: true });
  assert.equal(find(played.arrive(600, batch), "load")?.model, "b");
  played.at(700, { kind: "reservationEnded", reservation: "rsv" });
  assert.equal(find(played.arrive(800, request("a")), "refuse"), undefined);
});

test("where the holder needs the room of what gives way, that ends at once, and what computes gives way with its step", () => {
  const played = new Played(fleet([device("d", 10)], [model("a"), model("b")]));
  played.at(0, reserved("holder"));
  const batch = request("b", { tenant: "other", isPreemptible: true, maxOutputTokens: 4_000 });
  played.arrive(1, batch);
  played.loaded(500, "b");
  played.turn(600, { [batch.id]: 1 });
  assert.deepEqual(kinds(played.arrive(700, request("a", { tenant: "holder" }))), ["stop"]);
  assert.deepEqual(kinds(played.turn(710, { [batch.id]: 5 })), ["fail", "evict", "load"]);
});

test("a share that is reserved is kept from others, and open to its tenant and to what gives way", () => {
  // Each model alone needs 0.4 of the device's time.
  const objective = { ttftMs: 10_000, tpotMs: 25 };
  const names = ["a", "b", "c", "d"];
  const played = new Played(
    fleet(
      [device("d", 40)],
      names.map((name) => model(name)),
    ),
    { ...plain, preloads: true },
  );
  played.at(0, { kind: "woken" });
  names.forEach((name, index) => played.loaded(500 * (index + 1), name));
  played.at(2_000, { kind: "reserved", reservation: { id: "rsv", tenant: "holder", share: 0.5 } });
  played.arrive(2_100, request("a", { objective }));
  assert.deepEqual(kinds(played.turn(2_200, {})), ["decode"]);
  assert.deepEqual(
    kinds(played.arrive(2_300, request("b", { objective }))),
    [],
    "0.8 is more than half of what it takes",
  );
  assert.deepEqual(kinds(played.arrive(2_400, request("c", { objective, tenant: "holder" }))), ["stop"]);
});

/** Four models that are there; each alone needs 0.4 of the device's time, which takes 1.2. */
function withShare(): {
  readonly played: Played;
  readonly asks: (name: string, more?: Partial<PoolRequest>) => boolean;
} {
  const names = ["a", "b", "c", "d"];
  const models = names.map((name) => model(name));
  const played = new Played(fleet([device("d", 40)], models), { ...plain, preloads: true });
  played.at(0, { kind: "woken" });
  names.forEach((name, index) => played.loaded(500 * (index + 1), name));
  played.at(2_000, { kind: "reserved", reservation: { id: "rsv", tenant: "holder", share: 0.5 } });
  let atMs = 2_100;
  const asks = (name: string, more: Partial<PoolRequest> = {}): boolean => {
    const before = played.pool.survey().pending;
    played.arrive(atMs++, request(name, { objective: { ttftMs: 10_000, tpotMs: 25 }, inputTokens: 1, ...more }));
    return played.pool.survey().pending === before;
  };
  return { played, asks };
}

test("what the holder of a share does is not charged to others, as long as there is time for both", () => {
  const { asks } = withShare();
  assert.ok(asks("c", { tenant: "holder" }));
  assert.ok(asks("a"), "0.4 of the 0.6 that others have");
  assert.ok(!asks("b"), "0.8 of them");
  assert.ok(asks("d", { tenant: "holder" }));
});

test("nobody has to make room for what gives way, the holder of a share as little as others", () => {
  for (const tenant of ["holder", "other"]) {
    const { asks } = withShare();
    for (const name of ["a", "b", "c"]) assert.equal(asks(name, { isPreemptible: true }), name !== "c", name);
    assert.ok(asks("d", { tenant }));
  }
});

test("the holder's request ends what gives way of the same model, where that has all places, and who has got least of it first", () => {
  const played = new Played(fleet([device("d", 10)], [model("a")]));
  played.at(0, reserved("holder"));
  const [long, short, waiting] = [4_000, 4_000, 10].map((maxOutputTokens) =>
    request("a", { tenant: "other", isPreemptible: true, maxOutputTokens }),
  );
  played.arrive(1, long!);
  played.loaded(500, "a");
  played.turn(600, { [long!.id]: 20 });
  played.arrive(610, short!);
  played.turn(700, { [long!.id]: 5 });
  played.turn(800, { [short!.id]: 1 });
  played.turn(900, { [long!.id]: 5, [short!.id]: 5 });
  assert.deepEqual(kinds(played.arrive(910, waiting!)), ["stop"]);
  const own = request("a", { tenant: "holder" });
  played.arrive(920, own);
  const effects = played.turn(930, { [long!.id]: 1, [short!.id]: 1 });
  assert.deepEqual(find(effects, "fail"), { kind: "fail", request: short!.id, reason: "preempted" });
  assert.deepEqual(find(effects, "prefill")?.requests, [own.id], "before what waits and gives way");
});

test("a prompt that gives way waits behind all others of its model, and leaves them a place", () => {
  const played = new Played(fleet([device("d", 10)], [model("a", { sequencesMax: 3 })]));
  const batch = (): PoolRequest =>
    request("a", { isPreemptible: true, objective: { ttftMs: 300_000, tpotMs: 2_000 }, maxOutputTokens: 4_000 });
  const firm = request("a");
  played.arrive(1, firm);
  played.loaded(500, "a");
  played.turn(600, { [firm.id]: 1 }, [firm.id]);
  const many = [batch(), batch(), batch()];
  const running: Record<string, number> = {};
  const note = (effects: readonly Effect[]): void => {
    for (const id of find(effects, "prefill")?.requests ?? []) running[id] = 1;
  };
  for (const each of many) note(played.arrive(700, each));
  for (let nowMs = 1_000; nowMs < 3_000; nowMs += 100) note(played.turn(nowMs, running));
  assert.deepEqual(Object.keys(running), [many[0]!.id, many[1]!.id], "one of three places is left");
  const next = request("a");
  played.arrive(3_010, next);
  const prefill = find(played.turn(3_100, running), "prefill");
  assert.deepEqual(prefill?.requests, [next.id]);
});

test("an engine that gives no first token keeps no other model's requests from being taken", () => {
  const played = new Played(fleet([device("d", 20)], [model("a"), model("b"), model("mute")]), serving);
  played.at(0, { kind: "woken" });
  played.loaded(500, "a");
  played.loaded(1_000, "b");
  const mute = [request("mute"), request("mute")];
  for (const each of mute) played.arrive(1_100, each);
  let taken = 0;
  for (let nowMs = 1_200; nowMs < 60_000; nowMs += 100) {
    const { loading, turn } = played.pool.survey().devices[0]!;
    if (loading !== undefined) played.loaded(nowMs, loading.model);
    if (turn !== undefined) played.turn(nowMs, {});
    if (nowMs % 5_000 !== 0) continue;
    const before = played.pool.survey().pending;
    const asked = request("b", { maxOutputTokens: 1 });
    played.arrive(nowMs + 1, asked);
    if (played.pool.survey().pending === before) taken++;
    played.at(nowMs + 2, { kind: "cancelled", request: asked.id });
  }
  assert.ok(taken >= 9, `${taken} of 11`);
});

test("a request of a model that could not be loaded anywhere is told so, not that others come first", () => {
  const played = new Played(fleet([device("d", 10)], [model("a")]));
  played.arrive(0, request("a"));
  played.at(100, { kind: "loadFailed", device: "d", model: "a" });
  const refused = find(played.until("refuse", played.at(9_900, { kind: "woken" })), "refuse");
  assert.equal(refused?.reason, "load_failed");
});

test("a model that cannot be loaded takes the place of none that is used between its tries", () => {
  const models = [model("a"), model("b"), model("broken")];
  const played = new Played(fleet([device("d", 20)], models), { ...plain, preloads: true });
  played.at(0, { kind: "woken" });
  played.loaded(500, "a");
  played.loaded(1_000, "b");
  const evicted: string[] = [];
  const used: string[] = [];
  const use = (name: string): PoolRequest => {
    const short = request(name, { inputTokens: 1, maxOutputTokens: 1 });
    used.push(short.id);
    return short;
  };
  const note = (effects: readonly Effect[]): void => {
    for (const effect of effects) if (effect.kind === "evict") evicted.push(effect.model);
  };
  note(played.arrive(1_100, request("broken")));
  assert.equal(evicted.length, 1);
  for (let nowMs = 1_200; nowMs < 60_000; nowMs += 100) {
    const { loading, turn } = played.pool.survey().devices[0]!;
    if (loading?.model === "broken") note(played.at(nowMs, { kind: "loadFailed", device: "d", model: "broken" }));
    else if (loading !== undefined) note(played.loaded(nowMs, loading.model));
    if (turn !== undefined) note(played.turn(nowMs, Object.fromEntries(used.map((id) => [id, 1])), used));
    if (nowMs % 1_000 === 200) note(played.arrive(nowMs, request("broken")));
    if (nowMs % 400 === 0) for (const name of ["a", "b"]) note(played.arrive(nowMs, use(name)));
  }
  assert.equal(evicted.length, 1, evicted.join());
});

test("a prompt that is being computed is before those that come after it", () => {
  const played = new Played(fleet([device("d", 20)], [model("a"), model("b")]), { ...plain, preloads: true });
  played.at(0, { kind: "woken" });
  played.loaded(500, "a");
  played.loaded(1_000, "b");
  const long = request("a", { inputTokens: 3_000 });
  const next = request("b");
  assert.equal(played.pool.firstTokenMs(next), 100);
  played.arrive(1_100, long);
  assert.equal(played.pool.firstTokenMs(next), 3_100, "in its turn");
  played.turn(1_350, {});
  const leftMs = played.pool.firstTokenMs(next)!;
  assert.ok(leftMs > 2_700 && leftMs < 3_100, `between its turns ${leftMs}`);
});

test("a model that is gone by itself: what has tokens ends, what has none begins anew where it can, others go on", () => {
  const played = new Played(fleet([device("d", 20)], [model("a"), model("b")]), { ...plain, preloads: true });
  played.at(0, { kind: "woken" });
  played.loaded(500, "a");
  played.loaded(1_000, "b");
  const [first, other] = [request("a"), request("b")];
  played.arrive(1_100, first);
  played.turn(1_200, { [first.id]: 1 });
  const waiting = request("a");
  played.arrive(1_300, waiting);
  played.arrive(1_310, other);
  const effects = played.at(1_400, { kind: "modelLost", device: "d", model: "a" });
  assert.equal(find(effects, "fail")?.request, first.id);
  assert.deepEqual(find(effects, "prefill")?.requests, [other.id]);
  assert.equal(find(played.until("load", effects), "load")?.model, "a");
  const back = played.loaded(3_500, "a");
  const next = kinds(back).includes("prefill") ? back : played.turn(3_600, { [other.id]: 5 }, [other.id]);
  assert.deepEqual(find(next, "prefill")?.requests, [waiting.id]);
});

test("on a reserved device what gives way is not loaded while the holder has work, whoever is due first", () => {
  const played = new Played(fleet([device("d", 10)], [model("x"), model("y")]));
  played.at(0, reserved("holder"));
  const patient = { ttftMs: 300_000, tpotMs: 1_000 };
  played.arrive(1, request("x", { tenant: "other", isPreemptible: true, objective: patient }));
  const own = request("y", { tenant: "holder", objective: patient });
  played.arrive(2, own);
  assert.deepEqual(kinds(played.loaded(500, "x")), ["evict", "load"]);
  const there = played.loaded(1_000, "y");
  assert.deepEqual(find(there, "prefill")?.requests, [own.id]);
  assert.equal(find(played.turn(1_200, { [own.id]: 50 }, [own.id]), "load")?.model, "x", "then the other's turn comes");
});

test("a request that finds its model kept out by a warm one is refused when it would be too late, with few wakes", () => {
  const played = new Played(fleet([device("d", 10)], [model("a", { keepWarmMs: 3_600_000 }), model("b")]));
  const first = request("a");
  played.arrive(0, first);
  played.loaded(500, "a");
  played.turn(600, { [first.id]: 1 });
  const other = played.arrive(700, request("b"));
  assert.equal(find(other, "load"), undefined);
  const effects = played.until("refuse", [...other, ...played.turn(900, { [first.id]: 49 }, [first.id])]);
  assert.equal(find(effects, "refuse")?.reason, "overloaded");
  assert.ok(played.nowMs < 11_000, String(played.nowMs));
});

test("what an answer may need is set aside when it begins, where the engine could not give it up again", () => {
  const models = [model("a", { kvBytesPerToken: 1 / 100 }), model("b")];
  const played = new Played(fleet([device("d", 14)], models));
  const [first, second] = [request("a", { maxOutputTokens: 150 }), request("a", { maxOutputTokens: 150 })];
  played.arrive(0, first);
  played.arrive(0, second);
  assert.deepEqual(find(played.loaded(500, "a"), "prefill")?.requests, [first.id], "two would need 15 in the end");
  const during = [...played.turn(700, { [first.id]: 1 }), ...played.turn(900, { [first.id]: 148 })];
  assert.deepEqual(kinds(during), ["decode", "decode"]);
  const ended = played.turn(1_000, { [first.id]: 1 }, [first.id]);
  assert.deepEqual(find(ended, "prefill")?.requests, [second.id]);
});

test("a model that is kept warm makes room for an answer that has begun, when nothing else does", () => {
  const calmest = { ttftMs: 60_000, tpotMs: 1_000 };
  const models = [model("a", { kvBytesPerToken: 1 / 100 }), model("b", { keepWarmMs: 3_600_000 })];
  const keeping = { ...device("d", 24), keepsKv: true };
  const played = new Played(fleet([keeping], models));
  const [growing, warm] = [request("a", { objective: calmest, maxOutputTokens: 1_000 }), request("b")];
  played.arrive(0, growing);
  played.arrive(0, warm);
  played.loaded(500, "a");
  played.at(700, { kind: "turnEnded", device: "d", steps: 1, finished: [] });
  played.loaded(1_000, "b");
  let effects = played.at(1_100, { kind: "turnEnded", device: "d", steps: 5, finished: [] });
  let evictedAt = 0;
  for (let generated = 6; generated < 1_000 && evictedAt === 0;) {
    const turn = effects.find((each) => each.kind === "decode" || each.kind === "prefill");
    assert.ok(turn !== undefined, "it is never without a turn");
    if (turn.requests.includes(growing.id)) generated += 20;
    const usedBytes = 10 + (100 + generated) / 100 + 10;
    assert.ok(usedBytes <= 24, `${usedBytes} of 24`);
    const finished = turn.requests.includes(warm.id) ? [warm.id] : [];
    effects = played.at(played.nowMs + 200, { kind: "turnEnded", device: "d", steps: 20, finished });
    if (find(effects, "evict")?.model === "b") evictedAt = generated;
  }
  assert.ok(evictedAt > 250, `it stays as long as there is room: ${evictedAt}`);
});

test("an engine that gives no token any more keeps no other model from its turns, and its requests end", () => {
  const played = new Played(fleet([device("d", 20)], [model("m"), model("n")]), serving);
  const [frozen, well] = [request("m"), request("n")];
  played.arrive(0, frozen);
  played.loaded(500, "m");
  played.turn(650, { [frozen.id]: 1 });
  played.arrive(700, well);
  played.loaded(1_200, "n");
  let nowMs = 1_200;
  let given = 0;
  let doneMs = Infinity;
  let ended: string | undefined;
  for (let turns = 0; turns < 5_000 && ended === undefined; turns++) {
    nowMs += 250;
    const { turn } = played.pool.survey().devices[0]!;
    const isWell = turn?.model === "n";
    if (isWell) given++;
    const effects = played.turn(nowMs, isWell ? { [well.id]: 5 } : {}, isWell && given === 10 ? [well.id] : []);
    ended = find(effects, "fail")?.request;
    if (isWell && given === 10) doneMs = nowMs;
  }
  assert.ok(doneMs < 30_000, `the other answer took until ${doneMs}`);
  assert.equal(ended, frozen.id);
});
