import type { EngineTurn, Sequence } from "../types.ts";

/**
 * Tells steps from what sequences report. A step gives each running sequence a token, at about the same time but one
 * after the other: the first report is a step's, and so is the next one of a sequence that has reported already.
 */
export class Steps {
  readonly #reported = new Set<Sequence>();
  #turn: EngineTurn | undefined;

  begin(turn: EngineTurn | undefined): void {
    this.#turn = turn;
    this.#reported.clear();
  }

  /** Nobody is told of tokens that still come. */
  end(): void {
    this.begin(undefined);
  }

  report(sequence: Sequence): void {
    const isNew = this.#reported.size === 0 || this.#reported.has(sequence);
    if (isNew) this.#reported.clear();
    this.#reported.add(sequence);
    if (isNew) this.#turn?.onStep();
  }
}
