import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { fitDecode, fitPrefill, quantile } from "./fit.ts";

const lengths = [16, 64, 256, 1024, 4096];
const batches = [1, 2, 8, 32];
const grid = lengths.flatMap((inputTokens) => batches.map((batch) => ({ inputTokens, batch })));

/** Made errors that come out the same in every run: up and down by `share`, each as often. */
function disturbed(ms: number, at: number, share: number): number {
  return ms * (1 + (at % 2 === 0 ? share : -share));
}

function close(actual: number, expected: number, share: number): void {
  assert.ok(Math.abs(actual / expected - 1) < share, `${actual} is not ${expected}`);
}

describe("fit", () => {
  it("finds a prefill's coefficients in points that are exact", () => {
    const points = grid.map(({ inputTokens, batch }) => ({
      inputTokens,
      batch,
      ms: 7 + 0.06 * inputTokens * batch + 1e-6 * batch * inputTokens ** 2,
    }));
    const fit = fitPrefill(points);
    close(fit.fixedMs, 7, 1e-9);
    close(fit.tokenMs, 0.06, 1e-9);
    close(fit.tokenSquaredMs, 1e-6, 1e-6);
    assert.equal(fit.points, grid.length);
    assert.ok(fit.ninetiethError < 1e-9);
  });

  it("finds a decode step's, and states the error of points that are not", () => {
    const points = grid.map(({ inputTokens, batch }, at) => {
      const contextTokens = inputTokens * batch;
      return { contextTokens, batch, ms: disturbed(12 + 0.13 * batch + 2e-4 * contextTokens, at, 0.03) };
    });
    const fit = fitDecode(points);
    close(fit.fixedMs, 12, 0.05);
    close(fit.sequenceMs, 0.13, 0.3);
    close(fit.contextTokenMs, 2e-4, 0.05);
    assert.ok(fit.medianError > 0.01 && fit.medianError < 0.04, `${fit.medianError}`);
    assert.ok(fit.ninetiethError >= fit.medianError && fit.ninetiethError < 0.06, `${fit.ninetiethError}`);
  });

  it("keeps a coefficient that is given", () => {
    const points = grid.map(({ inputTokens, batch }) => ({
      contextTokens: inputTokens * batch,
      batch,
      ms: 10 + batch,
    }));
    const fit = fitDecode(points, { lower: 1e-5, upper: 1e-5 });
    assert.equal(fit.contextTokenMs, 1e-5);
  });
});

describe("a quantile", () => {
  it("is the value that so many do not exceed", () => {
    assert.equal(quantile([4, 1, 3, 2], 0.5), 2);
    assert.equal(quantile([4, 1, 3, 2], 0.9), 4);
    assert.equal(quantile([], 0.5), 0);
  });
});
