import { isAscii } from "node:buffer";
import type { Usage } from "../../base/index.ts";
import { type Assembly, dataOf, EventReader, isLastFrame, meaningBytesMax, type Said } from "../../meaning/index.ts";
import type { Endpoint, Json } from "./endpoints.ts";
import { lastString, parseObject } from "./usage.ts";

const none = Buffer.alloc(0);
const newline = 0x0a;
const usageName = '"usage"';
const maxFrameBytes = 1 << 20;
const maxHeldBytes = 2 * maxFrameBytes;
const errorFrameStarts = ['data: {"error"', 'data:{"error"', 'data: {"object":"error"', "event: error"];

/**
 * Passes an event stream's bytes through as they come, and looks only where it must: frames that hold a usage or the
 * end of the stream. The end is held back (it leaves after the record), and the usage frame that only Bailiwick asked
 * for is taken out again. Frames that neither the client nor the books need are not parsed, but where the receipt shall
 * say what was meant: then each is, once, beside its passing.
 */
export class EventStream {
  readonly #endpoint: Endpoint;
  readonly #keepUsageFrame: boolean;
  readonly #endingName: string | undefined;
  /** The beginning of a frame whose rest has not come yet. */
  #begun: Buffer = none;
  #held: Buffer[] = [];
  #heldBytes = 0;
  #counts: Record<string, unknown> | undefined;
  #ending: string | undefined;
  #complete = false;
  #failed = false;
  #meaning: EventReader | undefined;
  #assembledBytes = 0;

  /** `assembly`: what the events mean goes there, as long as they are not too many. */
  constructor(endpoint: Endpoint, keepUsageFrame: boolean, assembly?: Assembly) {
    this.#meaning = assembly === undefined ? undefined : new EventReader(assembly);
    this.#endpoint = endpoint;
    this.#keepUsageFrame = keepUsageFrame;
    this.#endingName = endpoint.endingField === undefined ? undefined : `"${endpoint.endingField}"`;
  }

  /**
   * The bytes of `chunk` (and of what was begun before it) that may leave now. What follows the stream's last frame is
   * nothing. Throws where a frame never ends, or more is held back than an end is made of.
   */
  push(chunk: Buffer): Buffer {
    if (this.#complete) return none;
    const bytes = this.#begun.length === 0 ? chunk : Buffer.concat([this.#begun, chunk]);
    const end = wholeFramesEnd(bytes);
    this.#begun = end === bytes.length ? none : bytes.subarray(end);
    if (this.#begun.length > maxFrameBytes) throw new EventStreamError(`an event exceeds ${maxFrameBytes} bytes`);
    const whole = end === bytes.length ? bytes : bytes.subarray(0, end);
    if (whole.length === 0) return none;
    // One character a byte: searching a string takes a tenth of what searching a buffer takes for each of these.
    const text = whole.toString("latin1");
    this.#assemble(whole, text);
    if (this.#endingName !== undefined) this.#ending = lastString(text, this.#endingName) ?? this.#ending;
    if (this.#held.length === 0 && !this.#failed && !this.#needsALook(text)) return whole;
    return this.#look(whole);
  }

  /** The bytes are over, cleanly: a last frame needs no blank line behind it to be one. */
  finish(): void {
    const rest = this.#begun;
    if (this.#complete || rest.length === 0) return;
    const frame = Buffer.concat([rest, Buffer.from("\n\n")]);
    if (!isLastFrame(frame.toString("utf8"), this.#endpoint.lastFrames)) return;
    this.#begun = none;
    this.#assemble(frame, frame.toString("latin1"));
    this.#look(frame);
  }

  /** What was held back: the end of the stream as the client shall see it. */
  get held(): Buffer {
    return this.#held.length === 1 ? this.#held[0]! : Buffer.concat(this.#held);
  }
  /** Whether the stream said that it is complete. */
  get complete(): boolean {
    return this.#complete;
  }
  /** Whether the stream itself reported an error. */
  get failed(): boolean {
    return this.#failed;
  }
  /** `finish_reason`, `status` or `stop_reason` as the engine last said it. */
  get ending(): string | undefined {
    return this.#ending;
  }
  /** What the stream said, where it came to its end; undefined also where nobody asked for it. */
  get said(): Said | undefined {
    return this.#complete && !this.#failed ? this.#meaning?.said : undefined;
  }
  get usage(): Usage | undefined {
    return this.#counts === undefined ? undefined : this.#endpoint.usage(this.#counts);
  }

  #assemble(whole: Buffer, text: string): void {
    if (this.#meaning === undefined) return;
    this.#assembledBytes += whole.length;
    if (this.#assembledBytes > meaningBytesMax) this.#meaning = undefined;
    else this.#meaning.take(isAscii(whole) ? text : whole.toString("utf8"));
  }

  #needsALook(text: string): boolean {
    if (text.includes(usageName) || text.includes("error")) return true;
    for (const last of this.#endpoint.lastFrames) if (text.includes(last)) return true;
    return false;
  }

  #look(bytes: Buffer): Buffer {
    const passing: Buffer[] = [];
    for (const frame of framesOf(bytes)) {
      const value = frame.includes(usageName) ? parsed(dataOf(frame.toString("utf8"))) : undefined;
      const hasUsage = value !== undefined && this.#takeUsage(value);
      if (startsWithError(frame)) this.#failed = true;
      if (isLastFrame(frame.toString("utf8"), this.#endpoint.lastFrames)) {
        this.#complete = true;
        this.#hold(frame);
        break;
      } else if (hasUsage && this.#endpoint.usageOnRequest && isUsageOnly(value)) {
        if (this.#keepUsageFrame) this.#hold(frame);
      } else if (this.#held.length > 0) this.#hold(frame);
      else passing.push(frame);
    }
    return passing.length === 1 ? passing[0]! : Buffer.concat(passing);
  }

  /** Keeps what an event says of the usage and of the end, where these stand; says whether there is a usage. */
  #takeUsage(value: Json): boolean {
    const ending = this.#endpoint.endingAt(value);
    if (typeof ending === "string") this.#ending = ending;
    const found = this.#endpoint.usageAt(value);
    if (typeof found !== "object" || found === null || Array.isArray(found)) return false;
    this.#counts = { ...this.#counts, ...withoutNulls(found as Json) };
    return true;
  }

  #hold(frame: Buffer): void {
    this.#heldBytes += frame.length;
    if (this.#heldBytes > maxHeldBytes) throw new EventStreamError("its end does not come");
    this.#held.push(frame);
  }
}

/** An upstream's stream that is no event stream. */
export class EventStreamError extends Error {
  override name = "EventStreamError";
}

/** The index behind the last blank line: up to there every frame is whole. */
function wholeFramesEnd(bytes: Buffer): number {
  const { length } = bytes;
  if (length >= 2 && bytes[length - 1] === newline && bytes[length - 2] === newline) return length;
  const unix = bytes.lastIndexOf("\n\n");
  const network = bytes.lastIndexOf("\r\n\r\n");
  return Math.max(unix < 0 ? 0 : unix + 2, network < 0 ? 0 : network + 4);
}

function* framesOf(bytes: Buffer): Generator<Buffer> {
  let start = 0;
  while (start < bytes.length) {
    const unix = bytes.indexOf("\n\n", start);
    const network = bytes.indexOf("\r\n\r\n", start);
    const unixEnd = unix < 0 ? bytes.length : unix + 2;
    const networkEnd = network < 0 ? bytes.length : network + 4;
    const end = Math.min(unixEnd, networkEnd);
    yield bytes.subarray(start, end);
    start = end;
  }
}

function startsWithError(frame: Buffer): boolean {
  return errorFrameStarts.some(
    (start) => frame.length >= start.length && frame.toString("latin1", 0, start.length) === start,
  );
}

/** The extra chunk that `include_usage` brings: no choices. */
function isUsageOnly({ choices }: Json): boolean {
  return Array.isArray(choices) && choices.length === 0;
}

function parsed(data: string): Json | undefined {
  return data.startsWith("{") ? parseObject(data) : undefined;
}

function withoutNulls(found: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(found).filter(([, value]) => value !== null));
}
