import { type ArrivalProcess, arrivalTimesMs, rateWhileOn } from "./arrivals.ts";
import { chanceStreams } from "./chance.ts";
import { inTurn, modelNames, tenantNames } from "./dealing.ts";
import { durationMsOf } from "./duration.ts";
import { describeLengths, drawTokens } from "./lengths.ts";
import { parseSynthetic, type SyntheticSpecification, syntheticPrefix } from "./synthetic-grammar.ts";
import { checkRequests, formatNumber, sortByTime, type Workload, type WorkloadRequest } from "./workload.ts";

export interface SyntheticOptions {
  /** A whole number below 2^32. */
  readonly seed: number;
  readonly minutes: number;
}

/**
 * The workload that `synthetic:MxR,...` describes (see `parseSynthetic`). Every model has three streams of chance of its
 * own, for its arrivals and its lengths in and out: more models or other lengths leave the others' draws as they are.
 */
export function generateSynthetic(text: string, options: SyntheticOptions): Workload {
  const specification = parseSynthetic(text);
  const durationMs = durationMsOf(options.minutes);
  checkRequests((specification.models * specification.ratePerSecond * durationMs) / 1000);
  const nextStream = chanceStreams(options.seed);
  const requests: WorkloadRequest[] = [];
  const rates = ratesPerSecond(specification);
  const tenants = tenantNames(specification.tenants ?? specification.models);
  modelNames(specification.models).forEach((model, index) => {
    const timesMs = arrivalTimesMs(specification.arrivals, rates[index]!, durationMs, nextStream());
    const input = drawTokens(specification.lengths, "input", specification.inputFactor, nextStream());
    const output = drawTokens(specification.lengths, "output", specification.outputFactor, nextStream());
    timesMs.forEach((atMs, turn) => {
      // Each model begins with another tenant, so that the first is not the one who asks all models at once.
      const tenant = inTurn(tenants, specification.tenants === undefined ? index : index + turn);
      requests.push({ atMs, model, tenant, inputTokens: input(), outputTokens: output() });
    });
  });
  return {
    name: `${syntheticPrefix}${text}`,
    requests: sortByTime(requests),
    notes: notesOf(specification, options),
  };
}

/** Each model's rate; together models x rate, however they are skewed. */
function ratesPerSecond({ models, ratePerSecond, zipfExponent }: SyntheticSpecification): readonly number[] {
  const weights = Array.from({ length: models }, (_, index) => (index + 1) ** -zipfExponent);
  // Exactly 1 where rates are equal, so that they do not depend on the number of models even in the last bit.
  const meanWeight = weights.reduce((sum, weight) => sum + weight, 0) / models;
  return weights.map((weight) => ratePerSecond * (weight / meanWeight));
}

function notesOf(specification: SyntheticSpecification, { seed, minutes }: SyntheticOptions): readonly string[] {
  const { models, ratePerSecond, arrivals, inputFactor, outputFactor, zipfExponent, tenants, lengths } = specification;
  const skewed = zipfExponent === 0 ? "each" : `in the mean, skewed over the models as 1 / i^${zipfExponent}`;
  return [
    `${models} models with ${ratePerSecond} requests/s ${skewed}, for ${formatNumber(minutes)} minutes by seed ${seed}`,
    describeArrivals(arrivals, ratePerSecond),
    `${describeLengths(lengths)}, input x ${inputFactor}, output x ${outputFactor}, drawn independently`,
    tenants === undefined ? "each model has one tenant of its own" : `${tenants} tenants ask every model in turn`,
  ];
}

function describeArrivals(arrivals: ArrivalProcess, ratePerSecond: number): string {
  if (arrivals.kind === "poisson") return "Poisson arrivals";
  if (arrivals.kind === "onOff") {
    const { onS, offS } = arrivals;
    const rate = formatNumber(rateWhileOn(onS, offS, ratePerSecond));
    return `models are on for ${onS} s and off for ${offS} s in the mean; while on Poisson arrivals, ${rate} requests/s`;
  }
  if (arrivals.kind === "scheduled") {
    const { onS, everyS } = arrivals;
    const rate = formatNumber(rateWhileOn(onS, everyS - onS, ratePerSecond));
    return `models are on for ${onS} s every ${everyS} s, from any time on; while on Poisson arrivals, ${rate} requests/s`;
  }
  const family = arrivals.kind === "gamma" ? "gamma" : "Weibull";
  return `${family} distributed intervals between a model's arrivals, coefficient of variation ${arrivals.cv}`;
}
