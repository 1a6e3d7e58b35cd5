import assert from "node:assert/strict";
import { test } from "node:test";
import { type ArrivalProcess, arrivalTimesMs, rateWhileOn } from "./arrivals.ts";
import { chanceStreams } from "./chance.ts";
import { cvOf, intervalsBetween, mean, near } from "./testing.ts";

const hourMs = 3_600_000;

test("times ascend within the duration, with the rate and the CV of the process", () => {
  const next = chanceStreams(21);
  const cases: readonly (readonly [ArrivalProcess, number])[] = [
    [{ kind: "poisson" }, 1],
    [{ kind: "gamma", cv: 0.5 }, 0.5],
    [{ kind: "gamma", cv: 2 }, 2],
    [{ kind: "weibull", cv: 0.5 }, 0.5],
    [{ kind: "weibull", cv: 2 }, 2],
  ];
  for (const [process, cv] of cases) {
    const times = arrivalTimesMs(process, 20, hourMs, next());
    near(times.length, 72_000, 0.03);
    const intervals = intervalsBetween(times);
    assert.ok(intervals.every((interval) => interval >= 0));
    near(cvOf(intervals), cv, 0.04);
    assert.ok(times[0]! >= 0 && times.at(-1)! < hourMs);
  }
});

test("a short workload of uneven arrivals has the rate as well: it does not begin with an arrival", () => {
  const next = chanceStreams(22);
  for (const kind of ["gamma", "weibull"] as const) {
    // 6 are expected; beginning with a whole interval would add (2^2 - 1) / 2 = 1.5.
    const counts = Array.from({ length: 20_000 }, () => arrivalTimesMs({ kind, cv: 2 }, 0.1, 60_000, next()).length);
    near(mean(counts), 6, 0.02);
  }
});

test("on and off: the mean rate is as asked, from a higher one for a part of the time", () => {
  assert.equal(rateWhileOn(60, 240, 0.1), 0.5);
  const process = { kind: "onOff", onS: 60, offS: 240 } as const;
  const next = chanceStreams(23);
  const short = Array.from({ length: 1000 }, () => arrivalTimesMs(process, 1, 5 * 60_000, next()).length);
  near(mean(short), 300, 0.07);
  const gaps = intervalsBetween(arrivalTimesMs(process, 1, 200 * hourMs, next())).toSorted((a, b) => a - b);
  near(gaps.length, 200 * 3600, 0.07);
  // While on: 5 requests/s, whose median interval is ln 2 / 5 s; an off time of above 10 s is in one of 300 intervals.
  near(gaps[gaps.length >> 1]!, 1000 * (Math.LN2 / 5), 0.05);
  near(gaps.filter((gap) => gap > 10_000).length / gaps.length, Math.exp(-10 / 240) / 300, 0.1);
});

test("scheduled: each time begins with a request, at the same distance, and nothing comes between", () => {
  const process = { kind: "scheduled", onS: 20, everyS: 300 } as const;
  const next = chanceStreams(24);
  const times = arrivalTimesMs(process, 0.1, 100 * hourMs, next());
  const first = times[0]!;
  assert.ok(first < 300_000);
  // Times are sums of fractions.
  const phase = (time: number): number => ((time - first + 0.001) % 300_000) - 0.001;
  for (const [index, gap] of intervalsBetween(times).entries()) {
    if (gap > 20_000) assert.ok(phase(times[index + 1]!) < 0.001);
    assert.ok(phase(times[index]!) < 20_000);
  }
  near(times.length, 100 * 3600 * 0.1 + (100 * 3600) / 300, 0.03);
});
