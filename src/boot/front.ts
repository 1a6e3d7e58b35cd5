import type { IncomingMessage, ServerResponse } from "node:http";
import { errorBody, refuse } from "../base/index.ts";
import type { Settings } from "../config/index.ts";
import { type Gateway, listen } from "../gateway/index.ts";
import { Failed } from "./failed.ts";

type Handle = (request: IncomingMessage, response: ServerResponse) => void;

/** What stands behind the address once the cloud is up. */
export interface Behind {
  readonly openai: Handle;
  readonly control: Handle;
  readonly state: () => "ready" | "not_ready" | "draining";
  readonly log: Handle;
  /** The public keys, as they are served. */
  readonly jwks: () => string;
  /** What a verifier has to know of the transparency log, as it is served. */
  readonly aboutLog: () => string;
}

/**
 * The address that clients and probes reach from the first moment on, so that a taken port is known before anything is
 * downloaded or written: until a cloud stands behind it, all but its health is answered with 503.
 */
export interface Front extends Gateway {
  open(behind: Behind): void;
}

/** Listens. Rejects in the operator's words where the address cannot be had. */
export async function openFront({
  listen: address,
  limits,
  gateway: { cors },
}: Pick<Settings, "listen" | "limits" | "gateway">): Promise<Front> {
  let behind: Behind | undefined;
  const once = (body: (cloud: Behind) => string) =>
    behind === undefined ? { status: 503, body: startingBody } : { status: 200, body: body(behind) };
  const json = (status: number, value: unknown) => ({ status, body: JSON.stringify(value) });
  const gateway = await listen({
    ...address,
    limits,
    corsOrigins: cors.origins,
    openai: (request, response) => (behind?.openai ?? starting)(request, response),
    control: (request, response) => (behind?.control ?? starting)(request, response),
    log: (request, response) => (behind?.log ?? starting)(request, response),
    plain: new Map([
      ["/healthz", () => json(200, { status: "ok" })],
      [
        "/readyz",
        () => {
          const status = behind?.state() ?? "starting";
          return json(status === "ready" ? 200 : 503, { status });
        },
      ],
      ["/.well-known/bailiwick/keys", () => once((cloud) => cloud.jwks())],
      ["/.well-known/bailiwick/log", () => once((cloud) => cloud.aboutLog())],
    ]),
  }).catch((error: NodeJS.ErrnoException) => {
    throw listenFailure(error, address);
  });
  return { ...gateway, open: (cloud) => (behind = cloud) };
}

const startingBody = errorBody(refuse("engine_unavailable", "Bailiwick is starting."));

function starting(_: IncomingMessage, response: ServerResponse): void {
  // The request's body stays unread, so the connection ends with the answer.
  response.writeHead(503, { "content-type": "application/json", "retry-after": "1", connection: "close" });
  response.end(startingBody);
}

function listenFailure(error: NodeJS.ErrnoException, { host, port }: Settings["listen"]): Error {
  const next = "Choose another --host or --port.";
  switch (error.code) {
    case "EADDRINUSE":
      return new Failed(
        `Port ${port} on ${host} is in use.`,
        "Choose another with --port, or stop what listens there.",
      );
    case "EACCES":
      return new Failed(`Port ${port} on ${host} is not open to this user (${error.code}).`, next);
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
    case "EAI_AGAIN":
    case "EAFNOSUPPORT":
      return new Failed(`${host} is no address of this machine (${error.code}).`, next);
    default:
      return error;
  }
}
