import type { Stated } from "../receipt/index.ts";
import type { AsOf } from "../verification/index.ts";

/** What was found about one answer. */
export interface AnswerVerdict {
  /** `unchecked`: it could not be found out, for the time being or for good. */
  readonly outcome: "valid" | "invalid" | "unchecked";
  /** "valid", or why it is not. */
  readonly reason: string;
  readonly url: string;
  /** The receipt's id; undefined: the answer named none. */
  readonly receipt: string | undefined;
  /** What was checked and held. */
  readonly checked: readonly string[];
  /** What the receipt states, and the checkpoint as of which that is so; where it is valid. */
  readonly stated: Stated | undefined;
  readonly asOf: AsOf | undefined;
  /** To be kept, as `bailiwick receipt verify` takes them; undefined: it did not come so far. */
  readonly files: AnswerFiles | undefined;
  /** Two checkpoints that the log signed and that contradict each other: they prove to anyone that it has forked. */
  readonly forked: { readonly pinned: string; readonly shown: string } | undefined;
}

export interface AnswerFiles {
  readonly receipt: string;
  readonly proof: string;
  readonly keyStatement: string;
}

/** What a strict wrapper ends an answer with whose receipt does not hold, or cannot be checked. */
export class UnverifiedAnswer extends Error {
  override name = "UnverifiedAnswer";
  readonly verdict: AnswerVerdict;
  constructor(verdict: AnswerVerdict) {
    super(`The answer is not verified: ${verdict.reason}.`);
    this.verdict = verdict;
  }
}

/** What is wrong with an answer, before or behind what its receipt shows. */
export class Wrong extends Error {
  readonly outcome: "invalid" | "unchecked";
  constructor(outcome: "invalid" | "unchecked", reason: string) {
    super(reason);
    this.outcome = outcome;
  }
}
