import { createHash, type Hash } from "node:crypto";
import { type FileHandle, open, rm } from "node:fs/promises";

/** A file on its way: written beside its final place and hashed while it is written. */
export class Landing {
  readonly path: string;
  readonly #file: FileHandle;
  #hash: Hash;
  #receivedBytes: number;

  private constructor(path: string, file: FileHandle, hash: Hash, receivedBytes: number) {
    this.path = path;
    this.#file = file;
    this.#hash = hash;
    this.#receivedBytes = receivedBytes;
  }

  /** Opens `path`, continuing after what is there; what is there is read once, for the digest. */
  static async open(path: string, signal?: AbortSignal): Promise<Landing> {
    const file = await open(path, "a+");
    try {
      const hash = createHash("sha256");
      const { size } = await file.stat();
      await hashInto(hash, file, size, signal);
      return new Landing(path, file, hash, size);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  get receivedBytes(): number {
    return this.#receivedBytes;
  }

  async write(chunk: Uint8Array): Promise<void> {
    let written = 0;
    while (written < chunk.length) {
      written += (await this.#file.write(chunk, written)).bytesWritten;
    }
    this.#hash.update(chunk);
    this.#receivedBytes += chunk.length;
  }

  /** Back to an empty file. */
  async restart(): Promise<void> {
    await this.#file.truncate(0);
    this.#hash = createHash("sha256");
    this.#receivedBytes = 0;
  }

  /** Lower-case hex of what was received so far. */
  sha256(): string {
    return this.#hash.copy().digest("hex");
  }

  /** Puts the bytes on the disk itself, so that a rename never names a file that a power cut empties. */
  async sync(): Promise<void> {
    await this.#file.sync();
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  async discard(): Promise<void> {
    await this.close();
    await rm(this.path, { force: true });
  }
}

const blockBytes = 1024 * 1024;

async function hashInto(
  hash: Hash,
  file: FileHandle,
  sizeBytes: number,
  signal?: AbortSignal,
  onBytes?: (readBytes: number) => void,
): Promise<void> {
  const block = Buffer.alloc(Math.min(blockBytes, Math.max(1, sizeBytes)));
  let position = 0;
  while (position < sizeBytes) {
    signal?.throwIfAborted();
    const { bytesRead } = await file.read(block, 0, block.length, position);
    if (bytesRead === 0) break;
    hash.update(block.subarray(0, bytesRead));
    position += bytesRead;
    onBytes?.(position);
  }
}

/** The SHA-256 of a file, lower-case hex. `onBytes` hears how many bytes have been read. */
export async function sha256OfFile(
  path: string,
  signal?: AbortSignal,
  onBytes?: (readBytes: number) => void,
): Promise<string> {
  const file = await open(path, "r");
  try {
    const hash = createHash("sha256");
    await hashInto(hash, file, (await file.stat()).size, signal, onBytes);
    return hash.digest("hex");
  } finally {
    await file.close();
  }
}
