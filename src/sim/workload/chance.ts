import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import { WorkloadError } from "./workload.ts";

/** Gives the next number of its stream, at least 0 and below 1: what d3-random takes as its `source`. */
export type Chance = () => number;

const seedMax = 2 ** 32 - 1;

/**
 * Independent streams of one seed: the first call gives the first stream, and so on. They are 2^64 numbers apart in one
 * sequence of xoroshiro128+ (pure-rand's `jump`), so that none meets another, and the n-th is the same however many
 * are taken. The first is behind a jump too, because pure-rand spreads a seed over little of the state.
 */
export function chanceStreams(seed: number): () => Chance {
  if (!Number.isSafeInteger(seed) || seed < 0 || seed > seedMax) {
    throw new WorkloadError(`seed ${seed}: give a whole number from 0 to ${seedMax}`);
  }
  const position = xoroshiro128plus(spread(seed));
  return () => {
    position.jump();
    const stream = position.clone();
    return () => uniformFloat64(stream);
  };
}

/**
 * Another 32 bits for each 32 bits, with which neighbouring seeds have nothing in common (MurmurHash3's `fmix32`): the
 * generator is linear, so that neighbours would stay neighbours (their first numbers had a correlation of -0.08).
 */
function spread(seed: number): number {
  let bits = seed | 0;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return bits ^ (bits >>> 16);
}
