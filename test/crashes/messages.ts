/**
 * Cuts a stream of PostgreSQL's wire protocol into its messages (PostgreSQL 18, 54.2: a type of one byte, then the length of what
 * follows with itself). `hasStart`: the first one, a client's, has no type.
 */
export class Messages {
  #rest = Buffer.alloc(0);
  #isStart: boolean;

  constructor({ hasStart }: { readonly hasStart: boolean }) {
    this.#isStart = hasStart;
  }

  /** The messages that are whole with this; the type of a client's first one is "". */
  take(bytes: Buffer): readonly { readonly type: string; readonly bytes: Buffer }[] {
    this.#rest = Buffer.concat([this.#rest, bytes]);
    const whole: { type: string; bytes: Buffer }[] = [];
    for (;;) {
      const before = this.#isStart ? 0 : 1;
      if (this.#rest.length < before + 4) return whole;
      const length = before + this.#rest.readUInt32BE(before);
      if (this.#rest.length < length) return whole;
      whole.push({
        type: this.#rest.subarray(0, before).toString("latin1"),
        bytes: this.#rest.subarray(0, length),
      });
      this.#rest = this.#rest.subarray(length);
      this.#isStart = false;
    }
  }
}
