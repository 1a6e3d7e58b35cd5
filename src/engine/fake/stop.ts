/** Lets text through up to the first stop string; what may be the beginning of one waits. */
export class StopFilter {
  readonly #stops: readonly string[];
  #held = "";
  #stopped = false;

  constructor(stops: readonly string[]) {
    this.#stops = stops;
  }

  get stopped(): boolean {
    return this.#stopped;
  }

  /** The text that may leave now. */
  push(text: string): string {
    const all = this.#held + text;
    const first = Math.min(...this.#stops.map((stop) => all.indexOf(stop)).map((at) => (at < 0 ? Infinity : at)));
    if (first !== Infinity) {
      this.#stopped = true;
      this.#held = "";
      return all.slice(0, first);
    }
    const waiting = Math.max(0, ...this.#stops.map((stop) => beginningAtEnd(all, stop)));
    this.#held = all.slice(all.length - waiting);
    return all.slice(0, all.length - waiting);
  }

  /** What waited in vain: the answer is over. */
  rest(): string {
    const rest = this.#held;
    this.#held = "";
    return rest;
  }
}

/** How many characters at the end of `text` begin `stop`. */
function beginningAtEnd(text: string, stop: string): number {
  for (let length = Math.min(text.length, stop.length - 1); length > 0; length--) {
    if (text.endsWith(stop.slice(0, length))) return length;
  }
  return 0;
}
