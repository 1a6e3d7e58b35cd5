import { randomExponential } from "d3-random";
import type { Chance } from "./chance.ts";
import { drawFirstInterval, drawIntervals, exponential, type IntervalShape, shapeOfCv } from "./intervals.ts";

/** How one model's requests come. All have the rate that is asked for, as the mean over all time. */
export type ArrivalProcess =
  | { readonly kind: "poisson" }
  /** Intervals between arrivals with that coefficient of variation, one independent of the other. */
  | { readonly kind: "gamma" | "weibull"; readonly cv: number }
  /** On for a while, off for a while, exponentially distributed with these means; Poisson while on, nothing while off. */
  | { readonly kind: "onOff"; readonly onS: number; readonly offS: number }
  /** On for that long at fixed times, as schedules are, the first one at any; Poisson while on. */
  | { readonly kind: "scheduled"; readonly onS: number; readonly everyS: number };

/** The times of arrival, ascending, from 0 to below `durationMs`, of a process that began long before 0. */
export function arrivalTimesMs(
  process: ArrivalProcess,
  ratePerSecond: number,
  durationMs: number,
  chance: Chance,
): number[] {
  if (process.kind === "onOff") return onOffTimesMs(process.onS, process.offS, ratePerSecond, durationMs, chance);
  if (process.kind === "scheduled") return scheduledTimesMs(process, ratePerSecond, durationMs, chance);
  const shape = process.kind === "poisson" ? exponential : shapeOfCv(process.kind, process.cv);
  return renewalTimesMs(shape, ratePerSecond, durationMs, chance);
}

/** The rate while on that gives `ratePerSecond` over all time. */
export function rateWhileOn(onS: number, offS: number, ratePerSecond: number): number {
  return (ratePerSecond * (onS + offS)) / onS;
}

function renewalTimesMs(shape: IntervalShape, ratePerSecond: number, durationMs: number, chance: Chance): number[] {
  const meanMs = 1000 / ratePerSecond;
  const next = drawIntervals(shape, meanMs, chance);
  const times: number[] = [];
  for (let atMs = drawFirstInterval(shape, meanMs, chance); atMs < durationMs; atMs += next()) times.push(atMs);
  return times;
}

function onOffTimesMs(onS: number, offS: number, ratePerSecond: number, durationMs: number, chance: Chance): number[] {
  const draw = randomExponential.source(chance);
  const nextMs = draw(rateWhileOn(onS, offS, ratePerSecond) / 1000);
  const onMs = draw(1 / (onS * 1000));
  const offMs = draw(1 / (offS * 1000));
  const times: number[] = [];
  // What is left of an exponential time is distributed as the whole, so 0 may be any moment of an on or off time.
  let isOn = chance() < onS / (onS + offS);
  for (let fromMs = 0; fromMs < durationMs; isOn = !isOn) {
    const endMs = fromMs + (isOn ? onMs() : offMs());
    const untilMs = Math.min(endMs, durationMs);
    if (isOn) for (let atMs = fromMs + nextMs(); atMs < untilMs; atMs += nextMs()) times.push(atMs);
    fromMs = endMs;
  }
  return times;
}

/** Each time begins with a request. */
function scheduledTimesMs(
  { onS, everyS }: Extract<ArrivalProcess, { kind: "scheduled" }>,
  ratePerSecond: number,
  durationMs: number,
  chance: Chance,
): number[] {
  const nextMs = randomExponential.source(chance)(rateWhileOn(onS, everyS - onS, ratePerSecond) / 1000);
  const times: number[] = [];
  for (let fromMs = chance() * everyS * 1000; fromMs < durationMs; fromMs += everyS * 1000) {
    const untilMs = Math.min(fromMs + onS * 1000, durationMs);
    for (let atMs = fromMs; atMs < untilMs; atMs += nextMs()) times.push(atMs);
  }
  return times;
}
