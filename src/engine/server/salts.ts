/** Salts of their own that are kept; with more of them every tenant's is replaced. */
const keptMax = 10_000;

/**
 * What a program tells the prompts of one tenant by. Another salt after each forgetting: what was cached under the one
 * before is found by no prompt any more, also where answers that run keep the program from clearing it, and nobody
 * else's cache is lost. Never is a salt used again, also not by the next model that a program which slept serves.
 */
export class Salts {
  readonly #entropy: (count: number) => Buffer;
  readonly #replaced = new Map<string, string>();
  #ofOthers: string;

  constructor(entropy: (count: number) => Buffer) {
    this.#entropy = entropy;
    this.#ofOthers = this.#fresh();
  }

  of(tenant: string): string {
    return `${tenant}-${this.#replaced.get(tenant) ?? this.#ofOthers}`;
  }

  /** undefined: of all. */
  forget(tenant: string | undefined): void {
    if (tenant !== undefined && this.#replaced.size < keptMax) {
      this.#replaced.set(tenant, this.#fresh());
      return;
    }
    this.#replaced.clear();
    this.#ofOthers = this.#fresh();
  }

  #fresh(): string {
    return this.#entropy(16).toString("hex");
  }
}
