import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { errorBody, errorCodes, refuse, type Refusal } from "../base/index.ts";
import { createCors } from "./cors.ts";

type Handle = (request: IncomingMessage, response: ServerResponse) => void;

export interface ServerOptions {
  readonly host: string;
  readonly port: number;
  /** Whose pages may call /v1, and read what verifies its answers: "https://app.example". */
  readonly corsOrigins: readonly string[];
  readonly limits: {
    readonly headersTimeoutMs: number;
    readonly bodyTimeoutMs: number;
    readonly connections: number;
  };
  /** Everything below /v1. */
  readonly openai: Handle;
  /** The control API, the page, the metrics. */
  readonly control: Handle;
  /** Everything below /log: the transparency log, which anyone may read. */
  readonly log: Handle;
  /** Small public answers by exact path: health, readiness, the public keys. */
  readonly plain: ReadonlyMap<string, () => { readonly status: number; readonly body: string }>;
}

export interface Gateway {
  readonly url: string;
  /** Stops listening and resolves once every connection has ended; `destroy` ends those that are left. */
  close(): Promise<void>;
  destroy(): void;
}

/** Listens and hands each request to who answers it. Rejects where the port is taken (EADDRINUSE). */
export function listen(options: ServerOptions): Promise<Gateway> {
  const cors = createCors(options.corsOrigins);
  const server = createServer(
    {
      noDelay: true,
      maxHeaderSize: 16 * 1024,
      headersTimeout: options.limits.headersTimeoutMs,
      // For the whole request, head and body; Node wants it no shorter than the head's own.
      requestTimeout: Math.max(options.limits.headersTimeoutMs, options.limits.bodyTimeoutMs),
      connectionsCheckingInterval: 500,
      keepAliveTimeout: 75_000,
      // Refused below, in words.
      requireHostHeader: false,
    },
    (request, response) => {
      const url = request.url ?? "/";
      if (request.headers.host === undefined && request.httpVersion === "1.1") {
        answerRefusal(response, refuse("invalid_request", "The request has no host header.", { param: "host" }));
      } else if (isForPages(url) && cors(request, response) === "answered") return;
      else if (url.startsWith("/v1/")) options.openai(request, response);
      else if (url.startsWith("/log/")) options.log(request, response);
      else plainOrControl(options, url, request, response);
    },
  );
  server.on("checkExpectation", (_request, response: ServerResponse) => {
    answerRefusal(response, refuse("invalid_request", "Only 100-continue can be expected.", { param: "expect" }));
  });
  server.maxConnections = options.limits.connections;
  server.on("clientError", answerClientError);
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, options.host, () => {
      server.off("error", reject);
      resolve(gatewayOf(server, options.host));
    });
  });
}

/** What a page needs to ask and to verify. The control API and its page are not among it. */
function isForPages(url: string): boolean {
  return url.startsWith("/v1/") || url.startsWith("/log/") || url.startsWith("/.well-known/bailiwick/");
}

function plainOrControl(options: ServerOptions, url: string, request: IncomingMessage, response: ServerResponse): void {
  const query = url.indexOf("?");
  const plain = options.plain.get(query < 0 ? url : url.slice(0, query));
  if (plain === undefined) return options.control(request, response);
  if (request.method !== "GET" && request.method !== "HEAD") {
    response.setHeader("allow", "GET");
    return answerRefusal(response, refuse("method_not_allowed", "Use GET here."));
  }
  const { status, body } = plain();
  response.writeHead(status, { "content-type": "application/json", "cache-control": "no-store" });
  response.end(request.method === "HEAD" ? undefined : body);
}

function answerRefusal(response: ServerResponse, refusal: Refusal): void {
  const body = errorBody(refusal);
  response.writeHead(errorCodes[refusal.code].status, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(body),
    connection: "close",
  });
  response.end(body);
}

function gatewayOf(server: Server, host: string): Gateway {
  const { port } = server.address() as AddressInfo;
  const name = host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host;
  return {
    url: `http://${name.includes(":") ? `[${name}]` : name}:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
      }),
    destroy: () => server.closeAllConnections(),
  };
}

/** Bytes that are no HTTP request, or one that never came to its end. */
function answerClientError(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (!socket.writable || error.code === "ECONNRESET") {
    socket.destroy();
    return;
  }
  const [line, refusal] = refusalOf(error.code);
  const body = errorBody(refusal);
  socket.end(
    `HTTP/1.1 ${line}\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

function refusalOf(code: string | undefined): [string, Refusal] {
  switch (code) {
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return ["408 Request Timeout", refuse("request_timeout", "The request did not arrive in time.")];
    case "HPE_HEADER_OVERFLOW":
      return ["431 Request Header Fields Too Large", refuse("invalid_request", "The headers are too large.")];
    default:
      return ["400 Bad Request", refuse("invalid_request", "The bytes received are not an HTTP request.")];
  }
}
