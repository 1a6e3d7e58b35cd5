import type { Dispatcher } from "undici";

export interface Head {
  readonly status: number;
  readonly contentType: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** Bytes that may wait for a slow reader before the sender is told to pause. */
const highWaterBytes = 256 * 1024;

/**
 * One request on its way through undici's dispatcher and its answer coming back: the head first, then the parts in
 * order. No web streams and no body objects: the parts are the buffers that the socket delivered.
 */
export class Exchange implements Dispatcher.DispatchHandler, AsyncIterator<Buffer>, AsyncIterable<Buffer> {
  readonly head: Promise<Head>;
  #resolveHead!: (head: Head) => void;
  #rejectHead!: (error: Error) => void;
  #controller: Dispatcher.DispatchController | undefined;
  #parts: Buffer[] = [];
  #waitingBytes = 0;
  #paused = false;
  #waiting: { resolve: (result: IteratorResult<Buffer>) => void; reject: (error: Error) => void } | undefined;
  #ended = false;
  #error: Error | undefined;

  constructor() {
    this.head = new Promise((resolve, reject) => {
      this.#resolveHead = resolve;
      this.#rejectHead = reject;
    });
    // The head may fail before anybody asks for it; whoever asks still gets the failure.
    this.head.catch((error: Error) => (this.#error ??= error));
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Buffer>> {
    const part = this.#parts.shift();
    if (part !== undefined) {
      this.#waitingBytes -= part.length;
      if (this.#paused && this.#waitingBytes < highWaterBytes / 2) {
        this.#paused = false;
        this.#controller?.resume();
      }
      return Promise.resolve({ done: false, value: part });
    }
    if (this.#error !== undefined) return Promise.reject(this.#error);
    if (this.#ended) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
  }

  /** Whether nothing more comes: the answer has ended, or has failed. */
  get over(): boolean {
    return this.#ended || this.#error !== undefined;
  }

  /** Ends the exchange from this side: the connection closes, which is how the other side learns of it. */
  abort(reason: Error): void {
    if (this.over) return;
    if (this.#controller === undefined) this.#fail(reason);
    else this.#controller.abort(reason);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#error !== undefined) controller.abort(this.#error);
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    if (status < 200) return;
    const contentType = headers["content-type"];
    this.#resolveHead({ status, headers, contentType: typeof contentType === "string" ? contentType : "" });
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#waiting !== undefined) {
      const { resolve } = this.#waiting;
      this.#waiting = undefined;
      resolve({ done: false, value: chunk });
      return;
    }
    this.#parts.push(chunk);
    this.#waitingBytes += chunk.length;
    if (!this.#paused && this.#waitingBytes > highWaterBytes) {
      this.#paused = true;
      controller.pause();
    }
  }

  onResponseEnd(): void {
    this.#ended = true;
    this.#waiting?.resolve({ done: true, value: undefined });
    this.#waiting = undefined;
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#fail(error);
  }

  #fail(error: Error): void {
    this.#error ??= error;
    this.#rejectHead(error);
    this.#waiting?.reject(error);
    this.#waiting = undefined;
  }
}
