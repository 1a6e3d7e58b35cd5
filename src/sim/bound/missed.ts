import type { Chain } from "./chain.ts";
import { Relay } from "./relay.ts";
import { ownMsBefore, type Runner, runnersFrom } from "./runner.ts";

/**
 * Work that must be done from `fromMs` on and before `toMs`, where any `missedMax` requests may be missed. `models` are
 * the chains of each, by arrival. More rounds come closer to the most that can be shown in this way.
 *
 * Each request is charged for its own costs and for those that a relay gives it; whichever are missed, the others'
 * charges remain, so that what remains at least is all charges but the `missedMax` largest. One relay would charge few
 * requests for all. The mean of several is as valid, and each round's avoids those that are charged most so far.
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
    for (const team of teams) team.weigh(remaining.at(-1)!, 1 / (1 + round));
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

  /** Charges far above the level, which is the largest that remains, count for nothing; near it they count in part. */
  weigh(levelMs: number, nearness: number): void {
    for (const [index, chargeMs] of this.chargesMs().entries()) {
      const above = levelMs > 0 ? (chargeMs / levelMs - 1) / nearness : 0;
      this.#weights[index] = Math.min(1, Math.max(0, (1 - above) / 2));
    }
  }
}
