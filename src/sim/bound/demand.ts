import type { Chain } from "./chain.ts";
import { Relay } from "./relay.ts";
import { ownMsBefore, type Runner, runnersFrom } from "./runner.ts";

/**
 * Work that must be done from `fromMs` on, before each of `endsMs` (ascending, the last one behind everything that is
 * due), where no request may be missed. `models` are the chains of each, by arrival.
 */
export function demandsMs(
  models: readonly (readonly Chain[])[],
  fromMs: number,
  endsMs: readonly number[],
): Float64Array {
  const demands = new Float64Array(endsMs.length);
  /** What is complete before an end, and so before all later ones. */
  const complete = new Float64Array(endsMs.length);
  for (const chains of models) {
    const runners = runnersFrom(chains, fromMs);
    const relay = new Relay(runners);
    for (let end = 0; end < endsMs.length; end++) demands[end]! += relay.worthMs(endsMs[end]!);
    addOwn(runners, endsMs, demands, complete);
  }
  let sum = 0;
  for (let end = 0; end < endsMs.length; end++) {
    sum += complete[end]!;
    demands[end]! += sum;
  }
  return demands;
}

function addOwn(
  runners: readonly Runner[],
  endsMs: readonly number[],
  demands: Float64Array,
  complete: Float64Array,
): void {
  let first = 0;
  for (const runner of runners) {
    while (endsMs[first]! <= runner.releaseMs) first++;
    let end = first;
    for (; endsMs[end]! <= runner.lastDueMs; end++) demands[end]! += ownMsBefore(runner, endsMs[end]!);
    complete[end]! += ownMsBefore(runner, endsMs[end]!);
  }
}
