import assert from "node:assert/strict";
import { test } from "node:test";
import type { Token } from "node-llama-cpp";
import { OwnSampler } from "./own-sampler.ts";
import { seedOf } from "./sampling.ts";

const token = (number: number): Token => number as Token;
const plain = {
  temperature: 1,
  topP: 1,
  topK: 0,
  minP: 0,
  seed: undefined,
  frequencyPenalty: 0,
  presencePenalty: 0,
  repeatPenalty: 1,
};
const distribution = new Map([
  [token(7), 0.5],
  [token(3), 0.3],
  [token(9), 0.15],
  [token(1), 0.05],
]);

async function shares(sampling: typeof plain, draws = 20_000): Promise<ReadonlyMap<number, number>> {
  const sampler = new OwnSampler(sampling, 42);
  const counts = new Map<number, number>();
  for (let draw = 0; draw < draws; draw++) {
    const chosen = await sampler.choose(distribution, undefined);
    counts.set(chosen, (counts.get(chosen) ?? 0) + 1 / draws);
  }
  return counts;
}

function assertShares(actual: ReadonlyMap<number, number>, expected: Readonly<Record<number, number>>): void {
  assert.deepEqual(new Set(actual.keys()), new Set(Object.keys(expected).map(Number)));
  for (const [key, share] of actual) assert.ok(Math.abs(share - expected[key]!) < 0.015, `${key}: ${share}`);
}

test("tokens are drawn as likely as the distribution says, after truncation and temperature", async () => {
  assertShares(await shares(plain), { 7: 0.5, 3: 0.3, 9: 0.15, 1: 0.05 });
  assertShares(await shares({ ...plain, topK: 2 }), { 7: 0.625, 3: 0.375 });
  assertShares(await shares({ ...plain, topP: 0.75 }), { 7: 0.625, 3: 0.375 });
  assertShares(await shares({ ...plain, minP: 0.2 }), { 7: 0.526, 3: 0.316, 9: 0.158 });
  const squares = [0.25, 0.09, 0.0225, 0.0025].map((weight) => weight / 0.365);
  assertShares(await shares({ ...plain, temperature: 0.5 }), {
    7: squares[0]!,
    3: squares[1]!,
    9: squares[2]!,
    1: squares[3]!,
  });
});

test("penalties fall on what the answer has, the grammar on what it may not", async () => {
  const greedy = { ...plain, temperature: 0, frequencyPenalty: 0.3, presencePenalty: 0.1 };
  const sampler = new OwnSampler(greedy, 1);
  const chosen: number[] = [];
  for (let step = 0; step < 4; step++) chosen.push(await sampler.choose(distribution, undefined));
  // ln 0.5 - ln 0.3 = 0.51: one occurrence costs 0.4, two cost 0.7.
  assert.deepEqual(chosen, [7, 7, 3, 7]);
  const accepted: number[] = [];
  const acceptor = { allows: (one: Token) => one === 9 || one === 1, accept: (one: Token) => void accepted.push(one) };
  const governed = new OwnSampler({ ...plain, temperature: 0 }, 1);
  assert.equal(await governed.choose(distribution, acceptor), 9);
  const hot = new OwnSampler({ ...plain, topK: 1 }, 1);
  assert.equal(await hot.choose(distribution, acceptor), 9);
  assert.deepEqual(accepted, [9, 9]);
  await assert.rejects(governed.choose(distribution, { allows: () => false, accept: () => {} }), /allows none/);
});

test("a seed is 32 bits, and never the library's word for a random one", () => {
  const bytes = (): Buffer => Buffer.from([1, 2, 3, 4]);
  assert.equal(seedOf(5, bytes), 5);
  assert.equal(seedOf(2 ** 32 + 5, bytes), 5);
  assert.equal(seedOf(-1, bytes), 0xffff_fffe);
  assert.equal(seedOf(undefined, bytes), 0x0403_0201);
});
