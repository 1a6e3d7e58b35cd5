import type { IncomingMessage, ServerResponse } from "node:http";
import { type Cancel, type Clock, errorBody, errorCodes, type Refusal } from "../base/index.ts";

/** What hears of every body byte that was handed to the socket: the response digest. */
export interface ByteWitness {
  update(bytes: Buffer): void;
}

/** What is handed to the socket at once of a large answer. */
const sliceBytes = 256 * 1024;

/**
 * One answer on its way to the client. It knows whether the client is still there, and lets nothing be written behind
 * a client that left. Exactly the bytes handed to the socket reach the witness.
 */
export class Answer {
  readonly #response: ServerResponse;
  readonly #stall: { readonly clock: Clock; readonly timeoutMs: number };
  readonly #headers: string[] = [];
  #onLeft: (() => void) | undefined;
  #onDrained: (() => void) | undefined;
  #cancelStall: Cancel | undefined;
  #witness: ByteWitness | undefined;
  #left = false;

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
  }

  get begun(): boolean {
    return this.#response.headersSent;
  }
  /** Whether the client left before the answer ended. */
  get left(): boolean {
    return this.#left;
  }
  /** Calls back when the client leaves before the answer has ended. One listener: the latest. */
  onLeft(run: () => void): void {
    if (this.#left) run();
    else this.#onLeft = run;
  }
  /** Calls back whenever a client that had read too slowly has caught up. One listener: the latest. */
  onDrained(run: () => void): void {
    this.#onDrained = run;
  }
  witness(witness: ByteWitness): void {
    this.#witness = witness;
  }
  /** Adds a header to those that the answer will begin with. */
  header(name: string, value: string): void {
    this.#headers.push(name, value);
  }

  /** Names and values in turn. */
  headers(namesAndValues: readonly string[]): void {
    this.#headers.push(...namesAndValues);
  }

  begin(status: number, contentType: string, contentLength?: number): void {
    this.header("content-type", contentType);
    if (contentLength !== undefined) this.header("content-length", String(contentLength));
    this.#response.writeHead(status, this.#headers);
  }

  /** Hands bytes to the socket. False: the client reads slower than they come, and `onDrained` says when it has. */
  write(bytes: Buffer): boolean {
    if (this.#left || bytes.length === 0) return true;
    this.#witness?.update(bytes);
    if (this.#response.write(bytes)) return true;
    if (this.#cancelStall === undefined) {
      this.#boundStall();
      this.#response.once("drain", () => this.#drained());
    }
    return false;
  }

  /** The last bytes. What they say must be on record by now. An answer that has ended already stays as it is. */
  end(bytes?: Buffer): void {
    if (this.#left || this.#response.writableEnded) return;
    if (bytes === undefined || bytes.length === 0) this.#response.end();
    else if (bytes.length > sliceBytes) return this.#endInSlices(bytes);
    else this.#response.end(bytes);
    if ((this.#response.socket?.writableLength ?? 0) > 0) this.#boundStall();
  }

  /** A client may take its time for a large answer, as long as it takes some of it: each slice has the time anew. */
  #endInSlices(bytes: Buffer): void {
    let at = 0;
    while (bytes.length - at > sliceBytes) {
      const slice = bytes.subarray(at, at + sliceBytes);
      at += sliceBytes;
      if (this.#response.write(slice)) continue;
      this.#boundStall();
      this.#response.once("drain", () => {
        this.#endStall();
        if (!this.#left) this.#endInSlices(bytes.subarray(at));
      });
      return;
    }
    this.#response.end(bytes.subarray(at));
    this.#boundStall();
  }

  /** A refusal as the whole answer: no token was computed, and nothing is on record but the refusal. */
  refuse(refusal: Refusal): void {
    if (this.#left) return;
    const body = Buffer.from(errorBody(refusal));
    if (refusal.retryAfterSeconds !== undefined) {
      this.header("retry-after", String(Math.max(1, Math.ceil(refusal.retryAfterSeconds))));
    }
    this.headers(refusal.headers ?? []);
    // OpenAI's clients try a 429 again unless this header says that it cannot help.
    if (!errorCodes[refusal.code].retry) this.header("x-should-retry", "false");
    // An unread body would be taken for the next request: this answer closes the connection.
    if (refusal.code === "body_too_large") this.header("connection", "close");
    this.begin(errorCodes[refusal.code].status, "application/json", body.length);
    this.#response.end(body);
  }

  #boundStall(): void {
    this.#cancelStall ??= this.#stall.clock.after(this.#stall.timeoutMs, () => this.#response.destroy());
  }

  #endStall(): void {
    this.#cancelStall?.();
    this.#cancelStall = undefined;
  }

  #drained(): void {
    this.#endStall();
    this.#onDrained?.();
  }

  #closed(): void {
    this.#cancelStall?.();
    if (this.#response.writableFinished) return;
    this.#left = true;
    this.#onLeft?.();
  }
}
