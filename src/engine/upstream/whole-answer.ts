import type { Head, Reader } from "./exchange.ts";

/** Reads a small answer whole, as promises: for questions that are not on the path of a request. */
export class WholeAnswer implements Reader {
  readonly #maxBytes: number;
  readonly #head = Promise.withResolvers<Head>();
  readonly #whole = Promise.withResolvers<Buffer>();
  #parts: Buffer[] = [];
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
    // Whoever waits for one of the two hears of a failure; the other may be nobody's.
    this.#head.promise.catch(() => undefined);
    this.#whole.promise.catch(() => undefined);
  }

  /** Comes before the body, which need not be waited for. */
  get headed(): Promise<Head> {
    return this.#head.promise;
  }
  /** The whole body. Rejects where the exchange fails, or the body is larger than its bound. */
  get body(): Promise<Buffer> {
    return this.#whole.promise;
  }

  head(head: Head): void {
    this.#head.resolve(head);
  }

  part(bytes: Buffer): void {
    this.#bytes += bytes.length;
    if (this.#bytes <= this.#maxBytes) this.#parts.push(bytes);
    else this.failed(new Error(`the answer is larger than ${this.#maxBytes} bytes`));
  }

  end(): void {
    this.#whole.resolve(Buffer.concat(this.#parts));
  }

  failed(error: Error): void {
    this.#parts = [];
    this.#head.reject(error);
    this.#whole.reject(error);
  }
}
