import { Sorted } from "./sorted.ts";
import type { PoolRequest, Speed } from "./types.ts";

/** One of them. */
interface Prompt {
  readonly request: Pick<PoolRequest, "objective" | "isPreemptible">;
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
  readonly isPreemptible: boolean;
  readonly dueMs: number;
  /** Of two that are due at the same time the one that came first. */
  readonly order: number;
}

/** Of prompts that were promised their first tokens about as soon as each other. */
interface Sums {
  count: number;
  tokens: number;
  tokensSquared: number;
  kvBytes: number;
}

/** Who is promised a first token twice as late is in the next; what gives way is in the last. */
function classOf({ objective, isPreemptible }: Prompt["request"]): number {
  return isPreemptible === true ? Infinity : Math.ceil(Math.log2(objective.ttftMs));
}

/**
 * Prompts that wait on a lane, the earliest due first, what gives way behind all others; and what they are together: known without
 * looking at each.
 */
export class Prompts<Item extends Prompt> implements Iterable<Item> {
  readonly #owner: Owner;
  readonly #byDue = new Sorted<Entry<Item>>(
    (a, b) => Number(a.isPreemptible) - Number(b.isPreemptible) || a.dueMs - b.dueMs || a.order - b.order,
  );
  readonly #entries = new Map<Item, Entry<Item>>();
  readonly #sums = new Map<number, Sums>();
  #added = 0;
  #begun = 0;
  /** The mean answer that the bytes were added up with. */
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
    const isPreemptible = sequence.request.isPreemptible === true;
    const entry = { sequence, isPreemptible, dueMs: sequence.dueMs, order: this.#added++ };
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

  /** How many of them do not give way to a request. */
  lengthBeside({ isPreemptible }: Pick<PoolRequest, "isPreemptible">): number {
    return isPreemptible === true ? this.length : this.length - (this.#sums.get(Infinity)?.count ?? 0);
  }

  /** How many of them come before a request that came now. */
  lengthBefore(request: PoolRequest): number {
    let count = 0;
    for (const sums of this.#before(request)) count += sums.count;
    return count;
  }

  /** How long those take to compute, each alone, that come before a request that came now. */
  durationMs(speed: Speed, request: PoolRequest): number {
    let durationMs = 0;
    for (const { count, tokens, tokensSquared } of this.#before(request)) {
      durationMs +=
        count * speed.prefillFixedMs + tokens * speed.prefillTokenMs + tokensSquared * speed.prefillTokenSquaredMs;
    }
    return durationMs;
  }

  /** What the KV of those will need. */
  kvBytes(request: PoolRequest): number {
    const { meanTokens } = this.#owner.answers;
    if (this.#kvMeanTokens !== meanTokens) {
      this.#kvMeanTokens = meanTokens;
      for (const sums of this.#sums.values()) sums.kvBytes = 0;
      for (const { sequence } of this.#byDue)
        this.#sums.get(classOf(sequence.request))!.kvBytes += this.#kvBytesOf(sequence);
    }
    let kvBytes = 0;
    for (const sums of this.#before(request)) kvBytes += sums.kvBytes;
    return kvBytes;
  }

  *#before(request: PoolRequest): Generator<Sums, void, void> {
    const own = classOf(request);
    for (const [each, sums] of this.#sums) if (each <= own) yield sums;
  }

  /** Whether any of them has tokens already: its KV was given up. */
  get hasBegun(): boolean {
    return this.#begun > 0;
  }

  #count(sequence: Item, sign: 1 | -1): void {
    const { contextTokens } = sequence;
    const own = classOf(sequence.request);
    const sums = this.#sums.get(own) ?? { count: 0, tokens: 0, tokensSquared: 0, kvBytes: 0 };
    sums.count += sign;
    sums.tokens += sign * contextTokens;
    sums.tokensSquared += sign * contextTokens * contextTokens;
    if (sequence.generatedTokens > 0) this.#begun += sign;
    if (this.#kvMeanTokens === this.#owner.answers.meanTokens) sums.kvBytes += sign * this.#kvBytesOf(sequence);
    else this.#kvMeanTokens = NaN;
    if (sums.count === 0) this.#sums.delete(own);
    else this.#sums.set(own, sums);
  }

  #kvBytesOf({ contextTokens, tokensLeftMax }: Item): number {
    return this.#owner.kvBytesOf(contextTokens, tokensLeftMax);
  }
}
