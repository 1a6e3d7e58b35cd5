/** Longer keys are not kept: what a client wrote is in some of them. */
const keyLetters = 16_384;

/** Answers by their keys, of which the newest are kept. */
export class Kept<Answer> {
  readonly #most: number;
  readonly #answers = new Map<string, Answer>();

  constructor(most: number) {
    this.#most = most;
  }

  get(key: string): Answer | undefined {
    return this.#answers.get(key);
  }

  set(key: string, answer: Answer): void {
    if (key.length > keyLetters || this.#most < 1) return;
    // The oldest goes, not the least recently used: an order kept on every hit would cost more than it saves.
    const oldest = this.#answers.size >= this.#most ? this.#answers.keys().next() : undefined;
    if (oldest?.done === false) this.#answers.delete(oldest.value);
    this.#answers.set(key, answer);
  }

  clear(): void {
    this.#answers.clear();
  }
}
