import { prefillMs, type Speed, stepMs } from "../../pool/index.ts";

/**
 * What the tokens of one model cost at least, however they are made. A go is one turn of prompts, or one step of a
 * decode turn. The first token of an answer is made by its prompt; each later one either by a decode step or, where the
 * sequence had been dropped, by a prompt of all that there is so far. What a go takes is split: each of its tokens
 * costs at least its `own`, and the go as a whole at least the largest `shared` of its tokens beside these.
 *
 * Kept as sums over contexts, so that any stretch of an answer costs two look-ups.
 */
export class TokenCosts {
  readonly #promptFixedMs: number;
  readonly #speed: Speed;
  readonly #fastest: Speed;
  readonly #ownMs: Float64Array;
  readonly #sharedMs: Float64Array;
  readonly #leastMs: Float64Array;

  /** Costs are those of `speed`; how soon a token can be there at all is told by `fastest`, no slower in anything. */
  constructor(speed: Speed, fastest: Speed, contextTokensMax: number) {
    this.#speed = speed;
    this.#fastest = fastest;
    this.#promptFixedMs = speed.prefillFixedMs;
    this.#ownMs = new Float64Array(contextTokensMax + 1);
    this.#sharedMs = new Float64Array(contextTokensMax + 1);
    this.#leastMs = new Float64Array(contextTokensMax + 1);
    for (let context = 1; context <= contextTokensMax; context++) {
      const { ownMs, sharedMs } = tokenMs(speed, context);
      this.#ownMs[context] = this.#ownMs[context - 1]! + ownMs;
      this.#sharedMs[context] = this.#sharedMs[context - 1]! + sharedMs;
      this.#leastMs[context] = this.#leastMs[context - 1]! + aloneMs(fastest, context);
    }
  }

  /** Of the tokens number `from` to `to - 1`. */
  ownMs(inputTokens: number, from: number, to: number): number {
    if (to <= from) return 0;
    const prompt = from === 0 ? prefillMs(this.#speed, inputTokens) - this.#promptFixedMs : 0;
    return prompt + this.#ownMs[inputTokens + to - 1]! - this.#ownMs[inputTokens + Math.max(from, 1) - 1]!;
  }

  /** Of the tokens number `from` to `to - 1`. */
  sharedMs(inputTokens: number, from: number, to: number): number {
    if (to <= from) return 0;
    const prompt = from === 0 ? this.#promptFixedMs : 0;
    return prompt + this.#sharedMs[inputTokens + to - 1]! - this.#sharedMs[inputTokens + Math.max(from, 1) - 1]!;
  }

  /** How long after the arrival the go that makes the token begins, at the earliest. */
  soonestMs(inputTokens: number, token: number): number {
    if (token === 0) return 0;
    const decoded = this.#leastMs[inputTokens + token - 1]! - this.#leastMs[inputTokens]!;
    return prefillMs(this.#fastest, inputTokens) + decoded;
  }
}

/** A token behind so much context, not an answer's first. */
function tokenMs(speed: Speed, context: number): { ownMs: number; sharedMs: number } {
  const again = prefillMs(speed, context) - speed.prefillFixedMs;
  const decoded = stepMs(speed, 1, context) - speed.decodeFixedMs;
  const ownMs = Math.min(again, decoded);
  return { ownMs, sharedMs: aloneMs(speed, context) - ownMs };
}

function aloneMs(speed: Speed, context: number): number {
  return Math.min(prefillMs(speed, context), stepMs(speed, 1, context));
}
