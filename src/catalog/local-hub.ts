import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";

/**
 * A server that speaks the part of the Hugging Face Hub's API that a download uses (`GET /OWNER/REPOSITORY/resolve/
 * REVISION/PATH`, ranges, `ETag`, `X-Linked-ETag`), on loopback, failing as it is told: for tests.
 */
export interface LocalHub {
  readonly url: string;
  /** The ranges of the requests for content, in order: "all" or "bytes=N-". */
  readonly asked: string[];
  readonly paths: string[];
  readonly authorizations: (string | undefined)[];
  file: Buffer;
  etag: string | undefined;
  /** What it states as the SHA-256; undefined: nothing, as for a file outside Git LFS. */
  statedSha256: string | undefined;
  /** Each entry cuts one answer off after so many bytes of content. */
  cuts: number[];
  ignoreRanges: boolean;
  /** Where it sends on to instead of answering; `at`: the path that was asked for. */
  redirect: (at: string) => string | undefined;
  /** Called when content begins to flow. */
  onContent: () => void;
  close(): Promise<void>;
}

export async function startLocalHub(file: Buffer): Promise<LocalHub> {
  const server = createServer((request, response) => answer(hub, request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const hub: LocalHub = {
    url: `http://127.0.0.1:${port}`,
    asked: [],
    paths: [],
    authorizations: [],
    file,
    etag: undefined,
    statedSha256: undefined,
    cuts: [],
    ignoreRanges: false,
    redirect: () => undefined,
    onContent: () => {},
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return hub;
}

function answer(hub: LocalHub, request: IncomingMessage, response: ServerResponse): void {
  const { range, authorization } = request.headers;
  hub.paths.push(request.url ?? "");
  hub.authorizations.push(authorization);
  const location = hub.redirect(request.url ?? "");
  if (location !== undefined) return void response.writeHead(302, { location }).end();
  response.setHeader("etag", `"${hub.etag ?? createHash("md5").update(hub.file).digest("hex")}"`);
  if (hub.statedSha256 !== undefined) response.setHeader("x-linked-etag", `"${hub.statedSha256}"`);
  if (request.url?.includes("/absent.gguf") === true) {
    response.writeHead(404, { "x-error-code": "EntryNotFound" }).end();
  } else if (range === "bytes=0-0") {
    response.writeHead(206, { "content-range": `bytes 0-0/${hub.file.length}`, "content-length": 1 });
    response.end(hub.file.subarray(0, 1));
  } else {
    sendContent(hub, range, response);
  }
  return undefined;
}

function sendContent(hub: LocalHub, range: string | undefined, response: ServerResponse): void {
  hub.asked.push(range?.replace(/\d+$/, "") ?? "all");
  const from = hub.ignoreRanges ? 0 : Number(/^bytes=(\d+)-/.exec(range ?? "")?.[1] ?? 0);
  const content = hub.file.subarray(from);
  response.writeHead(range === undefined || hub.ignoreRanges ? 200 : 206, { "content-length": content.length });
  hub.onContent();
  const cut = hub.cuts.shift();
  if (cut === undefined) response.end(content);
  else response.write(content.subarray(0, cut), () => response.socket?.destroySoon());
}
