import type { LogprobToken, SequencePart } from "../types.ts";

/**
 * The text of an answer on its way out: it ends before the first stop string, and text that may still become one is
 * held back until that is known. A token's logprobs leave with the first of its characters.
 */
export class ContentWriter {
  readonly #stops: readonly string[];
  #held = "";
  /** Characters that have left, and those that came in. */
  #sent = 0;
  #received = 0;
  #logprobs: { readonly at: number; readonly logprob: LogprobToken }[] = [];
  #stopped = false;

  constructor(stops: readonly string[]) {
    this.#stops = stops;
  }

  /** A stop string has appeared: nothing more will leave. */
  get stopped(): boolean {
    return this.#stopped;
  }

  push(text: string, logprob: LogprobToken | undefined): SequencePart | undefined {
    if (logprob !== undefined) this.#logprobs.push({ at: this.#received, logprob });
    this.#received += text.length;
    this.#held += text;
    const stop = firstOf(this.#stops, this.#held);
    if (stop === undefined) return this.#send(this.#held.length - unsure(this.#stops, this.#held));
    this.#stopped = true;
    return this.#send(stop);
  }

  /** What was held back, at the end of an answer. */
  finish(): SequencePart | undefined {
    if (this.#stopped) return undefined;
    const part = this.#send(this.#held.length);
    const logprobs = this.#logprobs.map(({ logprob }) => logprob);
    this.#logprobs = [];
    if (logprobs.length === 0) return part;
    if (part?.type !== "text") return { type: "text", text: "", logprobs };
    return { ...part, logprobs: [...(part.logprobs ?? []), ...logprobs] };
  }

  #send(length: number): SequencePart | undefined {
    if (length === 0) return undefined;
    const text = this.#held.slice(0, length);
    this.#held = this.#held.slice(length);
    this.#sent += length;
    if (this.#logprobs.length === 0) return { type: "text", text };
    const logprobs = this.#logprobs.filter(({ at }) => at < this.#sent).map(({ logprob }) => logprob);
    this.#logprobs = this.#logprobs.slice(logprobs.length);
    return { type: "text", text, logprobs };
  }
}

function firstOf(stops: readonly string[], text: string): number | undefined {
  let first: number | undefined;
  for (const stop of stops) {
    const at = text.indexOf(stop);
    if (at >= 0 && (first === undefined || at < first)) first = at;
  }
  return first;
}

/** The length of the longest end of `text` that one of `strings` begins with. */
export function unsure(strings: readonly string[], text: string): number {
  let longest = 0;
  for (const string of strings) {
    for (let length = Math.min(string.length - 1, text.length); length > longest; length--) {
      if (text.endsWith(string.slice(0, length))) longest = length;
    }
  }
  return longest;
}
