import { tokensDueBefore } from "./chain.ts";
import type { Runner } from "./runner.ts";

/** A runner leads up to, not including, its token number `to`. */
export interface Leg {
  readonly runner: number;
  readonly to: number;
}

/**
 * The relay that is worth most: runners of one model lead one after the other, each from its release on, never two at
 * once. It is worth the shared costs of the tokens that are due while their own runner leads, and the model's goes take
 * at least as much beside the tokens' own costs. With equal costs it is worth the fewest steps there can be.
 */
export class Relay {
  readonly #runners: readonly Runner[];
  readonly #weights: Float64Array | undefined;
  /** The best that is over before a runner's release: its worth, and its last leg (-1: it has none). */
  readonly #beforeMs: Float64Array;
  readonly #previous: Int32Array;
  readonly #previousTo: Int32Array;
  /** Those with tokens that are not due yet. */
  readonly #running: number[] = [];
  #released = 0;
  #best = { ms: 0, runner: -1, to: 0 };
  /** The best whose last leg goes to its runner's end. */
  #finished = { ms: 0, runner: -1, to: 0 };

  /** `runners` by release. Weights, one each, are what its worth is multiplied by. */
  constructor(runners: readonly Runner[], weights?: Float64Array) {
    this.#runners = runners;
    this.#weights = weights;
    this.#beforeMs = new Float64Array(runners.length);
    this.#previous = new Int32Array(runners.length);
    this.#previousTo = new Int32Array(runners.length);
  }

  /** Worth of the best relay that is over before `ms`. To be asked in ascending order. */
  worthMs(ms: number): number {
    for (; this.#released < this.#runners.length; this.#released++) {
      const { releaseMs } = this.#runners[this.#released]!;
      if (releaseMs >= ms) break;
      this.#look(releaseMs);
      this.#beforeMs[this.#released] = this.#best.ms;
      this.#previous[this.#released] = this.#best.runner;
      this.#previousTo[this.#released] = this.#best.to;
      this.#running.push(this.#released);
    }
    this.#look(ms);
    return this.#best.ms;
  }

  /** Of the relay that was asked for last, from its end to its beginning. */
  legs(): readonly Leg[] {
    const legs: Leg[] = [];
    for (let { runner, to } = this.#best; runner >= 0;) {
      legs.push({ runner, to });
      to = this.#previousTo[runner]!;
      runner = this.#previous[runner]!;
    }
    return legs;
  }

  #look(ms: number): void {
    const best = this.#best;
    const finished = this.#finished;
    const running = this.#running;
    Object.assign(best, finished);
    let kept = 0;
    for (const index of running) {
      const { chain, from, lastDueMs } = this.#runners[index]!;
      const to = tokensDueBefore(chain, ms);
      const sharedMs = chain.costs.sharedMs(chain.inputTokens, from, to);
      const worthMs = this.#beforeMs[index]! + sharedMs * (this.#weights?.[index] ?? 1);
      if (worthMs > best.ms) set(best, worthMs, index, to);
      if (lastDueMs >= ms) running[kept++] = index;
      else if (worthMs > finished.ms) set(finished, worthMs, index, to);
    }
    running.length = kept;
  }
}

function set(place: { ms: number; runner: number; to: number }, ms: number, runner: number, to: number): void {
  place.ms = ms;
  place.runner = runner;
  place.to = to;
}
