import { type Clock, sleep } from "../base/index.ts";
import { type ReadTile, tilesBy } from "../log/index.ts";
import { Wrong } from "./verdict.ts";

/** How a cloud is asked, and for how long. */
export interface Asking {
  readonly fetch: typeof globalThis.fetch;
  readonly clock: Clock;
  /** With a slash at its end. */
  readonly root: string;
  readonly credentials: Readonly<Record<string, string>>;
  /** Ends all that is asked for one answer. */
  readonly signal: AbortSignal;
}

/** What a cloud says of its log. */
export interface AboutLog {
  readonly origin: string;
  readonly keyStatement: number;
}

const receiptBytesMax = 1 << 20;
const proofBytesMax = 1 << 18;
const tileBytesMax = 1 << 14;
const firstPauseMs = 50;
const longestPauseMs = 1_000;

export async function fetchReceipt(asking: Asking, id: string): Promise<Buffer> {
  return present(await get(asking, `v1/receipts/${id}`, receiptBytesMax), "the cloud has no receipt of that id");
}

export async function fetchProof(asking: Asking, id: string): Promise<Buffer> {
  return present(await get(asking, `v1/receipts/${id}/proof`, proofBytesMax), "the cloud has no proof for its receipt");
}

export async function fetchDigestKey(asking: Asking): Promise<Buffer> {
  return present(await get(asking, "v1/receipts/digest-key", receiptBytesMax), "the cloud has no digest key");
}

export async function fetchAboutLog(asking: Asking): Promise<AboutLog> {
  const bytes = present(await get(asking, ".well-known/bailiwick/log", proofBytesMax), "the cloud has no log");
  const { origin, keyStatement } = (jsonOf(bytes) ?? {}) as Partial<AboutLog>;
  if (typeof origin !== "string" || !Number.isSafeInteger(keyStatement)) {
    throw new Wrong("unchecked", "the cloud does not say which log it has");
  }
  return { origin, keyStatement: keyStatement! };
}

export async function fetchKeyStatement(asking: Asking, number: number): Promise<Buffer> {
  const bytes = await get(asking, `log/keys/${number}.tlog-proof`, receiptBytesMax);
  return present(bytes, "the cloud does not show its key statement");
}

export function tilesOf(asking: Asking): ReadTile {
  return tilesBy((path) => get(asking, `log/${path}`, tileBytesMax));
}

function present(bytes: Buffer | undefined, otherwise: string): Buffer {
  if (bytes === undefined) throw new Wrong("invalid", otherwise);
  return bytes;
}

/** Undefined: there is none. What is not there yet, and what fails for a moment, is asked for again until the time is up. */
async function get(asking: Asking, path: string, mostBytes: number): Promise<Buffer | undefined> {
  const { clock, signal } = asking;
  let why = "the time was up";
  for (let pauseMs = firstPauseMs; !signal.aborted; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
    const answer = await once(asking, path, mostBytes);
    if (answer.outcome === "answered") return answer.bytes;
    why = answer.reason;
    await sleep(clock, pauseMs);
  }
  throw new Wrong("unchecked", `${path} could not be had in time: ${why}`);
}

type Answered =
  | { readonly outcome: "answered"; readonly bytes: Buffer | undefined }
  | { readonly outcome: "again"; readonly reason: string };

async function once(asking: Asking, path: string, mostBytes: number): Promise<Answered> {
  const { fetch, root, credentials, signal } = asking;
  let response: Response;
  let bytes: Buffer;
  try {
    // Credentials go where the answer's own went, and nowhere else: a redirect is not followed.
    response = await fetch(`${root}${path}`, { headers: { ...credentials }, signal, redirect: "error" });
    bytes = await readBounded(response, mostBytes);
  } catch (error) {
    if (error instanceof Wrong) throw error;
    return { outcome: "again", reason: (error as Error).message };
  }
  if (response.status === 200) return { outcome: "answered", bytes };
  const isLater = response.headers.get("retry-after") !== null || response.status >= 500 || response.status === 429;
  if (isLater) return { outcome: "again", reason: `it was answered with ${response.status}` };
  if (response.status === 404) return { outcome: "answered", bytes: undefined };
  throw new Wrong("unchecked", `${path} was answered with ${response.status}`);
}

async function readBounded(response: Response, mostBytes: number): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  const reader = response.body?.getReader();
  for (;;) {
    const part = await reader?.read();
    if (part === undefined || part.done) return Buffer.concat(parts);
    bytes += part.value.length;
    if (bytes > mostBytes) {
      await reader!.cancel();
      throw new Wrong("unchecked", `the cloud's answer has more than ${mostBytes} bytes`);
    }
    parts.push(part.value);
  }
}

function jsonOf(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch {
    // What is no JSON says nothing of what the caller asks, and it tells so.
    return undefined;
  }
}
