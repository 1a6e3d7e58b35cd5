import type { Chance } from "./chance.ts";
import { isMembers } from "./json-lines.ts";
import { badRow, type Place, tokens, shown } from "./place.ts";

/** Lengths with their probabilities. */
export interface TokenDistribution {
  readonly values: Float64Array;
  /** The probability of each value or a lower one; the last is 1. */
  readonly cumulative: Float64Array;
}

/** Probabilities are rounded in the traces, so that thousands of them do not make 1 exactly. */
const sumTolerance = 0.01;

/** Reads {"tokens": probability, ...}. Throws a `WorkloadError` where it is none. */
export function tokenDistribution(place: Place, name: string, pdf: unknown): TokenDistribution {
  if (!isMembers(pdf)) throw badRow(place, `${name} is missing, or not {"value": probability, ...}`);
  const entries = Object.entries(pdf).map(([value, probability]) => {
    if (!/^\d+$/.test(value)) throw badRow(place, `${name} has "${value}", which is not a whole number`);
    if (typeof probability !== "number" || !(probability >= 0)) {
      throw badRow(place, `${name} has ${shown(probability)} as the probability of ${value}`);
    }
    return [tokens(place, name, Number(value)), probability] as const;
  });
  const sum = entries.reduce((total, [, probability]) => total + probability, 0);
  if (!(Math.abs(sum - 1) <= sumTolerance)) throw badRow(place, `the probabilities of ${name} make ${sum}, not 1`);
  let below = 0;
  return {
    values: Float64Array.from(entries, ([value]) => value),
    cumulative: Float64Array.from(entries, ([, probability], index) => {
      below += probability / sum;
      return index === entries.length - 1 ? 1 : below;
    }),
  };
}

export function drawValue({ values, cumulative }: TokenDistribution, chance: Chance): number {
  const share = chance();
  let low = 0;
  let high = values.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (cumulative[middle]! > share) high = middle;
    else low = middle + 1;
  }
  return values[low]!;
}
