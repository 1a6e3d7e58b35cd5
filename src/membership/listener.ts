import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import { type AddressInfo, isIPv4 } from "node:net";
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
import { type Identity, peerFingerprint, serverOptions } from "../tls/index.ts";
import { type JoinAnswer, joinBytesMax, joinPath, type JoinRequest, joinRequest } from "./wire.ts";

export interface JoinListenerOptions {
  readonly identity: Identity;
  readonly listen: NetworkAddress;
  readonly join: (request: JoinRequest, key: string, from: string) => Promise<JoinAnswer | Refusal>;
  /** Hears of defects and broken I/O, and says what is answered. */
  readonly onFailure: (error: unknown) => Refusal;
}

export interface JoinListener {
  /** "https://10.0.0.1:8443" */
  readonly url: string;
  close(): Promise<void>;
}

const connectionsMax = 256;
const requestTimeoutMs = 30_000;

/** Listens, over TLS, for machines that would be hosts. Rejects where the address cannot be had. */
export async function listenForHosts(options: JoinListenerOptions): Promise<JoinListener> {
  const { identity, listen } = options;
  let server: Server | undefined;
  const app = fastify({
    bodyLimit: joinBytesMax,
    requestTimeout: requestTimeoutMs,
    serverFactory: (handler: (request: IncomingMessage, response: ServerResponse) => void) => {
      server = createServer({ ...serverOptions(identity), requestTimeout: requestTimeoutMs }, handler);
      server.maxConnections = connectionsMax;
      return server;
    },
  });
  app.setErrorHandler((error, _, reply) => send(reply, refusalOf(error) ?? options.onFailure(error)));
  app.setNotFoundHandler((_, reply) => send(reply, refuse("not_found", "Machines join here, and nothing else.")));
  app.post(joinPath, async (request, reply) => {
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
