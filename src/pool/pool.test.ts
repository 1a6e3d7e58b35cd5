import assert from "node:assert/strict";
import { test } from "node:test";
import { Pool } from "./pool.ts";
import { defaultTuning } from "./tuning.ts";
import type { Effect, Fleet, PoolDevice, PoolEvent, PoolModel, PoolRequest } from "./types.ts";

const gigabyte = 1e9;
const calm = { ttftMs: 10_000, tpotMs: 100 };

function device(id: string, memory = 40): PoolDevice {
  return { id, type: "test", memoryBytes: memory * gigabyte, linkBytesPerMs: 16e6 };
}

function model(id: string, size = 14): PoolModel {
  return { id, weightsBytes: size * gigabyte, kvBytesPerToken: 57_344, contextTokens: 32_768 };
}

function fleet(devices: readonly PoolDevice[], models: readonly PoolModel[]): Fleet {
  return {
    devices,
    models,
    speed: ({ weightsBytes }) => ({
      prefillFixedMs: 6,
      prefillTokenMs: 0.02,
      prefillTokenSquaredMs: 0,
      decodeFixedMs: 9,
      decodeSequenceMs: 0.07,
      decodeContextTokenMs: 0,
      loadMs: weightsBytes / 16e6,
    }),
  };
}

let count = 0;
function request(name: string, more: Partial<PoolRequest> = {}): PoolRequest {
  const id = `r${++count}`;
  return { id, model: name, tenant: name, objective: calm, inputTokens: 500, maxOutputTokens: 400, ...more };
}

const arrived = (wanted: PoolRequest): PoolEvent => ({ kind: "arrived", request: wanted });
const kinds = (effects: readonly Effect[]): string[] => effects.map(({ kind }) => kind);
const find = <Kind extends Effect["kind"]>(effects: readonly Effect[], kind: Kind) =>
  effects.find((effect): effect is Extract<Effect, { kind: Kind }> => effect.kind === kind);

/** A pool with one model resident and one of its requests decoding on `a`. */
function running(): { pool: Pool; first: PoolRequest } {
  const pool = new Pool(fleet([device("a"), device("b")], [model("m"), model("n")]));
  const first = request("m");
  assert.deepEqual(kinds(pool.decide(arrived(first), 0)), ["load"]);
  assert.deepEqual(kinds(pool.decide({ kind: "loaded", device: "a", model: "m" }, 875)), ["prefill"]);
  const decoding = pool.decide({ kind: "turnEnded", device: "a", steps: 1, finished: [] }, 891);
  assert.deepEqual(kinds(decoding), ["decode"]);
  return { pool, first };
}

test("a request joins the device where its model runs, another model takes the other device", () => {
  const { pool } = running();
  assert.deepEqual(pool.decide(arrived(request("m")), 900), [{ kind: "stop", device: "a" }]);
  assert.equal(find(pool.decide(arrived(request("n")), 901), "load")?.device, "b");
});

test("a prompt comes before the steps of who is in no hurry, and its sequence joins the next", () => {
  const { pool, first } = running();
  const second = request("m");
  pool.decide(arrived(second), 900);
  const prompt = pool.decide({ kind: "turnEnded", device: "a", steps: 1, finished: [] }, 901);
  assert.deepEqual(find(prompt, "prefill")?.requests, [second.id]);
  const joined = pool.decide({ kind: "turnEnded", device: "a", steps: 1, finished: [] }, 917);
  assert.deepEqual(find(joined, "decode")?.requests, [first.id, second.id]);
});

/** One sequence or two of `m` on `a`, whose next token is due at 1,100 or 1,200, and a prompt of 406 ms that is due so late. */
function longPromptBeside(
  sequences: 1 | 2,
  dueMs: number,
): { pool: Pool; prompt: PoolRequest; effects: readonly Effect[] } {
  const pool = new Pool(fleet([device("a")], [model("m")]));
  const hasty = { ttftMs: 1_000, tpotMs: 100 };
  for (let at = 0; at < sequences; at++) pool.decide(arrived(request("m", { objective: hasty })), 0);
  pool.decide({ kind: "loaded", device: "a", model: "m" }, 875);
  pool.decide({ kind: "turnEnded", device: "a", steps: 1, finished: [] }, 910);
  const prompt = request("m", { inputTokens: 20_000, objective: { ttftMs: dueMs - 911, tpotMs: 100 } });
  pool.decide(arrived(prompt), 911);
  return { pool, prompt, effects: pool.decide({ kind: "turnEnded", device: "a", steps: 1, finished: [] }, 920) };
}

test("a prompt that others cannot wait for comes when they are far enough ahead", () => {
  const { pool, prompt, effects } = longPromptBeside(1, 1_480);
  assert.equal(find(effects, "prefill"), undefined);
  const { untilMs } = find(effects, "decode")!;
  assert.ok(untilMs <= 1_480 - 406, "so that it is in time itself");
  const next = pool.decide({ kind: "turnEnded", device: "a", steps: 5, finished: [] }, untilMs);
  assert.deepEqual(find(next, "prefill")?.requests, [prompt.id]);
});

test("where somebody will be late it is one prompt, not several that have tokens", () => {
  const dueMs = 920 + 406 + 15;
  const { effects, prompt } = longPromptBeside(1, dueMs);
  assert.deepEqual(find(effects, "prefill")?.requests, [prompt.id], "one and one are the same");
  assert.equal(find(longPromptBeside(2, dueMs).effects, "prefill"), undefined);
});

test("a model that fits no device is refused, and so is an unknown one", () => {
  const pool = new Pool(fleet([device("a")], [model("m"), model("huge", 60)]));
  assert.equal(find(pool.decide(arrived(request("huge")), 0), "refuse")?.reason, "model_too_large");
  assert.equal(find(pool.decide(arrived(request("m", { inputTokens: 1e6 })), 0), "refuse")?.reason, "model_too_large");
  assert.equal(find(pool.decide(arrived(request("none")), 0), "refuse")?.reason, "unknown_model");
});

test("a request runs only where it is permitted, also where another device has its model", () => {
  const { pool } = running();
  const there = request("m", { permitted: new Set(["b"]) });
  assert.equal(find(pool.decide(arrived(there), 900), "load")?.device, "b");
  const nowhere = request("m", { permitted: new Set(["c"]) });
  assert.equal(find(pool.decide(arrived(nowhere), 901), "refuse")?.reason, "not_permitted");
  const effects = pool.decide({ kind: "deviceLost", device: "b" }, 902);
  assert.equal(find(effects, "load"), undefined, "what was permitted there goes nowhere else");
  assert.deepEqual(find(effects, "refuse"), { kind: "refuse", request: there.id, reason: "not_permitted" });
});

test("a load that fails sends its requests elsewhere, and is tried again there after a pause", () => {
  const pool = new Pool(fleet([device("a"), device("b")], [model("m")]));
  pool.decide(arrived(request("m")), 0);
  const elsewhere = pool.decide({ kind: "loadFailed", device: "a", model: "m" }, 500);
  assert.equal(find(elsewhere, "load")?.device, "b");
});

test("where a model can be loaded nowhere its requests are refused after some tries, and others go on", () => {
  const pool = new Pool(fleet([device("a")], [model("m"), model("n")]));
  const patient = { ttftMs: 300_000, tpotMs: 100 };
  pool.decide(arrived(request("m", { objective: patient })), 0);
  let nowMs = 0;
  let failures = 0;
  for (let effects: readonly Effect[] = []; find(effects, "refuse") === undefined; failures++) {
    assert.ok(failures < 10, "it is not tried for ever");
    effects = pool.decide({ kind: "loadFailed", device: "a", model: "m" }, (nowMs += 100));
    const wake = find(effects, "wake");
    if (wake !== undefined) effects = [...effects, ...pool.decide({ kind: "woken" }, (nowMs = wake.atMs))];
  }
  assert.equal(failures, 5);
  assert.equal(find(pool.decide(arrived(request("n")), nowMs + 1), "load")?.model, "n");
});

test("a copy back that fails for good ends who had tokens, instead of keeping it for ever", () => {
  const pool = new Pool(fleet([device("a", 20)], [model("m"), model("n")]));
  const first = request("m", { maxOutputTokens: 4_000 });
  pool.decide(arrived(first), 0);
  pool.decide({ kind: "loaded", device: "a", model: "m" }, 875);
  pool.decide({ kind: "turnEnded", device: "a", steps: 1, finished: [] }, 891);
  const other = request("n");
  pool.decide(arrived(other), 900);
  // Turns go on, and are far ahead, until the other model has to come: m's weights leave, its KV stays.
  let nowMs = 900;
  let effects: readonly Effect[] = [];
  for (let turns = 0; find(effects, "load") === undefined; turns++) {
    assert.ok(turns < 200, "the other model comes");
    effects = pool.decide({ kind: "turnEnded", device: "a", steps: 20, finished: [] }, (nowMs += 200));
  }
  pool.decide({ kind: "loaded", device: "a", model: "n" }, (nowMs += 875));
  effects = pool.decide({ kind: "turnEnded", device: "a", steps: 1, finished: [other.id] }, (nowMs += 20));
  for (let failures = 0; find(effects, "fail") === undefined; failures++) {
    assert.ok(failures < 10, "it is not tried for ever");
    if (find(effects, "load") === undefined) effects = pool.decide({ kind: "woken" }, (nowMs += 120_000));
    effects = pool.decide({ kind: "loadFailed", device: "a", model: "m" }, (nowMs += 100));
  }
  assert.equal(find(effects, "fail")?.request, first.id);
});

test("a device that is lost: who had tokens fails, who had none is placed anew", () => {
  const { pool, first } = running();
  const second = request("m");
  pool.decide(arrived(second), 900);
  const effects = pool.decide({ kind: "deviceLost", device: "a" }, 901);
  assert.equal(find(effects, "fail")?.request, first.id);
  assert.deepEqual(find(effects, "load"), { kind: "load", device: "b", model: "m" });
  const again = pool.decide({ kind: "loaded", device: "b", model: "m" }, 1_800);
  assert.deepEqual(find(again, "prefill")?.requests, [second.id]);
});

test("what a lost device still reports changes nothing", () => {
  const { pool } = running();
  pool.decide({ kind: "deviceLost", device: "a" }, 900);
  assert.deepEqual(pool.decide({ kind: "turnEnded", device: "a", steps: 3, finished: [] }, 901), []);
  assert.deepEqual(pool.decide({ kind: "loaded", device: "a", model: "m" }, 902), []);
});

test("who leaves while waiting is forgotten at once, in a turn when it ends", () => {
  const { pool, first } = running();
  assert.deepEqual(pool.decide({ kind: "cancelled", request: first.id }, 900), []);
  const after = pool.decide({ kind: "turnEnded", device: "a", steps: 4, finished: [] }, 930);
  assert.deepEqual(after, [], "nothing is left to do");
  assert.deepEqual(pool.decide({ kind: "cancelled", request: "nobody" }, 931), []);
});

test("a clock that jumps ahead makes what runs late, not lost; one that goes back goes on from there", () => {
  const { pool, first } = running();
  const late = pool.decide({ kind: "turnEnded", device: "a", steps: 1, finished: [] }, 10_000_000);
  assert.deepEqual(find(late, "decode")?.requests, [first.id]);
  const back = pool.decide({ kind: "turnEnded", device: "a", steps: 1, finished: [] }, 5_000);
  const { untilMs } = find(back, "decode")!;
  assert.ok(untilMs > 5_000 && untilMs <= 5_250, "for as long as a turn lasts, by the clock of whoever asks");
});

test("beyond what devices can carry requests wait while that helps, and are refused then", () => {
  const names = Array.from({ length: 40 }, (_, index) => `m${index}`);
  const pool = new Pool(
    fleet(
      [device("a")],
      names.map((name) => model(name)),
    ),
  );
  const effects = names.flatMap((name) => pool.decide(arrived(request(name)), 0));
  assert.equal(find(effects, "refuse"), undefined, "nobody is refused as long as there is time");
  const refused = pool.decide({ kind: "woken" }, find(effects, "wake")!.atMs).filter(({ kind }) => kind === "refuse");
  assert.ok(refused.length > 20);
});

test("a model that comes too late for a request is there for the next, where memory idles", () => {
  const pool = new Pool(fleet([device("a")], [model("m")]));
  const hasty = { ttftMs: 500, tpotMs: 100 };
  const effects = pool.decide(arrived(request("m", { objective: hasty })), 0);
  assert.deepEqual(kinds(effects), ["refuse", "load"]);
  pool.decide({ kind: "loaded", device: "a", model: "m" }, 875);
  assert.deepEqual(kinds(pool.decide(arrived(request("m", { objective: hasty })), 1_000)), ["prefill"]);
});

test("10,000 requests that wait are bounded work: one more is refused at once", () => {
  const names = Array.from({ length: 30 }, (_, index) => `m${index}`);
  const pool = new Pool(
    fleet(
      [device("a")],
      names.map((name) => model(name)),
    ),
  );
  let refused = 0;
  for (let index = 0; index < 10_200; index++) {
    const wanted = request(names[5 + (index % 25)]!, { objective: { ttftMs: 60_000, tpotMs: 10 } });
    if (find(pool.decide(arrived(wanted), 0), "refuse")?.reason === "overloaded") refused++;
  }
  assert.ok(refused > 0 && refused <= 200, `${refused} refused`);
});

test("a tenant with few requests does not wait behind another's many", () => {
  const names = ["x0", "x1", "x2", "x3", "x4", "x5", "y"];
  const tuning = { ...defaultTuning, demandMax: 0.15, copiesMax: 0 };
  const pool = new Pool(
    fleet(
      [device("a")],
      names.map((name) => model(name)),
    ),
    tuning,
  );
  // One of x's runs; five more of x's wait, and then one of y's.
  const first = request("x0", { tenant: "x" });
  pool.decide(arrived(first), 0);
  for (const name of names.slice(1, 6)) pool.decide(arrived(request(name, { tenant: "x" })), 1);
  pool.decide(arrived(request("y", { tenant: "y" })), 2);
  pool.decide({ kind: "loaded", device: "a", model: "x0" }, 875);
  const next = pool.decide({ kind: "turnEnded", device: "a", steps: 1, finished: [first.id] }, 900);
  assert.equal(find(next, "load")?.model, "y");
});

test("a model that is asked on schedule is there before it is asked again, in the place of one that idles", () => {
  const slow = { ttftMs: 1_000, tpotMs: 100 };
  const pool = new Pool(fleet([device("a", 20)], [model("m"), model("n")]));
  const everyMs = 300_000;
  /** Asked, copied, and answered in a turn. */
  const serve = (name: string, nowMs: number): void => {
    pool.decide(arrived(request(name, { objective: slow })), nowMs);
    pool.decide({ kind: "loaded", device: "a", model: name }, nowMs + 875);
    const id = `r${count}`;
    pool.decide({ kind: "turnEnded", device: "a", steps: 1, finished: [id] }, nowMs + 900);
  };
  let effects: readonly Effect[] = [];
  for (let turn = 0; turn < 4; turn++) {
    serve("m", turn * everyMs);
    serve("n", turn * everyMs + 100_000 + turn * 20_000);
  }
  const wokenMs = 4 * everyMs - 875 - defaultTuning.loadMarginMs;
  effects = pool.decide({ kind: "woken" }, wokenMs);
  assert.deepEqual(kinds(effects).slice(0, 2), ["evict", "load"]);
  assert.equal(find(effects, "load")?.model, "m");
  pool.decide({ kind: "loaded", device: "a", model: "m" }, wokenMs + 875);
  assert.deepEqual(kinds(pool.decide(arrived(request("m", { objective: slow })), 4 * everyMs)), ["prefill"]);
});
