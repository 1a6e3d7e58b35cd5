import type { IncomingMessage, ServerResponse } from "node:http";
import { type Clock, errorBody, errorCodes, type Refusal } from "../base/index.ts";

/** What hears of every body byte that was handed to the socket: the response digest. */
export interface ByteWitness {
  update(bytes: Buffer): void;
}

/**
 * One answer on its way to the client. It knows whether the client is still there, and lets nothing be written behind
 * a client that left. Exactly the bytes handed to the socket reach the witness.
 */
export class Answer {
  readonly #response: ServerResponse;
  readonly #stall: { readonly clock: Clock; readonly timeoutMs: number };
  readonly #headers: string[] = [];
  readonly #onLeft: (() => void)[] = [];
  #witness: ByteWitness | undefined;
  #left = false;
  #drained: (() => void) | undefined;

  /** `stall`: how long a client may leave bytes unread before it counts as gone. */
  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    stall: { readonly clock: Clock; readonly timeoutMs: number },
  ) {
    this.#response = response;
    this.#stall = stall;
    response.on("close", () => this.#closed());
    response.on("error", () => request.destroy());
    response.on("drain", () => this.#wake());
  }

  get begun(): boolean {
    return this.#response.headersSent;
  }
  /** Whether the client left before the answer ended. */
  get left(): boolean {
    return this.#left;
  }
  /** Calls back when the client leaves before the answer has ended. */
  onLeft(run: () => void): void {
    if (this.#left) run();
    else this.#onLeft.push(run);
  }
  witness(witness: ByteWitness): void {
    this.#witness = witness;
  }
  /** Adds a header to those that the answer will begin with. */
  header(name: string, value: string): void {
    this.#headers.push(name, value);
  }

  begin(status: number, contentType: string, contentLength?: number): void {
    this.header("content-type", contentType);
    if (contentLength !== undefined) this.header("content-length", String(contentLength));
    this.#response.writeHead(status, this.#headers);
  }

  /** Hands bytes to the socket; a promise where the client reads slower than they come. */
  write(bytes: Buffer): Promise<void> | undefined {
    if (this.#left || bytes.length === 0) return undefined;
    this.#witness?.update(bytes);
    if (this.#response.write(bytes)) return undefined;
    return new Promise((resolve) => {
      const cancel = this.#stall.clock.after(this.#stall.timeoutMs, () => this.#response.destroy());
      this.#drained = () => {
        cancel();
        resolve();
      };
    });
  }

  /** The last bytes. What they say must be on record by now. */
  end(bytes?: Buffer): void {
    if (this.#left) return;
    if (bytes === undefined || bytes.length === 0) this.#response.end();
    else this.#response.end(bytes);
  }

  /** A refusal as the whole answer: no token was computed, and nothing is on record but the refusal. */
  refuse(refusal: Refusal): void {
    if (this.#left) return;
    const body = Buffer.from(errorBody(refusal));
    if (refusal.retryAfterSeconds !== undefined) {
      this.header("retry-after", String(Math.max(1, Math.ceil(refusal.retryAfterSeconds))));
    }
    // An unread body would be taken for the next request: these answers close the connection.
    if (refusal.code === "body_too_large" || refusal.code === "request_timeout") this.header("connection", "close");
    this.begin(errorCodes[refusal.code].status, "application/json", body.length);
    this.#response.end(body);
  }

  #closed(): void {
    if (this.#response.writableFinished) return;
    this.#left = true;
    this.#wake();
    for (const run of this.#onLeft) run();
  }

  #wake(): void {
    this.#drained?.();
    this.#drained = undefined;
  }
}
