/** A sum over the last so many milliseconds. Times only go forward. */
export class Window {
  readonly #lengthMs: number;
  #entries: { readonly atMs: number; readonly value: number }[] = [];
  #first = 0;
  #sum = 0;

  constructor(lengthMs: number) {
    this.#lengthMs = lengthMs;
  }

  add(value: number, nowMs: number): void {
    this.#entries.push({ atMs: nowMs, value });
    this.#sum += value;
  }

  sum(nowMs: number): number {
    this.#forget(nowMs);
    return this.#sum;
  }

  /** Of the values added; 0 if there are none. */
  mean(nowMs: number): number {
    this.#forget(nowMs);
    const count = this.#entries.length - this.#first;
    return count === 0 ? 0 : this.#sum / count;
  }

  #forget(nowMs: number): void {
    for (; this.#first < this.#entries.length; this.#first++) {
      const entry = this.#entries[this.#first]!;
      if (entry.atMs > nowMs - this.#lengthMs) break;
      this.#sum -= entry.value;
    }
    if (this.#first === this.#entries.length) this.#sum = 0;
    if (this.#first * 2 > this.#entries.length) {
      this.#entries = this.#entries.slice(this.#first);
      this.#first = 0;
    }
  }
}
