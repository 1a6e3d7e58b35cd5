import { open, readdir } from "node:fs/promises";
import { pipeline, type Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { badRow, type Place } from "./place.ts";
import { WorkloadError } from "./workload.ts";

/** A line is held as a whole; the longest of the known traces has 200,000 characters. */
const lineCharactersMax = 16 * 1024 * 1024;

/** The bytes of a file, unpacked where they are gzip, which begins with 1f 8b (RFC 1952, section 2.3.1). */
export async function openTrace(path: string): Promise<Readable> {
  const file = await open(path);
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(2), 0, 2, 0);
    const packed = file.createReadStream({ start: 0 });
    const isGzip = bytesRead === 2 && buffer[0] === 0x1f && buffer[1] === 0x8b;
    // What fails in the file ends the unpacking too, and so reaches who reads it.
    return isGzip ? pipeline(packed, createGunzip(), () => {}) : packed;
  } catch (error) {
    await file.close();
    throw error;
  }
}

export interface Line extends Place {
  readonly text: string;
}

/** The lines of a file that are not blank. Throws a `WorkloadError` where it cannot be read. */
export async function* readLines(path: string): AsyncGenerator<Line, void, void> {
  try {
    yield* splitLines(path, await openTrace(path));
  } catch (error) {
    throw await readingFailure(path, error);
  }
}

async function* splitLines(path: string, bytes: Readable): AsyncGenerator<Line, void, void> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let line = 1;
  let rest = "";
  for await (const chunk of bytes) {
    const parts = (rest + decoder.decode(chunk as Buffer, { stream: true })).split("\n");
    rest = parts.pop() ?? "";
    if (rest.length > lineCharactersMax) throw badRow({ path, line: line + parts.length }, "the line does not end");
    for (const text of parts) {
      if (text.trim() !== "") yield { path, line, text };
      line++;
    }
  }
  const text = rest + decoder.decode();
  if (text.trim() !== "") yield { path, line, text };
}

const meantSynthetic =
  "; what is generated begins with synthetic: and names models and a rate, such as synthetic:64x0.1";

/** ServeGen's traces come as folders: which files of one can be given. */
async function arrivalsIn(folder: string): Promise<string> {
  const names = (await readdir(folder)).filter((name) => /arrivals\.csv(\.gz)?$/.test(name)).sort();
  return names.length === 0 ? "" : `, of ServeGen's the arrivals: ${names.slice(0, 10).join(", ")}`;
}

/** What people need to know of an error from reading; one that is not known stays as it is. */
export async function readingFailure(path: string, error: unknown): Promise<unknown> {
  if (!(error instanceof Error) || !("code" in error)) return error;
  switch (error.code) {
    case "ENOENT":
      return new WorkloadError(`${path}: there is no such file${/^\w+:\d/.test(path) ? meantSynthetic : ""}`);
    case "EISDIR":
      return new WorkloadError(`${path}: that is a folder; give a file in it${await arrivalsIn(path)}`);
    case "EACCES":
    case "EPERM":
      return new WorkloadError(`${path}: may not be read by this user`);
    case "Z_DATA_ERROR":
    case "Z_BUF_ERROR":
      return new WorkloadError(`${path}: damaged or cut off, it cannot be unpacked (${error.message})`);
    case "ERR_ENCODING_INVALID_ENCODED_DATA":
      return new WorkloadError(`${path}: not a text file (it is not UTF-8)`);
    default:
      return error;
  }
}
