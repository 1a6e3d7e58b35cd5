import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Correction, type TurnReport } from "./correction.ts";

const turn: TurnReport = { model: "qwen2.5-7b", deviceType: "h100", kind: "decode", predictedMs: 10, measuredMs: 10 };

function factorAfter(correction: Correction, count: number, measuredMs: number): number {
  for (let report = 0; report < count; report++) correction.report({ ...turn, measuredMs });
  return correction.factor(turn.model, turn.deviceType, turn.kind);
}

function near(actual: number, expected: number): void {
  assert.ok(Math.abs(actual / expected - 1) < 0.01, `${actual} is not ${expected}`);
}

describe("correction", () => {
  it("is none where nothing was reported", () => {
    assert.equal(new Correction().factor("qwen2.5-7b", "h100", "prefill"), 1);
  });

  it("comes to what is measured", () => {
    near(factorAfter(new Correction(), 500, 13), 1.3);
    near(factorAfter(new Correction(), 500, 8), 0.8);
  });

  it("takes the prediction for the first report, and averages ratios", () => {
    const correction = new Correction();
    near(factorAfter(correction, 1, 12.1), 1.1);
    const both = new Correction();
    both.report({ ...turn, measuredMs: 12.5 });
    near(factorAfter(both, 1, 8), 1);
  });

  it("forgets two thirds of an opinion within its memory", () => {
    const correction = new Correction({ memoryReports: 32 });
    near(factorAfter(correction, 1000, 10), 1);
    near(Math.log(factorAfter(correction, 32, 15)) / Math.log(1.5), 1 - (1 - 1 / 32) ** 32);
  });

  it("believes one report no more than twice or half of what it held", () => {
    const correction = new Correction();
    factorAfter(correction, 1000, 10);
    const stalled = factorAfter(correction, 1, 60_000);
    near(stalled, 2 ** (1 / 32));
    assert.equal(factorAfter(correction, 1, 10) < stalled, true);
  });

  it("stays within a quarter and four", () => {
    near(factorAfter(new Correction(), 10_000, 10_000), 4);
    near(factorAfter(new Correction(), 10_000, 0.001), 0.25);
  });

  it("passes over times that are none", () => {
    const correction = new Correction();
    for (const measuredMs of [0, -1, NaN, Infinity]) correction.report({ ...turn, measuredMs });
    for (const predictedMs of [0, -1, NaN, Infinity]) correction.report({ ...turn, predictedMs });
    correction.report({ ...turn, predictedMs: -10, measuredMs: -20 });
    assert.equal(correction.factor(turn.model, turn.deviceType, turn.kind), 1);
  });

  it("keeps models, devices and kinds apart", () => {
    const correction = new Correction();
    factorAfter(correction, 100, 20);
    assert.equal(correction.factor(turn.model, turn.deviceType, "prefill"), 1);
    assert.equal(correction.factor(turn.model, "a100", "decode"), 1);
    assert.equal(correction.factor("llama2-13b", turn.deviceType, "decode"), 1);
  });

  it("multiplies a speed by its kind's factor, and leaves loading", () => {
    const correction = new Correction();
    const decode = factorAfter(correction, 100, 15);
    const speed = {
      prefillFixedMs: 6,
      prefillTokenMs: 0.02,
      prefillTokenSquaredMs: 1e-7,
      decodeFixedMs: 9,
      decodeSequenceMs: 0.07,
      decodeContextTokenMs: 2e-5,
      loadMs: 238,
    };
    assert.deepEqual(correction.corrected(speed, turn.model, turn.deviceType), {
      ...speed,
      decodeFixedMs: 9 * decode,
      decodeSequenceMs: 0.07 * decode,
      decodeContextTokenMs: 2e-5 * decode,
    });
  });

  it("drops the factor that has gone unreported longest", () => {
    const correction = new Correction({ factorsMax: 2 });
    for (const model of ["a", "b", "a", "c"]) correction.report({ ...turn, model, measuredMs: 15 });
    assert.equal(correction.factor("b", turn.deviceType, turn.kind), 1);
    assert.notEqual(correction.factor("a", turn.deviceType, turn.kind), 1);
    assert.notEqual(correction.factor("c", turn.deviceType, turn.kind), 1);
  });

  it("gives the same for the same reports", () => {
    const reports = Array.from({ length: 200 }, (_, at) => ({ ...turn, measuredMs: 5 + ((at * 37) % 20) }));
    const [one, other] = [new Correction(), new Correction()].map((correction) => {
      for (const report of reports) correction.report(report);
      return correction.factor(turn.model, turn.deviceType, turn.kind);
    });
    assert.equal(one, other);
  });
});
