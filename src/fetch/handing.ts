/** What hears of an answer's bytes, and of its end. */
export interface Watching {
  /** Each part as it comes. */
  part(bytes: Uint8Array): void;
  /** Whether the answer has said that it is complete: clients read no further than that. */
  readonly isComplete: boolean;
  /** The last part has come; what waits is handed on when this resolves, or the answer ends with what it throws. */
  end(): Promise<void>;
  /** Whoever reads it does not want the rest, or there is none: it broke off. */
  broken(): void;
}

/** An answer whose bytes are watched on their way, and handed on as they are. */
export function watched(response: Response, watching: Watching, hold: Hold | undefined): Response {
  if (response.body === null) return response;
  const reader = response.body.getReader();
  const passed = (through: Hold, part: Uint8Array): Uint8Array => {
    try {
      return through.pass(part);
    } catch (error) {
      watching.broken();
      // Whoever sends too much is not read on, and how it takes that is nobody's business.
      reader.cancel(error).catch(() => undefined);
      throw error;
    }
  };
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        for (;;) {
          const { done, value } = await reader.read().catch((error: unknown) => {
            watching.broken();
            throw error;
          });
          if (done) {
            await watching.end();
            if (hold !== undefined && hold.held.length > 0) controller.enqueue(hold.held);
            return controller.close();
          }
          watching.part(value);
          const passing = hold === undefined ? value : passed(hold, value);
          if (passing.length > 0) return controller.enqueue(passing);
        }
      },
      async cancel(reason) {
        if (watching.isComplete) return drain(reader, watching);
        watching.broken();
        return reader.cancel(reason);
      },
    },
    // Nothing is read before somebody wants it.
    { highWaterMark: 0 },
  );
  const { status, statusText, headers, url } = response;
  return Object.defineProperty(new Response(body, { status, statusText, headers }), "url", { value: url });
}

/** Reads the little that follows a stream's last frame, as its bytes are digested, too. */
async function drain(reader: ReadableStreamDefaultReader<Uint8Array>, watching: Watching): Promise<void> {
  for (let bytes = 0; bytes <= drainedBytesMax;) {
    const { done, value } = await reader.read();
    if (done) return watching.end();
    watching.part(value);
    bytes += value.length;
  }
  watching.broken();
  return reader.cancel();
}

const drainedBytesMax = 1 << 16;

/** Looks for a stream's end in its bytes as they go by, wherever they are cut. */
export class EndMark {
  readonly #marks: readonly string[];
  #tail = "";
  isSeen = false;

  /** `marks`: of an endpoint's last frames, each holds one. */
  constructor(marks: readonly string[]) {
    this.#marks = marks;
  }

  see(bytes: Uint8Array): void {
    if (this.isSeen || this.#marks.length === 0) return;
    const text = this.#tail + Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
    this.isSeen = this.#marks.some((mark) => text.includes(mark));
    this.#tail = text.slice(-markLengthMax);
  }
}

const markLengthMax = 32;

/** What of an answer is handed on before it is verified. */
export interface Hold {
  /** What may go now; throws where too much would have to wait. */
  pass(bytes: Uint8Array): Uint8Array;
  readonly held: Uint8Array;
}

const heldBytesMax = 64 << 20;
const frameEnd = /\r\n\r\n|\n\n|\r\r/g;
/** Of the longest end, all but its last character: so much of it may have come before. */
const tailLength = 3;

/**
 * Of a stream all goes but its last frame and what follows: clients take that one for the end, and look no further. A frame
 * goes when it is whole; one that merely might be taken for the last waits, too. Of an answer that is no stream nothing goes.
 */
export class EndHold implements Hold {
  readonly #lastFrames: readonly string[] | undefined;
  #parts: Uint8Array[] = [];
  #bytes = 0;
  #isEnding = false;
  #tail = "";

  /** `lastFrames`: as the endpoint's form has them; undefined: it is no stream. */
  constructor(lastFrames: readonly string[] | undefined) {
    this.#lastFrames = lastFrames;
  }

  get held(): Uint8Array {
    return Buffer.concat(this.#parts);
  }

  pass(bytes: Uint8Array): Uint8Array {
    this.#parts.push(bytes);
    this.#bytes += bytes.length;
    if (this.#bytes > heldBytesMax) throw new RangeError(`more than ${heldBytesMax} bytes would wait to be verified`);
    if (this.#lastFrames === undefined || this.#isEnding || !this.#endsFrame(bytes)) return Buffer.alloc(0);
    return this.#wholeFrames(Buffer.concat(this.#parts), this.#lastFrames);
  }

  /** Whether an end has come with this part: a frame that goes on and on is not read again with each of its parts. */
  #endsFrame(bytes: Uint8Array): boolean {
    const text = this.#tail + Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
    this.#tail = text.slice(-tailLength);
    return endOfFrame(text, 0) > 0;
  }

  #wholeFrames(all: Buffer, lastFrames: readonly string[]): Buffer {
    const text = all.toString("latin1");
    let passed = 0;
    for (let end = endOfFrame(text, 0); end > 0; end = endOfFrame(text, passed)) {
      const frame = text.slice(passed, end);
      this.#isEnding = lastFrames.some((mark) => frame.includes(mark));
      if (this.#isEnding) break;
      passed = end;
    }
    this.#parts = [all.subarray(passed)];
    this.#bytes = all.length - passed;
    return all.subarray(0, passed);
  }
}

/** The index behind the blank line that ends the frame from an index on; 0: it has not come yet. */
function endOfFrame(text: string, from: number): number {
  frameEnd.lastIndex = from;
  return frameEnd.test(text) ? frameEnd.lastIndex : 0;
}
