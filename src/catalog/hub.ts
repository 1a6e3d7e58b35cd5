import { downloadFile, fileDownloadInfo, type FileDownloadInfoOutput, HubApiError } from "@huggingface/hub";
import type { LookupFunction } from "node:net";
import { Agent, type Dispatcher, fetch as undiciFetch } from "undici";
import { hubStorage, outsideLookup, RedirectRefused, redirectsMax, redirectTarget } from "./redirects.ts";
import type { HubPart } from "./source.ts";

/** How the Hugging Face Hub is reached. */
export interface HubSettings {
  /** A mirror's base URL; undefined: the client's own default. */
  readonly url: string | undefined;
  /** For gated repositories, from the environment that the operator named; begins with `hf_`. */
  readonly accessToken: string | undefined;
  /** A proxy, where the operator has one; undefined: straight. */
  readonly dispatcher: Dispatcher | undefined;
  /** Domains that downloads are followed to, beside the hub itself; left out: those of the Hub's storage. */
  readonly storage?: readonly string[] | undefined;
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

/** As the client has it. */
const hubUrl = "https://huggingface.co";
const headersTimeoutMs = 30_000;
const silenceTimeoutMs = 60_000;

/** A connection to the hub for one pull; `close` when done. */
export function openHub(settings: HubSettings, signal: AbortSignal) {
  const own = settings.dispatcher === undefined ? createAgent() : undefined;
  const outside = settings.dispatcher === undefined ? createAgent(outsideLookup) : undefined;
  const noted: Noted = {};
  const ways = {
    hub: new URL(settings.url ?? hubUrl),
    domains: settings.storage ?? hubStorage,
    toHub: (settings.dispatcher ?? own)!,
    toStorage: (settings.dispatcher ?? outside)!,
  };
  const client = {
    fetch: hubFetch(ways, signal, noted),
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
      await Promise.all([own?.destroy(), outside?.destroy()]);
    },
  };
}

function createAgent(lookup?: LookupFunction): Dispatcher {
  return new Agent({
    headersTimeout: headersTimeoutMs,
    bodyTimeout: silenceTimeoutMs,
    connect: { timeout: headersTimeoutMs, ...(lookup === undefined ? {} : { lookup }) },
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
  thrown?: RangeIgnored | RedirectRefused;
}

/** The hub and how it is reached, and where its answers may send on to, and how. */
interface Ways {
  readonly hub: URL;
  readonly domains: readonly string[];
  readonly toHub: Dispatcher;
  readonly toStorage: Dispatcher;
}

async function* readFrom(
  file: Parameters<typeof downloadFile>[0],
  offset: number,
  noted: Noted,
): AsyncGenerator<Uint8Array> {
  // Not over xet: the plain form resumes at any byte, and mirrors speak nothing else.
  const blob = await downloadFile({ ...file, xet: false });
  if (blob === null) throw new Error(`${file.path} is no longer there`);
  delete noted.thrown;
  try {
    yield* (offset === 0 ? blob : blob.slice(offset)).stream();
  } catch (error) {
    throw noted.thrown ?? error;
  }
}

/**
 * The client's fetch: ended by the signal, careful where it is sent on to, and strict about ranges, which the client itself
 * does not check.
 */
function hubFetch(ways: Ways, signal: AbortSignal, noted: Noted): typeof globalThis.fetch {
  return async (input, init) => {
    const headers = Object.fromEntries(new Headers(init?.headers).entries());
    try {
      const response = await following(new URL(input instanceof Request ? input.url : input), headers, ways, signal);
      const { range } = headers;
      if (range === undefined || range === "bytes=0-0" || response.status !== 200) return response;
      await response.body?.cancel();
      throw new RangeIgnored("the server does not continue downloads");
    } catch (error) {
      const refused = error instanceof Error && error.cause instanceof RedirectRefused ? error.cause : error;
      if (refused instanceof RangeIgnored || refused instanceof RedirectRefused) noted.thrown = refused;
      throw refused;
    }
  };
}

const redirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

async function following(first: URL, asked: Readonly<Record<string, string>>, ways: Ways, signal: AbortSignal) {
  let [url, isHub] = [first, true];
  // What the hub is shown nobody else is.
  const { authorization: _, ...open } = asked;
  for (let followed = 0; ; followed += 1) {
    const headers = isHub ? asked : open;
    const dispatcher = isHub ? ways.toHub : ways.toStorage;
    const response = await undiciFetch(url, { headers, signal, dispatcher, redirect: "manual" });
    const location = redirects.has(response.status) ? response.headers.get("location") : null;
    if (location === null) return response;
    await response.body?.cancel();
    if (followed === redirectsMax) throw new RedirectRefused(url.host, `that is the ${redirectsMax + 1}th time`);
    ({ url, isHub } = redirectTarget(url, location, ways));
  }
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
