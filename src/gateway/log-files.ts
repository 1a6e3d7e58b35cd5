import type { IncomingMessage, ServerResponse } from "node:http";
import { errorBody, errorCodes, refuse, type Refusal } from "../base/index.ts";

/** A file of the transparency log, as it is served. */
export interface LogFile {
  readonly bytes: Buffer;
  readonly contentType: string;
  /** It is the same for ever, and anyone may keep it. */
  readonly isFixed: boolean;
}

export interface LogFilesOptions {
  /** What stands at a path below /log/; undefined: nothing that anyone may have. */
  readonly read: (path: string) => Promise<LogFile | undefined>;
  readonly onFailure: (error: unknown, request: string) => Refusal;
}

/** What may be kept is a year; what changes is asked for again after a second. */
const cacheControl = { fixed: "public, max-age=31536000, immutable", changing: "public, max-age=1" };

/** Serves the transparency log: static files for whoever asks, with no key, and for pages of any origin. */
export function createLogFiles(options: LogFilesOptions): (request: IncomingMessage, response: ServerResponse) => void {
  return (request, response) => {
    answer(options, request, response).catch((error: unknown) => {
      const refusal = options.onFailure(error, request.url ?? "");
      if (response.headersSent) response.destroy();
      else refuseWith(response, refusal);
    });
  };
}

async function answer({ read }: LogFilesOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method !== "GET" && request.method !== "HEAD") {
    response.setHeader("allow", "GET");
    return refuseWith(response, refuse("method_not_allowed", "Use GET here."));
  }
  const path = (request.url ?? "").slice("/log/".length).split("?", 1)[0]!;
  const file = path.length > 200 ? undefined : await read(path);
  if (file === undefined)
    return refuseWith(response, refuse("not_found", `There is nothing at /log/${path.slice(0, 200)}.`));
  response.writeHead(200, {
    "content-type": file.contentType,
    "content-length": file.bytes.length,
    "cache-control": file.isFixed ? cacheControl.fixed : cacheControl.changing,
    "access-control-allow-origin": "*",
  });
  response.end(request.method === "HEAD" ? undefined : file.bytes);
}

function refuseWith(response: ServerResponse, refusal: Refusal): void {
  const body = errorBody(refusal);
  response.writeHead(errorCodes[refusal.code].status, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(body),
    "cache-control": "no-store",
    connection: "close",
  });
  response.end(body);
}
