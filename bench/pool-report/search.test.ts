import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { findLeast } from "./search.ts";

/** Of seeds that each need so many devices. */
function askedFor(needs: readonly number[], devicesMax = 128) {
  const asked: string[] = [];
  return {
    asked,
    devicesMax,
    byFirstSeed: (devices: number) => {
      asked.push(`first ${devices}`);
      return devices >= needs[0]!;
    },
    byAllSeeds: (devices: number) => {
      asked.push(`all ${devices}`);
      return needs.every((need) => devices >= need) ? `with ${devices}` : undefined;
    },
  };
}

test("it finds what the seed needs that needs most", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 128 }), { minLength: 1 }),
      fc.integer({ min: 1, max: 128 }),
      (needs, from) => {
        const most = Math.max(...needs);
        assert.deepEqual(findLeast(askedFor(needs), from), { devices: most, answer: `with ${most}` });
      },
    ),
  );
});

test("it tries no more devices than it may", () => {
  assert.equal(findLeast(askedFor([129]), 4), undefined);
  assert.equal(findLeast(askedFor([3, 129]), 4), undefined);
  assert.equal(findLeast(askedFor([5], 5), 64)?.devices, 5);
});

test("all seeds are asked only where the first one reaches it", () => {
  const question = askedFor([6, 7]);
  findLeast(question, 4);
  assert.deepEqual(question.asked, ["first 4", "first 8", "first 6", "first 5", "all 6", "all 7"]);
});
