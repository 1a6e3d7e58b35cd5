import { type Chain, lastDueMs } from "./chain.ts";

/**
 * Where windows begin and end, as multiples of `stepMs`. Any choice of windows gives a bound. This one depends on the
 * time that the workload spans only, so that requests within it never take a window away.
 */
export interface Grid {
  readonly stepMs: number;
  readonly first: number;
  /** The last that a request arrives behind. */
  readonly last: number;
  /** Everything is due before it. */
  readonly end: number;
}

const stepsMax = 2048;
/** Windows of so many steps and fewer may have any length; longer ones are one length apart by this factor. */
const everyLengthUpTo = 48;
const lengthFactor = 1.04;

/** Of a step that is a power of two, so that a finer grid has the points of a coarser one. */
export function gridOver(chains: readonly Chain[]): Grid {
  let firstMs = Infinity;
  let lastMs = -Infinity;
  let endMs = -Infinity;
  for (const chain of chains) {
    firstMs = Math.min(firstMs, chain.atMs);
    lastMs = Math.max(lastMs, chain.atMs);
    endMs = Math.max(endMs, lastDueMs(chain));
  }
  const stepMs = 2 ** Math.ceil(Math.log2((endMs - firstMs) / stepsMax));
  const first = Math.floor(firstMs / stepMs);
  return { stepMs, first, last: Math.floor(lastMs / stepMs), end: Math.floor(endMs / stepMs) + 1 };
}

/** Multiples of `every`, from the last one before everything. */
export function startsOf({ first, last }: Grid, every: number): number[] {
  const starts: number[] = [];
  for (let start = Math.floor(first / every) * every; start <= last; start += every) starts.push(start);
  return starts;
}

/** Ascending; the last one is behind everything. */
export function endsFrom(start: number, { end }: Grid): number[] {
  const ends: number[] = [];
  for (let length = 1; start + length < end;) {
    ends.push(start + length);
    length = length < everyLengthUpTo ? length + 1 : Math.ceil(length * lengthFactor);
  }
  return [...ends, end];
}
