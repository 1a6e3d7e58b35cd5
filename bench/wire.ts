/**
 * A small HTTP/1.1 message reader for both ends of a bench: the load generator reads answers with it, the backend reads
 * requests. It exists because node:http costs about as much as the gateways under test, and on a machine with few cores
 * what the ends use is taken from what is measured. It knows Content-Length and chunked bodies (RFC 9112, sections 6 and
 * 7) and refuses everything else; bodies of unknown length are an error here.
 */
export interface MessageHandler {
  /** The start line and the header lines, without the empty line. */
  head(head: string): void;
  /** Part of the body, without its framing. Valid only during the call. */
  body(part: Buffer): void;
  end(): void;
}

const headEnd = Buffer.from("\r\n\r\n");
const maximumHeadBytes = 64 * 1024;

export class MessageReader {
  readonly #handler: MessageHandler;
  /** Bytes of a head or of a chunk's size line that arrived in part. */
  #partial: Buffer = Buffer.alloc(0);
  #state: "head" | "length" | "chunk-size" | "chunk" | "chunk-end" | "trailer" = "head";
  #remainingBytes = 0;

  constructor(handler: MessageHandler) {
    this.#handler = handler;
  }

  /** Whether the reader stands between two messages. */
  get idle(): boolean {
    return this.#state === "head" && this.#partial.length === 0;
  }

  read(received: Buffer): void {
    let bytes = this.#partial.length === 0 ? received : Buffer.concat([this.#partial, received]);
    this.#partial = Buffer.alloc(0);
    while (bytes.length > 0) {
      const consumed = this.#step(bytes);
      if (consumed === 0) {
        if (bytes.length > maximumHeadBytes) throw new Error("a head or chunk size line without end");
        this.#partial = bytes;
        return;
      }
      bytes = bytes.subarray(consumed);
    }
  }

  /** Handles one piece of `bytes` and says how many bytes that was; 0 asks for more. */
  #step(bytes: Buffer): number {
    if (this.#state === "head") return this.#readHead(bytes);
    if (this.#state === "chunk-size") return this.#readChunkSize(bytes);
    if (this.#state === "chunk-end" || this.#state === "trailer") return this.#readLine(bytes);
    const taken = Math.min(this.#remainingBytes, bytes.length);
    this.#handler.body(taken === bytes.length ? bytes : bytes.subarray(0, taken));
    this.#remainingBytes -= taken;
    if (this.#remainingBytes === 0) {
      if (this.#state === "length") this.#finish();
      else this.#state = "chunk-end";
    }
    return taken;
  }

  #readHead(bytes: Buffer): number {
    const end = bytes.indexOf(headEnd);
    if (end < 0) return 0;
    const head = bytes.toString("latin1", 0, end);
    const fields = head.toLowerCase();
    this.#handler.head(head);
    const length = /\r\ncontent-length: *(\d+)/.exec(fields)?.[1];
    if (length !== undefined) {
      this.#remainingBytes = Number(length);
      this.#state = "length";
      if (this.#remainingBytes === 0) this.#finish();
    } else if (/\r\ntransfer-encoding: *chunked/.test(fields)) {
      this.#state = "chunk-size";
    } else if (fields.startsWith("get ")) {
      this.#finish();
    } else {
      throw new Error(`a message whose length is unknown: ${head}`);
    }
    return end + headEnd.length;
  }

  #readChunkSize(bytes: Buffer): number {
    const end = bytes.indexOf("\r\n");
    if (end < 0) return 0;
    const size = Number.parseInt(bytes.toString("latin1", 0, end), 16);
    if (!Number.isInteger(size)) throw new Error(`not a chunk size: ${bytes.toString("latin1", 0, end)}`);
    this.#remainingBytes = size;
    this.#state = size === 0 ? "trailer" : "chunk";
    return end + 2;
  }

  /** The line break after a chunk, or the trailer section, which ends with an empty line. */
  #readLine(bytes: Buffer): number {
    const end = bytes.indexOf("\r\n");
    if (end < 0) return 0;
    if (this.#state === "chunk-end") this.#state = "chunk-size";
    else if (end === 0) this.#finish();
    return end + 2;
  }

  #finish(): void {
    this.#state = "head";
    this.#handler.end();
  }
}

/** Counts the server-sent events of one stream: each ends with an empty line, wherever the reads cut it. */
export class EventCounter {
  count = 0;
  #endsInBreak = false;

  read(part: Buffer): void {
    if (part.length === 0) return;
    let from = 0;
    if (this.#endsInBreak && part[0] === 0x0a) {
      this.count += 1;
      from = 1;
    }
    let tail = from;
    for (let at = part.indexOf("\n\n", from); at >= 0; at = part.indexOf("\n\n", tail)) {
      this.count += 1;
      tail = at + 2;
    }
    this.#endsInBreak = part.length > tail && part[part.length - 1] === 0x0a;
  }
}
