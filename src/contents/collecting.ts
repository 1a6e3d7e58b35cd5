/** What was collected of an answer. */
export interface Collected {
  readonly bytes: Buffer;
  /** It was longer than what is kept of one. */
  readonly isTooLong: boolean;
}

/** Collects an answer's bytes as they leave, up to a bound, and hands each on to who hears of them too. */
export class Collecting {
  readonly #bytesMax: number;
  readonly #also: { update(bytes: Buffer): void };
  #parts: Buffer[] = [];
  #bytes = 0;

  constructor(bytesMax: number, also: { update(bytes: Buffer): void }) {
    this.#bytesMax = bytesMax;
    this.#also = also;
  }

  update(bytes: Buffer): void {
    this.#also.update(bytes);
    this.#bytes += bytes.length;
    if (this.#bytes <= this.#bytesMax) this.#parts.push(bytes);
    else this.#parts = [];
  }

  collected(): Collected {
    return { bytes: Buffer.concat(this.#parts), isTooLong: this.#bytes > this.#bytesMax };
  }
}
