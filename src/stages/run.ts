import { type Ending, errorBody, errorCodes, refuse, type Refusal, type Usage, zeroUsage } from "../base/index.ts";
import type { Exchange, Head } from "../engine/index.ts";
import { EventStream, lastString, lastUsage } from "../gateway/index.ts";
import type { Answering, Cloud } from "./cloud.ts";
import type { Placed } from "./place.ts";

const maxWholeAnswerBytes = 64 << 20;
const noBytes = Buffer.alloc(0);

/** Sends the request to where it was placed; reading what this returns runs it. */
export function run(placed: Placed, answer: Answering, cloud: Cloud): Running {
  const { admitted, destination, offer } = placed;
  const { call } = admitted;
  const exchange = destination.send({
    request: call.id,
    tenant: admitted.holder.project.id,
    path: call.endpoint.path,
    body: call.body.bytesFor({
      upstreamName: offer.upstreamName,
      cacheSalt: destination.cacheSalt ? admitted.holder.project.id : undefined,
      maxTokens: cloud.limits.defaultMaxTokens,
    }),
    headers: call.protocolHeaders,
    warnUnsupported: admitted.holder.project.unsupported === "warn",
  });
  return new Running(placed, exchange, answer, cloud);
}

/**
 * An answer while it runs. Iterating yields the bytes that may leave at once; afterwards `last` holds those that wait
 * for the record, and `usage` and `ending` what the answer itself said. It never throws: an engine that dies or an
 * upstream that breaks off is an ending.
 */
export class Running implements AsyncIterable<Buffer> {
  last: Buffer = noBytes;
  usage: Usage | undefined;
  ending: Ending = "error";
  /** Why it failed, where it did; what the client was told. */
  failure: Refusal | undefined;
  /** Milliseconds (the clock's) at which the first part came. */
  firstPartAtMs: number | undefined;
  readonly #placed: Placed;
  readonly #exchange: Exchange;
  readonly #answer: Answering;
  readonly #cloud: Cloud;

  constructor(placed: Placed, exchange: Exchange, answer: Answering, cloud: Cloud) {
    this.#placed = placed;
    this.#exchange = exchange;
    this.#answer = answer;
    this.#cloud = cloud;
    answer.onLeft(() => exchange.abort(new ClientLeft()));
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer, void> {
    try {
      const head = await this.#exchange.head;
      const ignored = head.headers["bailiwick-ignored"];
      if (typeof ignored === "string") this.#answer.header("bailiwick-ignored", ignored);
      if (head.status >= 400) await this.#refusedThere(head);
      else if (head.contentType.startsWith("text/event-stream")) yield* this.#stream(head.status, head.contentType);
      else await this.#whole(head.status, head.contentType);
    } catch (error) {
      yield* this.#broken(error);
    } finally {
      // A reader that stops early (the journal failed) must not leave the engine computing for nobody.
      if (!this.#exchange.over) this.#exchange.abort(new ClientLeft());
      this.#placed.destination.ended();
    }
  }

  async *#stream(status: number, contentType: string): AsyncGenerator<Buffer, void> {
    const { endpoint, body } = this.#placed.admitted.call;
    const events = new EventStream(endpoint, body.fields.includeUsage);
    for await (const chunk of this.#exchange) {
      const passing = events.push(chunk);
      if (passing.length === 0) continue;
      if (this.firstPartAtMs === undefined) this.#begin(status, contentType);
      yield passing;
    }
    this.usage = events.usage;
    if (!this.#answer.begun) this.#answer.begin(status, contentType);
    this.last = events.held;
    if (events.complete && !events.failed) this.ending = endingOf(events.ending);
    else if (!events.failed) {
      yield this.#errorEvent(refuse("engine_failed", "The answer broke off before its end."));
    }
  }

  async #whole(status: number, contentType: string): Promise<void> {
    const { endpoint } = this.#placed.admitted.call;
    this.last = await this.#everything();
    this.firstPartAtMs = this.#cloud.clock.monotonicMs();
    if (!looksLikeJson(this.last)) {
      return this.#fail(refuse("upstream_invalid", "The upstream's answer is not JSON."));
    }
    this.usage = lastUsage(this.last, endpoint);
    const said = endpoint.endingField && lastString(this.last, Buffer.from(`"${endpoint.endingField}"`));
    this.ending = endingOf(said);
    this.#answer.begin(status, contentType, this.last.length);
  }

  /** The destination refused the request: its own words pass, and nothing was computed. */
  async #refusedThere(head: Head): Promise<void> {
    const { status, contentType } = head;
    const retryAfter = head.headers["retry-after"];
    this.last = await this.#everything();
    // A refusal comes before any work; another server error may come after some that only the host can count.
    this.usage = status < 500 || status === 503 ? zeroUsage : undefined;
    if (typeof retryAfter === "string") this.#answer.header("retry-after", retryAfter);
    this.failure = refuse(status < 500 ? "invalid_request" : "engine_failed", `The engine answered ${status}.`);
    this.#answer.begin(status, contentType === "" ? "application/json" : contentType, this.last.length);
  }

  async #everything(): Promise<Buffer> {
    const parts: Buffer[] = [];
    let bytes = 0;
    for await (const part of this.#exchange) {
      bytes += part.length;
      if (bytes > maxWholeAnswerBytes) throw new Error(`the answer exceeds ${maxWholeAnswerBytes} bytes`);
      parts.push(part);
    }
    return parts.length === 1 ? parts[0]! : Buffer.concat(parts, bytes);
  }

  async *#broken(error: unknown): AsyncGenerator<Buffer, void> {
    if (this.#answer.left) {
      this.ending = "abort";
      this.last = noBytes;
      return;
    }
    const refusal = refusalOf(error);
    if (neverArrived(error)) this.usage = zeroUsage;
    if (this.#answer.begun) yield this.#errorEvent(refusal);
    else this.#fail(refusal);
  }

  /** The error as an event of a stream that has begun: it leaves at once, the stream's end waits for the record. */
  #errorEvent(refusal: Refusal): Buffer {
    this.failure = refusal;
    this.ending = "error";
    this.last = noBytes;
    return Buffer.from(`data: ${errorBody(refusal)}\n\n`);
  }

  /** The error as the whole answer, which waits for the record like any other. */
  #fail(refusal: Refusal): void {
    this.failure = refusal;
    this.ending = "error";
    this.last = Buffer.from(errorBody(refusal));
    if (refusal.retryAfterSeconds !== undefined) {
      this.#answer.header("retry-after", String(Math.ceil(refusal.retryAfterSeconds)));
    }
    this.#answer.begin(errorCodes[refusal.code].status, "application/json", this.last.length);
  }

  #begin(status: number, contentType: string): void {
    this.firstPartAtMs = this.#cloud.clock.monotonicMs();
    this.#answer.begin(status, contentType);
  }
}

class ClientLeft extends Error {
  constructor() {
    super("the client left");
  }
}

function endingOf(said: string | undefined): Ending {
  switch (said) {
    case "length":
    case "max_tokens":
    case "incomplete":
      return "length";
    case "tool_calls":
    case "function_call":
    case "tool_use":
      return "tool";
    case "failed":
      return "error";
    default:
      return "stop";
  }
}

function looksLikeJson(bytes: Buffer): boolean {
  const text = bytes.subarray(0, 64).toString("latin1").trimStart();
  return (text.startsWith("{") || text.startsWith("[")) && /[}\]]\s*$/.test(bytes.subarray(-64).toString("latin1"));
}

const codeOf = (error: unknown): unknown => (error as { code?: unknown } | null)?.code;

/** Whether the request certainly never reached the destination, so that nothing can have been computed. */
function neverArrived(error: unknown): boolean {
  return ["ECONNREFUSED", "ENOENT", "ENOTFOUND", "EAI_AGAIN", "UND_ERR_CONNECT_TIMEOUT"].includes(
    String(codeOf(error)),
  );
}

function refusalOf(error: unknown): Refusal {
  switch (codeOf(error)) {
    case "UND_ERR_HEADERS_TIMEOUT":
    case "UND_ERR_BODY_TIMEOUT":
      return refuse("engine_timeout", "The engine did not answer in time.");
    case "ECONNREFUSED":
    case "ENOENT":
    case "ENOTFOUND":
    case "EAI_AGAIN":
    case "UND_ERR_CONNECT_TIMEOUT":
      return refuse("engine_unavailable", "The engine cannot be reached.", { retryAfterSeconds: 2 });
    default:
      return error instanceof Error && error.name === "EventStreamError"
        ? refuse("upstream_invalid", `The upstream's stream is not valid: ${error.message}.`)
        : refuse("engine_failed", "The engine ended during this request.");
  }
}
