import { formatAmount } from "../base/index.ts";
import type { Workload } from "../sim/index.ts";
import { type Counts, fleetOf, fleetText, type Market, priceOf, propose, type Proposal } from "./market.ts";
import type { Solver } from "./solver/solver.ts";
import type { Trial, Trials } from "./trial.ts";

/** A fleet that keeps what is promised, with every seed. */
export interface Found {
  readonly counts: Counts;
  readonly taken: Proposal["taken"];
  readonly trial: Trial;
}

/** A fleet that was simulated as a whole. */
export interface Tried {
  readonly fleet: string;
  readonly pricePerHour: string;
  readonly isMet: boolean;
  /** Of the seed that fared worst; of one that was missed, of those up to it. */
  readonly attainmentWorst: number;
}

interface Ground {
  readonly market: Market;
  readonly workloads: readonly Workload[];
  readonly trials: Trials;
  readonly solver: Solver;
  readonly progress: (text: string) => void;
}

/** So many fleets are tried for one answer, and so many more with a device less than the best of them. */
const triesMax = 16;
const fewerTriesMax = 12;
/** The solver is asked for so much more than the templates say where they have promised too much. */
const correction = 1.1;
const coverMax = 4;
/** Two covers that are this close lead to the same fleets. */
const coverGap = 0.03;
/** Half of what templates say: they are of parts, and the whole shares better. */
const coverMin = 0.4;

/**
 * Fleets as the solver proposes them, each tried as a whole. Templates only lead: where they promise too much, the
 * fleet is excluded and more is asked for; once a fleet does, less is, until nothing cheaper does.
 */
export class Search {
  readonly #ground: Ground;
  /** Seen to be too small: fleets with no more of anything are too. */
  readonly #tooSmall: Counts[] = [];
  readonly #tried: Tried[] = [];
  corrections = 0;

  constructor(ground: Ground) {
    this.#ground = ground;
  }

  /** In the order in which they were. */
  get tried(): readonly Tried[] {
    return this.#tried;
  }

  /** The cheapest found; of those that are not `other` with devices to spare. */
  async cheapest(other?: Counts): Promise<Found | undefined> {
    let best: Found | undefined;
    let [low, high, cover, misses] = [coverMin, Infinity, 1, 0];
    for (let tries = 0; tries < triesMax && high - low > coverGap;) {
      const proposal = await propose(
        this.#ground.market,
        { cover, tooSmall: this.#tooSmall, other, cheaperThan: best?.counts },
        this.#ground.solver,
      );
      if (proposal === undefined) {
        // Nothing (cheaper) has so much: less may do, for templates are of parts.
        high = cover;
        if (cover <= low + coverGap) break;
      } else {
        tries++;
        const trial = this.#try(proposal.counts);
        if (trial.isMet) {
          best = { ...proposal, trial };
          high = cover;
          misses = 0;
        } else {
          if (best === undefined) this.corrections++;
          misses++;
          // Twice: another mix may do where one did not.
          if (misses % 2 === 0 || best === undefined) low = Math.max(low, Math.min(cover, high - coverGap / 2));
          if (misses % 2 === 1 && best !== undefined) continue;
        }
      }
      cover = Number.isFinite(high) ? (low + high) / 2 : Math.min(coverMax, cover * correction);
    }
    return best === undefined ? undefined : this.#withFewer(best);
  }

  /** What all that can be had together comes to, where that is not enough; undefined where something has no end. */
  everything(): { readonly trial: Trial; readonly isExcluded: boolean } | undefined {
    const { market } = this.#ground;
    if (market.offers.some(({ availableMax }) => availableMax === undefined)) return undefined;
    const all = market.offers.map(({ availableMax }) => availableMax!);
    if (all.every((count) => count === 0)) return undefined;
    const trial = this.#try(all);
    if (trial.isMet) return undefined;
    return { trial, isExcluded: this.#ground.trials.isExcluded(fleetOf(market, all), this.#ground.workloads) };
  }

  /** Takes devices away, the dearest first, as long as the rest does. */
  #withFewer(found: Found): Found {
    const { offers } = this.#ground.market;
    const order = offers
      .map((_, index) => index)
      .toSorted((a, b) => Number(offers[b]!.pricePerHour - offers[a]!.pricePerHour));
    let best = found;
    for (let tries = 0, isLess = true; isLess;) {
      isLess = false;
      for (const index of order) {
        const fewer = best.counts.map((count, at) => (at === index ? count - 1 : count));
        if (fewer[index]! < 0 || fewer.every((count) => count === 0) || this.#isKnownTooSmall(fewer)) continue;
        if (tries++ >= fewerTriesMax) return best;
        const trial = this.#try(fewer);
        if (!trial.isMet) continue;
        best = { counts: fewer, taken: [], trial };
        isLess = true;
        break;
      }
    }
    return best;
  }

  #isKnownTooSmall(counts: Counts): boolean {
    return this.#tooSmall.some((small) => counts.every((count, index) => count <= small[index]!));
  }

  #try(counts: Counts): Trial {
    const { market, workloads, trials, progress } = this.#ground;
    const trial = trials.run(fleetOf(market, counts), workloads);
    const worst = Math.min(...trial.attainmentPerSeed);
    const pricePerHour = formatAmount(priceOf(market, counts));
    this.#tried.push({ fleet: fleetText(market, counts), pricePerHour, isMet: trial.isMet, attainmentWorst: worst });
    if (!trial.isMet) this.#tooSmall.push(counts);
    progress(`${fleetText(market, counts)}: ${(100 * worst).toFixed(2)} % met${trial.isMet ? "" : ", too few"}`);
    return trial;
  }
}
