import assert from "node:assert/strict";
import { test } from "node:test";
import { Entry } from "./entry.ts";
import { Queue } from "./queue.ts";

interface Given {
  readonly weight?: number;
  readonly isPreemptible?: boolean;
  readonly choices?: number;
}

const keeper = { moved: () => undefined, left: () => undefined };
const objective = { ttftMs: 1_000, tpotMs: 100 };

/** A queue whose entries are named by their tenant and how many it had asked for before: "a1". */
function scene() {
  const queue = new Queue();
  const asked = new Map<string, number>();
  const ask = (tenant: string, { weight = 1, isPreemptible = false, choices = 1 }: Given = {}): readonly Entry[] => {
    const nth = (asked.get(tenant) ?? 0) + 1;
    asked.set(tenant, nth);
    const { signal } = new AbortController();
    return Array.from({ length: choices }, () => {
      const request = { model: "m", tenant, weight, isPreemptible, objective, inputTokens: 1, maxOutputTokens: 1 };
      const work = { request: { ...request, id: `${tenant}${nth}` }, signal, fail: () => undefined };
      const entry = new Entry(work, keeper, 0);
      queue.add(entry);
      return entry;
    });
  };
  const many = (tenant: string, count: number, given?: Given): void => {
    for (let nth = 0; nth < count; nth++) ask(tenant, given);
  };
  const begin = ([entry]: readonly Entry[]): void => {
    queue.begin(entry!);
    entry!.hasBegun = true;
  };
  const givesWay = (
    tenant: string,
    given: Given & { readonly places?: number } = {},
  ): readonly string[] | undefined => {
    const { weight = 1, isPreemptible = false, choices = 1, places = choices } = given;
    return queue
      .whoGivesWay({ tenant, weight, isPreemptible, choices }, places)
      ?.map(({ work }) => work.request.id)
      .toSorted();
  };
  return { queue, ask, many, begin, givesWay };
}

test("the tenant of whom most wait gives the place of his latest request, and nobody who has as few", () => {
  const { many, givesWay } = scene();
  many("a", 5);
  many("b", 3);
  assert.deepEqual(givesWay("c"), ["a5"]);
  assert.deepEqual(givesWay("b"), ["a5"]);
  assert.equal(givesWay("a"), undefined, "not to himself");
  many("b", 1);
  assert.equal(givesWay("b"), undefined, "he would have as many as the other had: they would pass it to and fro");
});

test("by weight: who has three times the weight may have three times as many wait", () => {
  const { many, givesWay } = scene();
  many("heavy", 6, { weight: 3 });
  many("light", 2);
  assert.deepEqual(givesWay("other"), ["heavy6"], "where both have as much of it, who has more altogether");
  assert.equal(givesWay("light"), undefined);
  many("light", 1);
  assert.deepEqual(givesWay("heavy", { weight: 3 }), ["light3"]);
});

test("where as many wait of both, who has begun more of the model gives way", () => {
  const { ask, begin, givesWay } = scene();
  for (let nth = 0; nth < 2; nth++) begin(ask("a"));
  ask("a");
  assert.deepEqual(givesWay("b"), ["a3"]);
  const { ask: askElse, givesWay: givesElse } = scene();
  askElse("a");
  assert.equal(givesElse("b"), undefined, "a first request for a first request is no gain");
});

test("what is preemptible gives its place first, to its own tenant too, and takes none of what is not", () => {
  const { many, givesWay } = scene();
  many("a", 4);
  many("b", 2, { isPreemptible: true });
  many("c", 1, { isPreemptible: true });
  assert.deepEqual(givesWay("c"), ["b2"]);
  assert.deepEqual(givesWay("b"), ["b2"]);
  assert.deepEqual(givesWay("a"), ["b2"], "however many of his wait");
  assert.deepEqual(givesWay("a", { choices: 3 }), ["b1", "b2", "c1"]);
  assert.equal(givesWay("a", { choices: 4 }), undefined, "all or none");
  assert.deepEqual(givesWay("c", { choices: 4, places: 4 }), undefined);
  assert.deepEqual(givesWay("d", { choices: 2, places: 4 }), ["a4", "b1", "b2", "c1"]);
  assert.deepEqual(givesWay("e", { isPreemptible: true }), ["b2"], "never one of a's");
  assert.equal(givesWay("b", { isPreemptible: true }), undefined);
});

test("all choices of a request go together, and none of a request that has begun", () => {
  const { ask, begin, queue, givesWay } = scene();
  ask("a");
  ask("a", { choices: 3 });
  assert.deepEqual(givesWay("b"), ["a2", "a2", "a2"]);
  const several = ask("a", { choices: 4 });
  begin(several);
  assert.deepEqual(givesWay("b"), ["a2", "a2", "a2"]);
  queue.remove(several[0]!);
  assert.deepEqual(givesWay("b"), ["a2", "a2", "a2"], "also where the choice that had begun is over");
  for (const entry of several.slice(1)) queue.remove(entry);
  assert.deepEqual([queue.waiting, queue.begun], [4, 0]);
});

test("a queue of one place: whoever has nothing of the model has it next, and keeps it", () => {
  const { ask, begin, queue, givesWay } = scene();
  for (let nth = 0; nth < 2; nth++) begin(ask("flood"));
  const [waiting] = ask("flood");
  assert.deepEqual(givesWay("light"), ["flood3"]);
  queue.remove(waiting!);
  ask("light");
  assert.equal(givesWay("flood"), undefined);
});

test("passing places ends: whoever was displaced and asks again displaces nobody", () => {
  const { ask, queue, givesWay } = scene();
  const weights = [1, 1, 2, 5];
  const waiting = new Map<string, Entry[]>();
  const enter = (tenant: string, weight: number): void => {
    for (const entry of ask(tenant, { weight })) waiting.set(entry.work.request.id, [entry]);
  };
  for (let nth = 0; nth < 40; nth++) enter("t0", weights[0]!);
  let passes = 0;
  for (let round = 0; round < 200; round++) {
    const at = round % weights.length;
    const given = givesWay(`t${at}`, { weight: weights[at]! });
    if (given === undefined) continue;
    passes++;
    for (const id of given) for (const entry of waiting.get(id)!) queue.remove(entry);
    enter(`t${at}`, weights[at]!);
  }
  assert.equal(queue.waiting, 40);
  assert.ok(passes > 20 && passes < 50, String(passes));
  for (const [at, weight] of weights.entries()) assert.equal(givesWay(`t${at}`, { weight }), undefined);
});
