import type { Bound } from "./shape.ts";

/** Digits that every JSON reader gives back exactly. */
const mostDigits = 15;
const largest = 10 ** mostDigits - 1;
const fraction = '("." [0-9]{1,15})?';
const integerPart = `("0" | [1-9] [0-9]{0,${mostDigits - 1}})`;

/** GBNF for a JSON number between two bounds, which are integers; undefined where there is none. */
export function numberGrammar(isInteger: boolean, min: Bound | undefined, max: Bound | undefined): string | undefined {
  if (min === undefined && max === undefined) {
    return isInteger ? `"-"? ${integerPart}` : `"-"? ${integerPart} ${fraction} ([eE] [-+]? [0-9]{1,2})?`;
  }
  const low = min ?? { value: -largest, isExclusive: false };
  const high = max ?? { value: largest, isExclusive: false };
  const alternatives: string[] = [];
  if (high.value >= 0) {
    const from = low.value >= 0 ? low : { value: 0, isExclusive: false };
    alternatives.push(...magnitudes(isInteger, from, high));
  }
  if (low.value < 0) {
    const to = { value: -low.value, isExclusive: low.isExclusive };
    // Zero is written without a sign: a negative number is at least a little away from it.
    const from =
      high.value < 0 ? { value: -high.value, isExclusive: high.isExclusive } : { value: 0, isExclusive: true };
    alternatives.push(...magnitudes(isInteger, from, to).map((alternative) => `"-" (${alternative})`));
  }
  return alternatives.length === 0 ? undefined : alternatives.join(" | ");
}

/** Alternatives for a number that is not negative. */
function magnitudes(isInteger: boolean, from: Bound, to: Bound): readonly string[] {
  const first = from.value + Number(from.isExclusive);
  if (isInteger) return digitRange(first, to.value - Number(to.isExclusive));
  if (from.value > to.value) return [];
  const alternatives = digitRange(first, to.value - 1).map((digits) => `${digits} ${fraction}`);
  // Just above an exclusive bound, and exactly at an inclusive one.
  if (from.isExclusive && from.value < to.value) alternatives.push(`"${from.value}." [0-9]{0,14} [1-9]`);
  if (!to.isExclusive && to.value >= first) alternatives.push(`"${to.value}"`);
  return alternatives;
}

/** GBNF alternatives for the integers from `first` to `last`, neither negative, without leading zeros. */
function digitRange(first: number, last: number): string[] {
  const alternatives: string[] = [];
  let from = first;
  const end = Math.min(last, largest);
  while (from <= end) {
    const to = Math.min(end, 10 ** String(from).length - 1);
    alternatives.push(...sameLength(String(from), String(to)));
    from = to + 1;
  }
  return alternatives;
}

function sameLength(from: string, to: string): readonly string[] {
  if (/^0*$/.test(from) && /^9*$/.test(to)) return [from.length === 0 ? "" : `[0-9]{${from.length}}`];
  const [low, high] = [from[0]!, to[0]!];
  const [lowRest, highRest] = [from.slice(1), to.slice(1)];
  if (low === high) return sameLength(lowRest, highRest).map((rest) => `"${low}" ${rest}`.trimEnd());
  const isWholeLow = /^0*$/.test(lowRest);
  const isWholeHigh = /^9*$/.test(highRest);
  const alternatives: string[] = [];
  if (!isWholeLow)
    alternatives.push(...sameLength(lowRest, "9".repeat(lowRest.length)).map((rest) => `"${low}" ${rest}`));
  const start = Number(low) + Number(!isWholeLow);
  const stop = Number(high) - Number(!isWholeHigh);
  const any = lowRest.length === 0 ? "" : ` [0-9]{${lowRest.length}}`;
  if (start <= stop) alternatives.push(`[${start}-${stop}]${any}`);
  if (!isWholeHigh)
    alternatives.push(...sameLength("0".repeat(highRest.length), highRest).map((rest) => `"${high}" ${rest}`));
  return alternatives;
}
