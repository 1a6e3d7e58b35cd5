import type { Chain } from "./chain.ts";
import { Relay } from "./relay.ts";
import { ownMsBefore, type Runner, runnersFrom } from "./runner.ts";

/** How wide the band of those that are missed in part is at first, in charges of the largest that remains. */
const nearness = 4;

/**
 * Work that must be done from `fromMs` on and before `toMs`, where any `missedMax` requests may be missed. `models` are
 * the chains of each, by arrival. More rounds come closer to the most that can be shown in this way.
 *
 * Each request is charged for its own costs and for those that a relay gives it; whichever are missed, the others'
 * charges remain, so that what remains at least is all charges but the `missedMax` largest. One relay would charge few
 * requests for all. The mean of several is as valid, and each round's avoids those that are charged most so far: it answers
 * whoever chooses what is missed by all relays so far, more and more exactly.
 */
export function demandWithMissedMs(
  models: readonly (readonly Chain[])[],
  fromMs: number,
  toMs: number,
  missedMax: number,
  rounds: number,
): number {
  const teams = models.map((chains) => new Team(runnersFrom(chains, fromMs), toMs));
  if (teams.reduce((sum, { runners }) => sum + runners.length, 0) <= missedMax) return 0;
  let bestMs = 0;
  for (let round = 1; round <= rounds; round++) {
    for (const team of teams) team.run();
    const charges = Float64Array.from(teams.flatMap((team) => team.chargesMs())).sort();
    const remaining = charges.subarray(0, charges.length - missedMax);
    bestMs = Math.max(
      bestMs,
      remaining.reduce((sum, charge) => sum + charge, 0),
    );
    const bandMs = (nearness / (1 + round)) * remaining.at(-1)!;
    const levelMs = levelOf(charges, missedMax, bandMs);
    for (const team of teams) team.weigh(levelMs, bandMs);
  }
  return bestMs;
}

/** The runners of one model, and what they are charged. */
class Team {
  readonly runners: readonly Runner[];
  readonly #toMs: number;
  readonly #ownMs: readonly number[];
  /** By all relays so far together. */
  readonly #relaysMs: Float64Array;
  readonly #weights: Float64Array;
  #relays = 0;

  constructor(runners: readonly Runner[], toMs: number) {
    this.runners = runners;
    this.#toMs = toMs;
    this.#ownMs = runners.map((runner) => ownMsBefore(runner, toMs));
    this.#relaysMs = new Float64Array(runners.length);
    this.#weights = new Float64Array(runners.length).fill(1);
  }

  run(): void {
    const relay = new Relay(this.runners, this.#weights);
    relay.worthMs(this.#toMs);
    for (const { runner, to } of relay.legs()) {
      const { chain, from } = this.runners[runner]!;
      this.#relaysMs[runner]! += chain.costs.sharedMs(chain.inputTokens, from, to);
    }
    this.#relays++;
  }

  chargesMs(): number[] {
    return this.#ownMs.map((ownMs, index) => ownMs + this.#relaysMs[index]! / this.#relays);
  }

  /** The more a request is missed, the less it counts. */
  weigh(levelMs: number, bandMs: number): void {
    for (const [index, chargeMs] of this.chargesMs().entries())
      this.#weights[index] = 1 - missedPart(chargeMs, levelMs, bandMs);
  }
}

/** Far above the level it is missed, far below it is not, and within the band around it in part. */
function missedPart(chargeMs: number, levelMs: number, bandMs: number): number {
  if (bandMs <= 0) return chargeMs > levelMs ? 1 : 0;
  return Math.min(1, Math.max(0, (1 + (chargeMs - levelMs) / bandMs) / 2));
}

/** At which `missedMax` are missed, all parts together. `charges` ascend. */
function levelOf(charges: Float64Array, missedMax: number, bandMs: number): number {
  let low = charges[0]! - bandMs;
  let high = charges.at(-1)! + bandMs;
  for (let halved = 0; halved < 40; halved++) {
    const middle = (low + high) / 2;
    let missed = 0;
    for (let index = charges.length - 1; index >= 0 && missed <= missedMax; index--) {
      const part = missedPart(charges[index]!, middle, bandMs);
      if (part === 0) break;
      missed += part;
    }
    if (missed > missedMax) low = middle;
    else high = middle;
  }
  return high;
}
