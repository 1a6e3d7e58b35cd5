import { Sorted } from "./sorted.ts";
import type { Speed } from "./types.ts";

/** One of them. */
interface Prompt {
  readonly dueMs: number;
  readonly contextTokens: number;
  readonly tokensLeftMax: number;
  readonly generatedTokens: number;
}

/** Whose they are. */
interface Owner {
  readonly answers: { readonly meanTokens: number };
  kvBytesOf(contextTokens: number, tokensLeftMax: number): number;
}

interface Entry<Item> {
  readonly sequence: Item;
  readonly dueMs: number;
  /** Of two that are due at the same time the one that came first. */
  readonly order: number;
}

/** Prompts that wait on a lane, the earliest due first, and what they are together: known without looking at each. */
export class Prompts<Item extends Prompt> implements Iterable<Item> {
  readonly #owner: Owner;
  readonly #byDue = new Sorted<Entry<Item>>((a, b) => a.dueMs - b.dueMs || a.order - b.order);
  readonly #entries = new Map<Item, Entry<Item>>();
  #added = 0;
  #tokens = 0;
  #tokensSquared = 0;
  #begun = 0;
  #kvBytes = 0;
  /** The mean answer that `#kvBytes` was added up with. */
  #kvMeanTokens = NaN;

  constructor(owner: Owner) {
    this.#owner = owner;
  }

  get length(): number {
    return this.#byDue.size;
  }

  get first(): Item | undefined {
    return this.#byDue.first?.sequence;
  }

  *[Symbol.iterator](): Generator<Item, void, void> {
    for (const { sequence } of this.#byDue) yield sequence;
  }

  add(sequence: Item): void {
    const entry = { sequence, dueMs: sequence.dueMs, order: this.#added++ };
    this.#entries.set(sequence, entry);
    this.#byDue.add(entry);
    this.#count(sequence, 1);
  }

  /** Whether it was there. */
  delete(sequence: Item): boolean {
    const entry = this.#entries.get(sequence);
    if (entry === undefined) return false;
    this.#entries.delete(sequence);
    this.#byDue.delete(entry);
    this.#count(sequence, -1);
    if (this.length === 0) this.#kvMeanTokens = NaN;
    return true;
  }

  /** How long they take to compute, each alone. */
  durationMs(speed: Speed): number {
    return (
      this.length * speed.prefillFixedMs +
      this.#tokens * speed.prefillTokenMs +
      this.#tokensSquared * speed.prefillTokenSquaredMs
    );
  }

  /** What their KV will need. */
  get kvBytes(): number {
    const { meanTokens } = this.#owner.answers;
    if (this.#kvMeanTokens !== meanTokens) {
      this.#kvMeanTokens = meanTokens;
      this.#kvBytes = 0;
      for (const { sequence } of this.#byDue) this.#kvBytes += this.#kvBytesOf(sequence);
    }
    return this.#kvBytes;
  }

  /** Whether any of them has tokens already: its KV was given up. */
  get hasBegun(): boolean {
    return this.#begun > 0;
  }

  #count(sequence: Item, sign: 1 | -1): void {
    const { contextTokens } = sequence;
    this.#tokens += sign * contextTokens;
    this.#tokensSquared += sign * contextTokens * contextTokens;
    if (sequence.generatedTokens > 0) this.#begun += sign;
    if (this.#kvMeanTokens === this.#owner.answers.meanTokens) this.#kvBytes += sign * this.#kvBytesOf(sequence);
    else this.#kvMeanTokens = NaN;
  }

  #kvBytesOf({ contextTokens, tokensLeftMax }: Item): number {
    return this.#owner.kvBytesOf(contextTokens, tokensLeftMax);
  }
}
