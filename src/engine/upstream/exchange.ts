import type { Dispatcher } from "undici";

export interface Head {
  readonly status: number;
  readonly contentType: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/**
 * Who reads an answer as it comes. Called by the socket itself, so it neither waits nor throws: whoever cannot take
 * more pauses the exchange. Either `end` or `failed` comes last, once.
 */
export interface Reader {
  head(head: Head): void;
  /** The bytes are the reader's to keep. */
  part(bytes: Buffer): void;
  end(): void;
  failed(error: Error): void;
}

/** Heads such as "100 Continue" that may come before the answer's. */
const informationalMax = 16;

/**
 * One request on its way through undici's dispatcher and its answer coming back. No web streams, no body objects and no
 * promise a part: the parts are the buffers that the socket delivered, handed on in the turn in which they came.
 */
export class Exchange implements Dispatcher.DispatchHandler {
  readonly #reader: Reader;
  #controller: Dispatcher.DispatchController | undefined;
  #aborted: Error | undefined;
  #over = false;
  #informational = 0;

  constructor(reader: Reader) {
    this.#reader = reader;
  }

  /** Whether nothing more comes: the answer has ended, or has failed. */
  get over(): boolean {
    return this.#over;
  }

  pause(): void {
    if (!this.#over) this.#controller?.pause();
  }

  resume(): void {
    if (!this.#over) this.#controller?.resume();
  }

  /** Ends the exchange from this side: the connection closes, which is how the other side learns of it. */
  abort(reason: Error): void {
    if (this.#over) return;
    this.#aborted ??= reason;
    if (this.#controller === undefined) this.#fail(reason);
    else this.#controller.abort(reason);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#aborted !== undefined) controller.abort(this.#aborted);
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    if (this.#over) return;
    if (status < 200) {
      // Each of them starts the wait for the answer's head anew.
      if (++this.#informational > informationalMax) controller.abort(new Error("the answer's head does not come"));
      return;
    }
    const contentType = headers["content-type"];
    this.#reader.head({ status, headers, contentType: typeof contentType === "string" ? contentType : "" });
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (!this.#over) this.#reader.part(chunk);
  }

  onResponseEnd(): void {
    if (this.#over) return;
    this.#over = true;
    this.#reader.end();
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#fail(error);
  }

  #fail(error: Error): void {
    if (this.#over) return;
    this.#over = true;
    this.#reader.failed(error);
  }
}
