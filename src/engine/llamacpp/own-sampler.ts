import type { Token } from "node-llama-cpp";
import type { Sampling } from "../types.ts";

/** Says whether a token may come next, and takes note of the one that does. */
export interface Acceptor {
  allows(token: Token): boolean;
  accept(token: Token): void;
}

interface Candidate {
  readonly token: Token;
  readonly logit: number;
}

/**
 * Chooses tokens from a whole distribution, for answers with logprobs: the library's sampler gives back only what is
 * left after truncation. In the order of llama.cpp's default chain: penalties, top_k, top_p, min_p, temperature.
 * A token that the grammar does not allow is passed over and the rest is truncated anew.
 */
export class OwnSampler {
  readonly #sampling: Sampling;
  readonly #random: () => number;
  readonly #occurrences = new Map<Token, number>();

  constructor(sampling: Sampling, seed: number) {
    this.#sampling = sampling;
    this.#random = randomNumbers(seed);
  }

  /** `distribution`: each token's probability, the likeliest first. */
  async choose(distribution: ReadonlyMap<Token, number>, acceptor: Acceptor | undefined): Promise<Token> {
    const candidates = this.#penalized(distribution);
    let token = this.#draw(candidates);
    if (acceptor !== undefined) {
      if (!acceptor.allows(token)) {
        const allowed = await allowedOf(candidates, acceptor, this.#sampling.temperature <= 0);
        if (allowed.length === 0) throw new Error("the grammar allows none of the model's tokens");
        token = this.#draw(allowed);
      }
      acceptor.accept(token);
    }
    this.#occurrences.set(token, (this.#occurrences.get(token) ?? 0) + 1);
    return token;
  }

  /** Candidates by their logits after penalties, the likeliest first. Only those that occurred move. */
  #penalized(distribution: ReadonlyMap<Token, number>): readonly Candidate[] {
    const { frequencyPenalty, presencePenalty } = this.#sampling;
    const isPenalized = (frequencyPenalty !== 0 || presencePenalty !== 0) && this.#occurrences.size > 0;
    const rest: Candidate[] = [];
    const moved: Candidate[] = [];
    for (const [token, probability] of distribution) {
      const count = isPenalized ? this.#occurrences.get(token) : undefined;
      const logit = Math.log(probability);
      if (count === undefined) rest.push({ token, logit });
      else moved.push({ token, logit: logit - count * frequencyPenalty - presencePenalty });
    }
    return moved.length === 0
      ? rest
      : merged(
          rest,
          moved.toSorted((a, b) => b.logit - a.logit),
        );
  }

  #draw(candidates: readonly Candidate[]): Token {
    const { temperature } = this.#sampling;
    if (temperature <= 0) return candidates[0]!.token;
    const kept = truncated(candidates, this.#sampling);
    const highest = kept[0]!.logit;
    const weights = kept.map(({ logit }) => Math.exp((logit - highest) / temperature));
    let left = this.#random() * weights.reduce((sum, weight) => sum + weight, 0);
    for (const [index, weight] of weights.entries()) {
      left -= weight;
      if (left < 0) return kept[index]!.token;
    }
    return kept.at(-1)!.token;
  }
}

/** Looks at a grammar take time on the event loop: after so many it is let go once. */
const looksAtOnce = 128;
/** Tokens looked at after the first that is allowed; those further down weigh nothing beside it. */
const looksBeyondFirst = 2_048;
const leastLogitBeyondFirst = -20;

/** The tokens that the grammar allows, the likeliest first: one where only that is wanted, else all that have weight. */
async function allowedOf(
  candidates: readonly Candidate[],
  acceptor: Acceptor,
  onlyFirst: boolean,
): Promise<readonly Candidate[]> {
  const allowed: Candidate[] = [];
  let looksLeft = Infinity;
  for (const [index, candidate] of candidates.entries()) {
    const first = allowed[0];
    if (first !== undefined && (looksLeft-- <= 0 || candidate.logit < first.logit + leastLogitBeyondFirst)) break;
    if (index % looksAtOnce === looksAtOnce - 1) await new Promise((resolve) => setImmediate(resolve));
    if (!acceptor.allows(candidate.token)) continue;
    allowed.push(candidate);
    if (onlyFirst) break;
    looksLeft = Math.min(looksLeft, looksBeyondFirst);
  }
  return allowed;
}

function truncated(candidates: readonly Candidate[], { topK, topP, minP }: Sampling): readonly Candidate[] {
  let kept = topK > 0 ? candidates.slice(0, topK) : candidates;
  if (topP < 1) kept = kept.slice(0, nucleus(kept, topP));
  if (minP > 0) {
    const least = kept[0]!.logit + Math.log(minP);
    kept = kept.filter(({ logit }) => logit >= least);
  }
  return kept;
}

/** How many of the likeliest candidates come to at least `topP` of the probability. */
function nucleus(candidates: readonly Candidate[], topP: number): number {
  const highest = candidates[0]!.logit;
  let left = topP * candidates.reduce((sum, { logit }) => sum + Math.exp(logit - highest), 0);
  for (const [index, { logit }] of candidates.entries()) {
    left -= Math.exp(logit - highest);
    if (left <= 0) return index + 1;
  }
  return candidates.length;
}

function merged(a: readonly Candidate[], b: readonly Candidate[]): readonly Candidate[] {
  const all: Candidate[] = [];
  let [at, bt] = [0, 0];
  while (at < a.length || bt < b.length) {
    const takeA = bt >= b.length || (at < a.length && a[at]!.logit >= b[bt]!.logit);
    all.push(takeA ? a[at++]! : b[bt++]!);
  }
  return all;
}

/** Numbers from 0 to 1 that follow from the seed: splitmix32 (Steele, Lea, Flood 2014, with 32-bit constants). */
function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  };
}
