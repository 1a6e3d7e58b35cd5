import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import { type AddressInfo, isIPv4, type Socket } from "node:net";
import { hostname } from "node:os";
import type { TLSSocket } from "node:tls";
import fastify, { type FastifyReply } from "fastify";
import {
  addressText,
  describeInvalid,
  errorBody,
  errorCodes,
  isEverywhere,
  memberPath,
  type NetworkAddress,
  refuse,
  type Refusal,
} from "../base/index.ts";
import { Guests, type Identity, peerFingerprint, serverOptions } from "../tls/index.ts";
import { type JoinAnswer, joinBytesMax, joinPath, type JoinRequest, joinRequest } from "./wire.ts";

export interface JoinListenerOptions {
  readonly identity: Identity;
  readonly listen: NetworkAddress;
  readonly join: (request: JoinRequest, key: string, from: string) => Promise<JoinAnswer | Refusal>;
  /** Hears of defects and broken I/O, and says what is answered. */
  readonly onFailure: (error: unknown) => Refusal;
  /** How long a connection may take to say what it wants, in milliseconds; left out: a machine has time enough. */
  readonly requestTimeoutMs?: number;
}

export interface JoinListener {
  /** "https://10.0.0.1:8443" */
  readonly url: string;
  close(): Promise<void>;
}

const connectionsMax = 256;
/** Of those that have not asked for anything yet, and of one address in all; several machines may be behind one. */
const waitingMax = 128;
const addressMax = 16;
const usualTimeoutMs = 10_000;
/** How often is looked for connections whose time is up. */
const lookEveryMs = 1_000;

/** Listens, over TLS, for machines that would be hosts. Rejects where the address cannot be had. */
export async function listenForHosts(options: JoinListenerOptions): Promise<JoinListener> {
  const { identity, listen, requestTimeoutMs = usualTimeoutMs } = options;
  const guests = new Guests({ waitingMax, addressMax });
  let server: Server | undefined;
  const app = fastify({
    bodyLimit: joinBytesMax,
    requestTimeout: requestTimeoutMs,
    serverFactory: (handler: (request: IncomingMessage, response: ServerResponse) => void) => {
      server = createServer(
        {
          ...serverOptions(identity),
          handshakeTimeout: requestTimeoutMs,
          headersTimeout: requestTimeoutMs,
          requestTimeout: requestTimeoutMs,
          connectionsCheckingInterval: Math.min(lookEveryMs, requestTimeoutMs),
        },
        handler,
      );
      server.maxConnections = connectionsMax;
      // A machine asks once.
      server.maxRequestsPerSocket = 1;
      server.on("connection", (socket: Socket) => guests.add(socket));
      return server;
    },
  });
  app.setErrorHandler((error, _, reply) => send(reply, refusalOf(error) ?? options.onFailure(error)));
  app.setNotFoundHandler((_, reply) => send(reply, refuse("not_found", "Machines join here, and nothing else.")));
  app.post(joinPath, async (request, reply) => {
    guests.hear(request.raw.socket);
    const key = peerFingerprint(request.raw.socket as TLSSocket);
    if (key === undefined)
      return send(reply, refuse("invalid_request", "The machine shows no certificate of its own."));
    const asked = joinRequest.safeParse(request.body);
    if (!asked.success) return send(reply, invalid(asked.error.issues[0]));
    const answer = await options.join(asked.data, key, addressOf(request.raw.socket.remoteAddress));
    return "outcome" in answer ? send(reply, answer) : reply.send(answer);
  });
  await app.listen({ host: listen.host, port: listen.port });
  const { port } = server!.address() as AddressInfo;
  return {
    // Where every address is listened on, the machine's own name is the best guess at how others call it.
    url: `https://${addressText({ host: isEverywhere(listen.host) ? hostname() : listen.host, port })}`,
    close: async () => {
      server!.closeAllConnections();
      await app.close();
    },
  };
}

/** An IPv4 address on a socket for both kinds stands behind "::ffff:". */
function addressOf(remote: string | undefined): string {
  const bare = (remote ?? "").replace(/^::ffff:/i, "");
  return isIPv4(bare) ? bare : (remote ?? "");
}

function invalid(issue: { readonly path: readonly PropertyKey[]; readonly message: string } | undefined): Refusal {
  const param = memberPath(issue?.path ?? []);
  const message = describeInvalid(param === "" ? "The request" : `\`${param}\``, issue?.message ?? "unknown");
  return refuse("invalid_request", message, param === "" ? {} : { param });
}

/** What Fastify itself turns away is the asker's slip. */
function refusalOf(error: unknown): Refusal | undefined {
  const { statusCode = 500, message } = error as { readonly statusCode?: number; readonly message?: string };
  return statusCode < 500 ? refuse("invalid_request", String(message)) : undefined;
}

function send(reply: FastifyReply, refusal: Refusal): FastifyReply {
  return reply
    .status(errorCodes[refusal.code].status)
    .header("content-type", "application/json")
    .serializer((text: string) => text)
    .send(errorBody(refusal));
}
