import assert from "node:assert/strict";
import { test } from "node:test";
import { Queues } from "./queues.ts";
import { Sequence } from "./state.ts";
import type { PoolRequest } from "./types.ts";

let count = 0;
function sequence(tenant: string, more: Partial<PoolRequest> = {}): Sequence {
  const objective = { ttftMs: 10_000, tpotMs: 100 };
  const id = `r${++count}`;
  return new Sequence({ id, model: "m", tenant, objective, inputTokens: 1, maxOutputTokens: 1, ...more }, 0);
}

/** Where all places to wait are taken by these. */
function full(of: (at: number) => Sequence): Queues {
  const queues = new Queues();
  for (let at = 0; at < 10_000; at++) {
    const each = of(at);
    assert.equal(queues.crowdedOut(each), undefined);
    queues.of(each.request).add(each, 1_000 + at);
  }
  return queues;
}

/** In the order in which they are tried, where none finds a place. */
function tried(queues: Queues, most = 100): string[] {
  const all: string[] = [];
  const place = ({ request }: Sequence): boolean => {
    all.push(request.id);
    return false;
  };
  for (const queue of queues.inTurn) queue.placeNext(most, true, { place, keepsOut: () => false });
  return all;
}

test("where too many wait, whoever has most waiting loses the last of his, by weight; nobody loses to his own", () => {
  const queues = full((at) => sequence(at < 7_000 ? "many" : "heavy", { weight: at < 7_000 ? 1 : 3 }));
  const out = queues.crowdedOut(sequence("few"));
  assert.equal(out?.request.tenant, "many");
  assert.equal(out.request.id, `r${count - 3_001}`, "the last of his");
  assert.equal(queues.size, 9_999);
  queues.of(out.request).add(out, 1);
  const own = sequence("many");
  assert.equal(queues.crowdedOut(own), own);
  assert.equal(queues.size, 10_000);
});

test("what gives way loses its place to everybody else, and takes nobody's", () => {
  const queues = full((at) => sequence("one", { isPreemptible: at % 2 === 0 }));
  assert.equal(queues.crowdedOut(sequence("one"))?.request.isPreemptible, true);
  const firm = full(() => sequence("one"));
  const batch = sequence("other", { isPreemptible: true });
  assert.equal(firm.crowdedOut(batch), batch);
});

test("what gives way is tried behind all others, and of one tenant what is due first", () => {
  const queues = new Queues();
  const [batch, late, early] = [
    sequence("a", { isPreemptible: true }),
    sequence("a", { objective: { ttftMs: 60_000, tpotMs: 250 } }),
    sequence("a"),
  ];
  for (const [each, lastMs] of [
    [batch, 1],
    [late, 3],
    [early, 2],
  ] as const)
    queues.of(each.request).add(each, lastMs);
  assert.deepEqual(tried(queues), [early.request.id, batch.request.id]);
  assert.equal(queues.firstLastMs, 1);
});

test("a model for which there is no place keeps nobody from another, however many ask for it", () => {
  const queues = new Queues();
  for (let tenant = 0; tenant < 100; tenant++) {
    const each = sequence(`t${tenant}`);
    queues.of(each.request).add(each, tenant);
  }
  const other = sequence("light", { model: "other" });
  queues.of(other.request).add(other, 1_000);
  const all = tried(queues, 8);
  assert.equal(all.length, 3, "two of the hundred, and the one for the other model");
  assert.equal(all[2], other.request.id);
});
