/** Who takes part in a round: the key by which it can be withdrawn. */
export interface Participant {
  /** The place of its sequence in the context. */
  readonly place: number;
}

/** What a participant asks of the next round. */
type Waiting =
  | {
      readonly kind: "decode";
      readonly owner: Participant;
      readonly step: () => Promise<void>;
      readonly reject: Reject;
    }
  | {
      readonly kind: "prefill";
      readonly owner: Participant;
      readonly wantedTokens: number;
      readonly step: (tokens: number) => Promise<void>;
      readonly reject: Reject;
    };
type Reject = (error: unknown) => void;

export interface RoundLimits {
  /** Prompt tokens of one round, over all sequences. */
  readonly promptTokens: number;
  /** Prompt tokens of a round in which answers are decoded too, so that they do not stall. */
  readonly promptTokensBesideDecoding: number;
  /** Prompt tokens of one sequence in one round. */
  readonly promptTokensOfOne: number;
}

/**
 * The beat of a model: each round is one pass through the network, one token for every answer that waits for one and a
 * slice of every prompt, within a budget. All steps of a round are asked for together, so that the library puts them in
 * one batch; the next round begins when all have ended.
 *
 * The gate stands here and not in the library's `dispatchSchedule`, which is passed over when every sequence of a
 * context waits, and when one asks again while another's token is still being sampled.
 */
export class Rounds {
  readonly #limits: RoundLimits;
  #waiting: Waiting[] = [];
  #isHeld = false;
  #isScheduled = false;
  #running: Promise<void> | undefined;
  #closed: Error | undefined;

  constructor(limits: RoundLimits) {
    this.#limits = limits;
  }

  /** Takes part in the next round with one step. */
  decode<Result>(owner: Participant, step: () => Promise<Result>): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#add({ kind: "decode", owner, step: () => step().then(resolve, reject), reject });
    });
  }

  /** Takes part in the next round that has room with a slice of at most `wantedTokens`; resolves to its length. */
  prefill(owner: Participant, wantedTokens: number, step: (tokens: number) => Promise<void>): Promise<number> {
    return new Promise((resolve, reject) => {
      const slice = (tokens: number): Promise<void> => step(tokens).then(() => resolve(tokens), reject);
      this.#add({ kind: "prefill", owner, wantedTokens, step: slice, reject });
    });
  }

  /** Takes back what has not begun; what runs ends first. */
  withdraw(owner: Participant, reason: unknown): void {
    const withdrawn = this.#waiting.filter((waiting) => waiting.owner === owner);
    this.#waiting = this.#waiting.filter((waiting) => waiting.owner !== owner);
    for (const { reject } of withdrawn) reject(reason);
  }

  /** After it resolves nothing runs until `release()`. */
  hold(): Promise<void> {
    this.#isHeld = true;
    return this.#running ?? Promise.resolve();
  }

  release(): void {
    this.#isHeld = false;
    this.#schedule();
  }

  /** Fails whatever waits, now and later; resolves when nothing runs any more. */
  async close(error: Error): Promise<void> {
    this.#closed = error;
    for (const { reject } of this.#waiting.splice(0)) reject(error);
    await this.#running;
  }

  #add(waiting: Waiting): void {
    if (this.#closed !== undefined) return waiting.reject(this.#closed);
    this.#waiting.push(waiting);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isScheduled || this.#isHeld || this.#running !== undefined || this.#waiting.length === 0) return;
    this.#isScheduled = true;
    // One turn of the event loop later, so that every answer whose token was just read asks for its next one in time.
    setImmediate(() => {
      this.#isScheduled = false;
      if (this.#isHeld || this.#waiting.length === 0) return;
      this.#running = this.#round().finally(() => {
        this.#running = undefined;
        this.#schedule();
      });
    });
  }

  async #round(): Promise<void> {
    // llama.cpp computes sequences together as long as they follow one another in a batch, and else one by one.
    const waiting = this.#waiting.toSorted((a, b) => a.owner.place - b.owner.place);
    this.#waiting = [];
    const prefills = waiting.filter((one) => one.kind === "prefill");
    const budget =
      prefills.length === waiting.length ? this.#limits.promptTokens : this.#limits.promptTokensBesideDecoding;
    const wanted = prefills.map(({ wantedTokens }) => Math.min(wantedTokens, this.#limits.promptTokensOfOne));
    const shares = fairShares(wanted, budget);
    const steps: Promise<void>[] = [];
    let prefillIndex = 0;
    for (const one of waiting) {
      if (one.kind === "decode") {
        steps.push(one.step());
        continue;
      }
      const tokens = shares[prefillIndex++]!;
      if (tokens === 0) this.#waiting.push(one);
      else steps.push(one.step(tokens));
    }
    await Promise.all(steps);
  }
}

/**
 * Divides a budget: everyone gets an equal part, what one does not need goes to the others, what does not divide to the
 * first. A short prompt therefore never waits for a long one to be done.
 */
export function fairShares(wanted: readonly number[], budget: number): readonly number[] {
  const shares = wanted.map(() => 0);
  let left = budget;
  let open = wanted.map((_, index) => index);
  while (left > 0 && open.length > 0) {
    const part = Math.max(1, Math.floor(left / open.length));
    for (const index of open) {
      const more = Math.min(part, wanted[index]! - shares[index]!, left);
      shares[index]! += more;
      left -= more;
    }
    open = open.filter((index) => shares[index]! < wanted[index]!);
  }
  return shares;
}
