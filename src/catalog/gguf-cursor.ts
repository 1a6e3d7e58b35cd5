import { refuse, RefusalError } from "../base/index.ts";

/** Bytes at any position: a file, or a buffer in a test. `read` fills as much of the buffer as there is. */
export interface ByteSource {
  readonly sizeBytes: number;
  read(into: Buffer, position: number): Promise<number>;
}

/** Ends the reading with a refusal that says what in the file is wrong; `readGguf` turns it back into a value. */
export function malformed(what: string): never {
  throw new RefusalError(refuse("model_invalid", `Not a GGUF file that can be served: ${what}.`));
}

const windowBytes = 256 * 1024;

/**
 * A place in a little-endian file that moves forward only. Nothing is read past the file's end or past `limitBytes`,
 * and no length that the file states is allocated before it was compared with what the file holds.
 */
export class GgufCursor {
  readonly #source: ByteSource;
  readonly #limitBytes: number;
  #window: Buffer = Buffer.alloc(0);
  #windowStart = 0;
  #position = 0;

  constructor(source: ByteSource, limitBytes: number) {
    this.#source = source;
    this.#limitBytes = limitBytes;
  }

  get position(): number {
    return this.#position;
  }

  /** Bytes that can be taken without reading the file again; long arrays of strings ask this to stay synchronous. */
  get buffered(): number {
    return this.#windowStart + this.#window.length - this.#position;
  }

  /** Makes the next `bytes` available to the synchronous readers below. */
  async need(bytes: number): Promise<void> {
    if (bytes <= this.buffered) return;
    this.#check(bytes);
    const size = Math.min(Math.max(windowBytes, bytes), this.#source.sizeBytes - this.#position);
    const window = Buffer.alloc(size);
    let filled = 0;
    while (filled < size) {
      const read = await this.#source.read(window.subarray(filled), this.#position + filled);
      if (read === 0) malformed("it became shorter while it was read");
      filled += read;
    }
    this.#window = window;
    this.#windowStart = this.#position;
  }

  /** Moves over bytes without reading them. */
  skip(bytes: number): void {
    this.#check(bytes);
    this.#position += bytes;
  }

  take(bytes: number): Buffer {
    const at = this.#position - this.#windowStart;
    this.#position += bytes;
    return this.#window.subarray(at, at + bytes);
  }

  uint8(): number {
    return this.take(1).readUInt8();
  }
  int8(): number {
    return this.take(1).readInt8();
  }
  uint16(): number {
    return this.take(2).readUInt16LE();
  }
  int16(): number {
    return this.take(2).readInt16LE();
  }
  uint32(): number {
    return this.take(4).readUInt32LE();
  }
  int32(): number {
    return this.take(4).readInt32LE();
  }
  uint64(): bigint {
    return this.take(8).readBigUInt64LE();
  }
  int64(): bigint {
    return this.take(8).readBigInt64LE();
  }
  float32(): number {
    return this.take(4).readFloatLE();
  }
  float64(): number {
    return this.take(8).readDoubleLE();
  }

  #check(bytes: number): void {
    const end = this.#position + bytes;
    if (end > this.#source.sizeBytes) {
      malformed(`it ends at byte ${this.#source.sizeBytes}, inside its header (byte ${end} is needed)`);
    }
    if (end > this.#limitBytes) malformed(`its header is longer than ${this.#limitBytes} bytes`);
  }
}
