import { nearest } from "../../base/index.ts";
import type { ArrivalProcess } from "./arrivals.ts";
import type { LengthKind } from "./lengths.ts";
import { WorkloadError } from "./workload.ts";

export interface SyntheticSpecification {
  readonly models: number;
  /** A model's mean rate; with `zipfExponent` above 0, the mean over the models. */
  readonly ratePerSecond: number;
  readonly arrivals: ArrivalProcess;
  readonly inputFactor: number;
  readonly outputFactor: number;
  /** The i-th model's rate is in proportion to 1 / i^zipfExponent. */
  readonly zipfExponent: number;
  /** Absent: each model has a tenant of its own. */
  readonly tenants: number | undefined;
  readonly lengths: LengthKind;
}

/** What begins a synthetic workload's text; `parseSynthetic` reads what follows. */
export const syntheticPrefix = "synthetic:";

const kinds = ["poisson", "gamma", "weibull"] as const;
const lengthKinds = ["trace", "lognormal"] as const;
const keys = ["arrivals", "cv", "on", "off", "every", "input", "output", "zipf", "tenants", "lengths"] as const;
type Key = (typeof keys)[number];
type Parts = ReadonlyMap<Key, string>;

/**
 * Reads `MxR[,key=value]...`: M models with R requests/s each, as the mean over all time, and in any order
 *
 * - `arrivals=poisson` (what holds without it), or `arrivals=gamma,cv=2`, or `arrivals=weibull,cv=2`: intervals between
 *   a model's arrivals with that coefficient of variation (0.1 to 10);
 * - `on=60,off=240`, instead of `arrivals`: on for 60 s and off for 240 s in the mean, Poisson while on, with the rate
 *   that makes R the mean over both: here 5 R;
 * - `on=20,every=300`: on for 20 s at fixed times, 300 s from one to the next, each model's first at any time; each
 *   begins with a request, which comes on top of R;
 * - `input=2`, `output=0.5`: factors on the lengths (0.01 to 100); `lengths=trace` (what holds without it) or
 *   `lengths=lognormal`: see lengths.ts;
 * - `zipf=1.1`: the i-th model's rate is in proportion to 1 / i^1.1, all together still M x R (0, equal rates, to 5);
 * - `tenants=4`: each model's requests belong to 4 tenants in turn; without it each model has its own tenant.
 *
 * Throws a `WorkloadError` that names the bad part.
 */
export function parseSynthetic(text: string): SyntheticSpecification {
  const [load = "", ...rest] = text.split(",");
  const [, models, rate] = /^(\d+)x(\d*\.?\d+)$/.exec(load) ?? [];
  if (models === undefined || rate === undefined) {
    throw bad(load, "must be models x requests/s of a model, such as 64x0.1");
  }
  const parts = partsOf(rest);
  return {
    models: numberOf(load, models, 1, 10_000),
    ratePerSecond: numberOf(load, rate, 0.000_001, 1_000_000),
    arrivals: arrivalsOf(parts),
    inputFactor: optionalNumber(parts, "input", 0.01, 100) ?? 1,
    outputFactor: optionalNumber(parts, "output", 0.01, 100) ?? 1,
    zipfExponent: optionalNumber(parts, "zipf", 0, 5) ?? 0,
    tenants: optionalWhole(parts, "tenants", 1, 100_000),
    lengths: choice(parts, "lengths", lengthKinds) ?? "trace",
  };
}

function partsOf(texts: readonly string[]): Parts {
  const parts = new Map<Key, string>();
  for (const text of texts) {
    const [, name, value] = /^([^=]*)=(.*)$/.exec(text) ?? [];
    if (name === undefined || value === undefined) throw bad(text, "must be key=value, such as zipf=1.1");
    const key = keys.find((known) => known === name);
    if (key === undefined) throw bad(text, unknownWords("key", name, keys));
    if (parts.has(key)) throw bad(text, `gives ${key} a second time`);
    parts.set(key, value);
  }
  return parts;
}

function arrivalsOf(parts: Parts): ArrivalProcess {
  const kind = choice(parts, "arrivals", kinds);
  const cv = optionalNumber(parts, "cv", 0.1, 10);
  const onS = optionalNumber(parts, "on", 0.1, 1_000_000);
  const offS = optionalNumber(parts, "off", 0.1, 1_000_000);
  const everyS = optionalNumber(parts, "every", 0.1, 10_000_000);
  if (onS !== undefined || offS !== undefined || everyS !== undefined) {
    const other = everyS === undefined ? "off" : "every";
    if (onS === undefined) throw bad(`${other}=${parts.get(other)}`, "needs on=SECONDS beside it");
    if (kind !== undefined) throw bad(`arrivals=${kind}`, "cannot be with on and off, which are Poisson while on");
    if (cv !== undefined) throw bad(`cv=${parts.get("cv")}`, "cannot be with on and off, which set it themselves");
    if (everyS === undefined) {
      if (offS === undefined) throw bad(`on=${parts.get("on")}`, "needs off=SECONDS or every=SECONDS beside it");
      return { kind: "onOff", onS, offS };
    }
    if (offS !== undefined) throw bad(`off=${parts.get("off")}`, "cannot be with every, which sets it itself");
    if (everyS <= onS) throw bad(`every=${parts.get("every")}`, "must be longer than on");
    return { kind: "scheduled", onS, everyS };
  }
  if (kind === "gamma" || kind === "weibull") {
    if (cv === undefined) throw bad(`arrivals=${kind}`, "needs cv beside it, such as cv=2");
    return { kind, cv };
  }
  if (cv !== undefined) throw bad(`cv=${parts.get("cv")}`, "needs arrivals=gamma or arrivals=weibull beside it");
  return { kind: "poisson" };
}

function choice<Name extends string>(parts: Parts, key: Key, names: readonly Name[]): Name | undefined {
  const given = parts.get(key);
  if (given === undefined) return undefined;
  const found = names.find((name) => name === given);
  if (found === undefined) throw bad(`${key}=${given}`, unknownWords("value", given, names));
  return found;
}

function optionalNumber(parts: Parts, key: Key, least: number, most: number): number | undefined {
  const given = parts.get(key);
  return given === undefined ? undefined : numberOf(`${key}=${given}`, given, least, most);
}

function optionalWhole(parts: Parts, key: Key, least: number, most: number): number | undefined {
  const value = optionalNumber(parts, key, least, most);
  if (value !== undefined && !Number.isInteger(value)) throw bad(`${key}=${parts.get(key)}`, "must be a whole number");
  return value;
}

function numberOf(part: string, text: string, least: number, most: number): number {
  const value = /^\d*\.?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw bad(part, `has "${text}" where a number from ${least} to ${most} must stand`);
}

function unknownWords(what: string, given: string, known: readonly string[]): string {
  const meant = nearest(given, known);
  const hint = meant === undefined ? "" : ` Did you mean ${meant}?`;
  return `has an unknown ${what}; there are ${known.join(", ")}.${hint}`;
}

function bad(part: string, why: string): WorkloadError {
  return new WorkloadError(`${syntheticPrefix} "${part}" ${why}`);
}
