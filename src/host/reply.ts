import type { ServerResponse } from "node:http";
import { errorBody, errorCodes, type Refusal } from "../base/index.ts";

/** One HTTP response: what was begun, whether the client is still there, and whether it reads. */
export class Reply {
  readonly #response: ServerResponse;
  readonly #onGone: () => void;
  #isGone = false;
  #drained: Promise<void> | undefined;
  #resolveDrained: (() => void) | undefined;

  /** `onGone`: the client left before the response had ended. */
  constructor(response: ServerResponse, onGone: () => void) {
    this.#response = response;
    this.#onGone = onGone;
    response.on("close", () => this.#closed());
    response.on("drain", () => this.#readOn());
    response.on("error", () => response.destroy());
  }

  get begun(): boolean {
    return this.#response.headersSent;
  }
  get gone(): boolean {
    return this.#isGone;
  }
  /** Fulfilled once the client has read on; undefined: it keeps up. */
  get drained(): Promise<void> | undefined {
    return this.#drained;
  }

  /** A whole response. `headers`: names and values in turn. */
  whole(status: number, body: Buffer, headers: readonly string[] = []): void {
    if (this.#isGone) return;
    const all = ["content-type", "application/json", "content-length", String(body.length), ...headers];
    this.#response.writeHead(status, all);
    this.#response.end(body);
  }

  json(status: number, value: object, headers: readonly string[] = []): void {
    this.whole(status, Buffer.from(JSON.stringify(value)), headers);
  }

  refuse(refusal: Refusal): void {
    const headers: string[] = [];
    if (refusal.retryAfterSeconds !== undefined) headers.push("retry-after", String(refusal.retryAfterSeconds));
    // An unread body would be taken for the next request: these answers close the connection.
    if (refusal.code === "body_too_large" || refusal.code === "request_timeout") headers.push("connection", "close");
    this.whole(errorCodes[refusal.code].status, Buffer.from(errorBody(refusal)), headers);
  }

  beginStream(headers: readonly string[]): void {
    if (this.#isGone) return;
    const all = ["content-type", "text/event-stream; charset=utf-8", "cache-control", "no-store", ...headers];
    this.#response.writeHead(200, all);
  }

  write(text: string): void {
    if (this.#isGone || this.#response.write(text)) return;
    this.#drained ??= new Promise((resolve) => {
      this.#resolveDrained = resolve;
    });
  }

  end(text: string): void {
    if (!this.#isGone) this.#response.end(text);
  }

  /** Cuts the connection: the client has stopped reading. */
  cut(): void {
    this.#response.destroy();
  }

  #readOn(): void {
    this.#resolveDrained?.();
    this.#drained = undefined;
    this.#resolveDrained = undefined;
  }

  #closed(): void {
    if (this.#response.writableFinished) return;
    this.#isGone = true;
    this.#readOn();
    this.#onGone();
  }
}
