import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { leastRelativeSquares, notNegative } from "./least-squares.ts";

const bounds = [notNegative, notNegative, notNegative];

function rowsOf(count: number): readonly (readonly number[])[] {
  // Three columns that no combination of the others gives.
  return Array.from({ length: count }, (_, at) => [1, at + 1, (at * 7) % 11]);
}

function valuesOf(rows: readonly (readonly number[])[], x: readonly number[]): readonly number[] {
  return rows.map((row) => row.reduce((sum, cell, at) => sum + cell * x[at]!, 0));
}

describe("least relative squares", () => {
  it("finds the coefficients that the values were made from", () => {
    const rows = rowsOf(20);
    const found = leastRelativeSquares(rows, valuesOf(rows, [3, 0.5, 0.02]), bounds);
    assert.deepEqual(
      found.map((coefficient) => Number(coefficient.toPrecision(9))),
      [3, 0.5, 0.02],
    );
  });

  it("lets none be negative, and fits the others to that", () => {
    const rows = rowsOf(20);
    const values = valuesOf(rows, [40, 0.5, -0.8]);
    const found = leastRelativeSquares(rows, values, bounds);
    assert.equal(found[2], 0);
    // What the two others give by themselves is the best there is with a third of nothing.
    const without = leastRelativeSquares(
      rows.map((row) => row.slice(0, 2)),
      values,
      bounds.slice(0, 2),
    );
    assert.deepEqual(found.slice(0, 2), without);
  });

  it("keeps a coefficient at a bound, or within both", () => {
    const rows = rowsOf(20);
    const values = valuesOf(rows, [3, 0.5, 0.02]);
    const fixed = { lower: 0.4, upper: 0.4 };
    assert.equal(leastRelativeSquares(rows, values, [notNegative, fixed, notNegative])[1], 0.4);
    const below = { lower: 0, upper: 0.3 };
    assert.equal(leastRelativeSquares(rows, values, [notNegative, below, notNegative])[1], 0.3);
  });

  it("weighs errors by what they are a part of", () => {
    // One constant for a 1 and a 100: by absolute error 50.5, by relative error near the 1.
    const found = leastRelativeSquares([[1], [1]], [1, 100], [notNegative]);
    assert.ok(found[0]! < 1.02, `${found[0]}`);
  });

  it("says where the points are too few to tell", () => {
    const negative = { lower: -Infinity, upper: Infinity };
    assert.throws(() => leastRelativeSquares([[1, 2]], [3], [negative, negative]), RangeError);
  });
});
