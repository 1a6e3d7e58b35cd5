import {
  type Cancel,
  type Ending,
  errorBody,
  errorCodes,
  errorEvent,
  refuse,
  type Refusal,
  type Usage,
  zeroUsage,
} from "../base/index.ts";
import type { Exchange, Head, Reader } from "../engine/index.ts";
import { EventStream, readWhole } from "../gateway/index.ts";
import { answerForm, type Said } from "../meaning/index.ts";
import type { Answering, Cloud } from "./cloud.ts";
import {
  connectionBroke,
  declinedForAll,
  endingOf,
  gaveWay,
  isSilent,
  neverArrived,
  ownRefusalOf,
  refusalOf,
  takesNothing,
} from "./failures.ts";
import type { Placed } from "./place.ts";

/** An answer that is over, but for its last bytes. */
export interface Ran {
  /** What waits for the record. */
  readonly last: Buffer;
  /** What the answer itself said that it used. */
  readonly usage: Usage | undefined;
  readonly ending: Ending;
  /** What the answer says, where it came to its end and its project's receipts tell; undefined: that is not known. */
  readonly said: Said | undefined;
  /** Why it failed, where it did; what the client was told. */
  readonly failure: Refusal | undefined;
  /** Milliseconds (the clock's) at which the first part came. */
  readonly firstPartAtMs: number | undefined;
}

const maxWholeAnswerBytes = 64 << 20;
/** Bytes that may wait for the intent before the sender is told to pause. */
const waitingBytesMax = 256 * 1024;
/** How long a connection may stay open behind a complete stream, to be used again. */
const lingerMs = 1_000;
/** Bytes that may come behind a complete stream: pings, and not a flood. */
const behindBytesMax = 64 * 1024;
const noBytes = Buffer.alloc(0);

/** The host has ended under a request of which nobody has seen anything, or takes none. */
export class Lost {
  /** Whether its next process is worth waiting for: not where it lives and takes nothing new, nor where nobody hears it. */
  readonly comesBack: boolean;
  readonly giveUp: () => Ran;

  constructor(comesBack: boolean, giveUp: () => Ran) {
    this.comesBack = comesBack;
    this.giveUp = giveUp;
  }
}

/** An answer while it runs: what the exchange reads into, and what decides which bytes may leave. */
export class Running implements Reader, Ran {
  last: Buffer = noBytes;
  usage: Usage | undefined;
  ending: Ending = "error";
  said: Said | undefined;
  failure: Refusal | undefined;
  firstPartAtMs: number | undefined;
  readonly #placed: Placed;
  readonly #answer: Answering;
  readonly #cloud: Cloud;
  readonly #over = Promise.withResolvers<Ran | Lost>();
  #exchange: Exchange | undefined;
  #head: Head | undefined;
  /** Set for an answer that is streamed. */
  #events: EventStream | undefined;
  /** A whole answer's parts; a stream's, as long as the intent is not on disk. */
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #isIntentDurable = false;
  #isOver = false;
  #cancelLinger: Cancel = () => undefined;
  #behindBytes = 0;

  constructor(placed: Placed, answer: Answering, cloud: Cloud) {
    this.#placed = placed;
    this.#answer = answer;
    this.#cloud = cloud;
  }

  until(exchange: Exchange, intentDurable: Promise<void>): Promise<Ran | Lost> {
    this.#exchange = exchange;
    this.#answer.onLeft(() => exchange.abort(new ClientLeft()));
    this.#answer.onDrained(() => exchange.resume());
    intentDurable.then(
      () => this.#release(),
      // The record will fail for the same reason, and say so.
      (error: unknown) => exchange.abort(error as Error),
    );
    return this.#over.promise;
  }

  head(head: Head): void {
    this.#head = head;
    const ignored = head.headers["bailiwick-ignored"];
    if (typeof ignored === "string") this.#answer.header("bailiwick-ignored", ignored);
    if (head.status < 400 && head.contentType.startsWith("text/event-stream")) {
      const { endpoint, body } = this.#placed.admitted.call;
      const assembly = this.#cloud.meanings.ofStreams ? answerForm(endpoint.name)?.assemble?.() : undefined;
      this.#events = new EventStream(endpoint, body.fields.includeUsage, assembly);
    }
  }

  part(bytes: Buffer): void {
    if (this.#isOver) return this.#behind(bytes);
    if (this.#events === undefined) return this.#keep(bytes, maxWholeAnswerBytes);
    let passing: Buffer;
    try {
      passing = this.#events.push(bytes);
    } catch (error) {
      return this.#exchange!.abort(error as Error);
    }
    if (passing.length > 0) this.#pass(passing);
    if (this.#events.complete) this.#completed();
  }

  end(): void {
    this.#cancelLinger();
    if (this.#isOver) return;
    if (this.#events !== undefined) this.#endStream(this.#events);
    else if (this.#head!.status >= 300) return this.#refusedThere(this.#head!);
    else this.#endWhole(this.#head!);
    this.#finish();
  }

  failed(error: Error): void {
    this.#cancelLinger();
    if (this.#isOver) return;
    if (!this.#isLost(error)) return this.#fail(error);
    this.#lose(!isSilent(error), () => this.#conclude(error));
  }

  /** Others may take it; `conclude` tells the client where nobody does. */
  #lose(comesBack: boolean, conclude: () => void): void {
    this.#isOver = true;
    this.#placed.destination.ended();
    this.#over.resolve(
      new Lost(comesBack, () => {
        conclude();
        return this;
      }),
    );
  }

  /** Nothing of it was seen, and it did not end for a reason of its own: another process can compute it as well. */
  #isLost(error: Error): boolean {
    const { kind } = this.#placed.destination;
    const isUnseen = !this.#answer.begun && this.firstPartAtMs === undefined && this.#waitingBytes === 0;
    return kind === "host" && isUnseen && !this.#answer.left && connectionBroke(error) && !this.#cloud.draining();
  }

  #fail(error: Error): void {
    this.#conclude(error);
    this.#finish();
  }

  #conclude(error: Error): void {
    // A usage that stands on a chunk of its own or on every one is what was used so far; elsewhere it says less.
    if (this.#placed.admitted.call.endpoint.usageOnRequest) this.usage = this.#events?.usage;
    if (this.#answer.left) this.ending = "abort";
    else {
      const refusal = refusalOf(error);
      const isHostGone = this.#isHostGone(error);
      if (neverArrived(error)) this.usage = zeroUsage;
      if (this.#answer.begun) this.#failStream(refusal);
      else this.#failWhole(refusal);
      if (isHostGone && this.#isIntentDurable) this.#endNow();
    }
  }

  /** Nobody hears the host; or it has broken off a stream that had begun, which its next process does not go on with. */
  #isHostGone(error: Error): boolean {
    return (
      isSilent(error) || (this.#placed.destination.kind === "host" && this.#answer.begun && connectionBroke(error))
    );
  }

  /**
   * The record waits for what the host has counted, as long as it may come back with that; the client does not. All that
   * he is told is an error, of which nothing has to be on record first.
   */
  #endNow(): void {
    this.#answer.write(this.last);
    this.last = noBytes;
    this.#answer.end();
  }

  #pass(bytes: Buffer): void {
    if (this.firstPartAtMs === undefined) this.#beginStream();
    if (!this.#isIntentDurable) {
      this.#keep(bytes, Infinity);
      if (this.#waitingBytes > waitingBytesMax) this.#exchange!.pause();
    } else if (!this.#answer.write(bytes)) this.#exchange!.pause();
  }

  /** The stream has said that it is complete: what its connection still does is nobody's business but the pool's. */
  #completed(): void {
    this.#endStream(this.#events!);
    this.#finish();
    this.#cancelLinger = this.#cloud.clock.after(lingerMs, () =>
      this.#exchange!.abort(new Error("nothing more is read")),
    );
  }

  /** Nobody reads what comes behind the end; a connection that goes on sending is of no use to the pool. */
  #behind(bytes: Buffer): void {
    const before = this.#behindBytes;
    this.#behindBytes += bytes.length;
    if (before > behindBytesMax || this.#behindBytes <= behindBytesMax || this.#events?.complete !== true) return;
    this.#cancelLinger();
    this.#exchange!.abort(new Error("too much comes behind the end"));
  }

  /** The intent is on disk: what waited for it leaves. */
  #release(): void {
    this.#isIntentDurable = true;
    if (this.#events === undefined || this.#isOver) return;
    for (const bytes of this.#taken()) this.#answer.write(bytes);
    this.#exchange!.resume();
  }

  #keep(bytes: Buffer, most: number): void {
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    if (this.#waitingBytes > most) this.#exchange!.abort(new Error(`the answer exceeds ${most} bytes`));
  }

  #taken(): Buffer[] {
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#waitingBytes = 0;
    return waiting;
  }

  /** A stream that ends before its intent is on disk leaves whole, with its last bytes. */
  #endStream(events: EventStream): void {
    if (!this.#answer.begun) this.#beginStream();
    events.finish();
    this.usage = events.usage;
    this.said = events.said;
    if (events.complete && !events.failed) this.ending = endingOf(events.ending);
    else if (!events.failed) return this.#failStream(refuse("engine_failed", "The answer broke off before its end."));
    this.last = joined([...this.#taken(), events.held]);
  }

  #endWhole({ status, contentType }: Head): void {
    this.firstPartAtMs = this.#cloud.clock.monotonicMs();
    this.last = joined(this.#taken());
    const { endpoint } = this.#placed.admitted.call;
    const read = readWhole(this.last, endpoint);
    if (read === undefined) return this.#failWhole(refuse("upstream_invalid", "The upstream's answer is not JSON."));
    this.usage = read.usage;
    this.ending = endingOf(read.ending);
    if (this.#cloud.meanings.ofWhole && read.value !== undefined)
      this.said = answerForm(endpoint.name)?.whole(read.value);
    this.#answer.begin(status, contentType, this.last.length);
  }

  /**
   * The destination refused the request. What it says of the request passes in its own words; what is between it and
   * the operator (a key of theirs, a redirect, a page of some proxy) is not the client's, and is told as a failure.
   */
  #refusedThere(head: Head): void {
    const words = joined(this.#taken());
    if (this.#placed.destination.kind === "host" && takesNothing(head.status, words) && !this.#cloud.draining()) {
      return this.#lose(false, () => this.#refuse(head, words));
    }
    this.#refuse(head, words);
    return this.#finish();
  }

  #refuse({ status, headers }: Head, words: Buffer): void {
    // A refusal comes before any work; another server error may come after some that only the host can count.
    const hadBegun = this.#placed.destination.kind === "host" && gaveWay(status, words);
    this.usage = status < 500 || (status === 503 && !hadBegun) ? zeroUsage : undefined;
    const declined = declinedForAll(status, words);
    if (declined !== undefined) this.#placed.destination.decline(declined);
    const own = ownRefusalOf(status, words);
    if (own !== undefined) return this.#failWhole(own);
    const retryAfter = headers["retry-after"];
    if (typeof retryAfter === "string") this.#answer.header("retry-after", retryAfter);
    this.failure = refuse(status < 500 ? "invalid_request" : "engine_failed", `The engine answered ${status}.`);
    this.last = words;
    this.#answer.begin(status, "application/json", words.length);
  }

  /** The error as an event of a stream that has begun: it leaves at once, the stream's end waits for the record. */
  #failStream(refusal: Refusal): void {
    this.failure = refusal;
    this.ending = "error";
    const event = Buffer.from(errorEvent(refusal));
    if (this.#isIntentDurable) this.#answer.write(event);
    else this.last = joined([...this.#taken(), event]);
  }

  /** The error as the whole answer, which waits for the record like any other. */
  #failWhole(refusal: Refusal): void {
    this.failure = refusal;
    this.ending = "error";
    this.last = Buffer.from(errorBody(refusal));
    if (refusal.retryAfterSeconds !== undefined) {
      this.#answer.header("retry-after", String(Math.ceil(refusal.retryAfterSeconds)));
    }
    this.#answer.begin(errorCodes[refusal.code].status, "application/json", this.last.length);
  }

  #beginStream(): void {
    this.firstPartAtMs ??= this.#cloud.clock.monotonicMs();
    this.#answer.begin(this.#head!.status, this.#head!.contentType);
  }

  #finish(): void {
    this.#isOver = true;
    this.#placed.destination.ended();
    this.#over.resolve(this);
  }
}

class ClientLeft extends Error {
  constructor() {
    super("the client left");
  }
}

function joined(parts: readonly Buffer[]): Buffer {
  const filled = parts.filter(({ length }) => length > 0);
  return filled.length === 1 ? filled[0]! : Buffer.concat(filled);
}
