import { downloadFile, fileDownloadInfo, type FileDownloadInfoOutput, HubApiError } from "@huggingface/hub";
import { Agent, type Dispatcher, fetch as undiciFetch } from "undici";
import type { HubPart } from "./source.ts";

/** How the Hugging Face Hub is reached. */
export interface HubSettings {
  /** A mirror's base URL; undefined: the client's own default. */
  readonly url: string | undefined;
  /** For gated repositories, from the environment that the operator named; begins with `hf_`. */
  readonly accessToken: string | undefined;
  /** A proxy, where the operator has one; undefined: straight. */
  readonly dispatcher: Dispatcher | undefined;
}

export interface HubFile {
  readonly sizeBytes: number;
  /** Changes when the file changes. */
  readonly etag: string;
  /** What the hub itself says is the file's SHA-256 (the ETag of a file in Git LFS); undefined where it does not. */
  readonly statedSha256: string | undefined;
  /** The bytes from an offset on. Throws `RangeIgnored` where the server begins at the beginning all the same. */
  bytesFrom(offset: number): AsyncIterable<Uint8Array>;
}

export class RangeIgnored extends Error {}

const headersTimeoutMs = 30_000;
const silenceTimeoutMs = 60_000;

/** A connection to the hub for one pull; `close` when done. */
export function openHub(settings: HubSettings, signal: AbortSignal) {
  const own = settings.dispatcher === undefined ? createAgent() : undefined;
  const noted: Noted = { rangeIgnored: false };
  const client = {
    fetch: hubFetch(settings.dispatcher ?? own, signal, noted),
    ...(settings.url === undefined ? {} : { hubUrl: settings.url.replace(/\/+$/, "") }),
    ...(settings.accessToken === undefined ? {} : { accessToken: settings.accessToken }),
  };
  return {
    async find(part: HubPart): Promise<HubFile> {
      const file = {
        ...client,
        repo: { type: "model" as const, name: part.repository },
        path: part.path,
        revision: part.revision,
      };
      const info = await fileDownloadInfo(file);
      if (info === null) throw new Error(`${part.repository} has no ${part.path} at ${part.revision}`);
      return { ...describe(info), bytesFrom: (offset) => readFrom({ ...file, downloadInfo: info }, offset, noted) };
    },
    async close(): Promise<void> {
      await own?.destroy();
    },
  };
}

function createAgent(): Dispatcher {
  return new Agent({
    headersTimeout: headersTimeoutMs,
    bodyTimeout: silenceTimeoutMs,
    connectTimeout: headersTimeoutMs,
  });
}

function describe(info: FileDownloadInfoOutput) {
  const etag = info.etag.replaceAll('"', "").replace(/^W\//, "");
  return {
    sizeBytes: info.size,
    etag,
    statedSha256: /^[0-9a-f]{64}$/.test(etag) ? etag : undefined,
  };
}

/** The client's streams end in a text where its fetch had thrown: what was thrown is noted here. */
interface Noted {
  rangeIgnored: boolean;
}

async function* readFrom(
  file: Parameters<typeof downloadFile>[0],
  offset: number,
  noted: Noted,
): AsyncGenerator<Uint8Array> {
  // Not over xet: the plain form resumes at any byte, and mirrors speak nothing else.
  const blob = await downloadFile({ ...file, xet: false });
  if (blob === null) throw new Error(`${file.path} is no longer there`);
  noted.rangeIgnored = false;
  try {
    yield* (offset === 0 ? blob : blob.slice(offset)).stream();
  } catch (error) {
    if (noted.rangeIgnored) throw new RangeIgnored("the server does not continue downloads");
    throw error;
  }
}

/** The client's fetch: ended by the signal, and strict about ranges, which the client itself does not check. */
function hubFetch(dispatcher: Dispatcher | undefined, signal: AbortSignal, noted: Noted): typeof globalThis.fetch {
  return async (input, init) => {
    const url = input instanceof Request ? input.url : String(input);
    const headers = Object.fromEntries(new Headers(init?.headers).entries());
    const response = await undiciFetch(url, { headers, signal, ...(dispatcher === undefined ? {} : { dispatcher }) });
    const range = headers["range"];
    if (range !== undefined && range !== "bytes=0-0" && response.status === 200) {
      await response.body?.cancel();
      noted.rangeIgnored = true;
      throw new RangeIgnored("the server does not continue downloads");
    }
    return response;
  };
}

/** What went wrong, without a signed URL's query and bounded in length. */
export function describeHubError(error: unknown): string {
  const text = error instanceof Error ? rootMessage(error) : String(error);
  const status = error instanceof HubApiError ? ` (HTTP ${error.statusCode})` : "";
  return `${text.replaceAll(/\?[^\s"']*/g, "").slice(0, 300)}${status}`;
}

function rootMessage(error: Error): string {
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}
