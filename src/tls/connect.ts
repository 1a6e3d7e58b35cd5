import { isIP } from "node:net";
import { connect, type TLSSocket } from "node:tls";
import { callbackify } from "node:util";
import type { buildConnector } from "undici";
import type { Clock, NetworkAddress } from "../base/index.ts";
import { peerFingerprint } from "./fingerprint.ts";
import type { Identity } from "./identity.ts";

/** Whom to speak to, and as whom. */
export interface Peer {
  readonly identity: Identity;
  readonly address: NetworkAddress;
  /** The only key that may answer there. */
  readonly fingerprint: string;
  readonly timeoutMs: number;
  readonly clock: Clock;
}

/** No connection was made, so that nothing was sent. */
class NotConnected extends Error {
  readonly code = "NOT_CONNECTED";
}

/** What answers there holds another key. */
export class PeerNotTrusted extends NotConnected {
  constructor(found: string | undefined) {
    super(found === undefined ? "what answers there shows no key" : `what answers there holds another key (${found})`);
  }
}

/** Connects, and resolves once the other side has proven that it holds the key; nothing was sent before. */
export function connectPinned({ identity, address, fingerprint, timeoutMs, clock }: Peer): Promise<TLSSocket> {
  const { promise, resolve, reject } = Promise.withResolvers<TLSSocket>();
  const { host, port } = address;
  const socket = connect({
    host,
    port,
    key: identity.pem,
    cert: identity.pem,
    minVersion: "TLSv1.3",
    ...(isIP(host) === 0 ? { servername: host } : {}),
    // No authority stands behind a key here: its fingerprint is compared below, before anything is sent.
    rejectUnauthorized: false,
  });
  socket.setNoDelay(true);
  socket.setKeepAlive(true, 10_000);
  const fail = (error: Error): void => {
    cancel();
    reject(error instanceof NotConnected ? error : new NotConnected(error.message, { cause: error }));
    socket.destroy();
  };
  const cancel = clock.after(timeoutMs, () => fail(new NotConnected(`no connection within ${timeoutMs} ms`)));
  socket.once("error", fail);
  socket.once("close", () => fail(new NotConnected("the connection was closed before it was made")));
  socket.once("secureConnect", () => {
    const found = peerFingerprint(socket);
    if (found !== fingerprint) return fail(new PeerNotTrusted(found));
    cancel();
    socket.off("error", fail);
    return resolve(socket);
  });
  return promise;
}

/** The same for undici, which speaks HTTP over what it is given. */
export function pinnedConnector(peer: Peer): buildConnector.connector {
  const make = callbackify(() => connectPinned(peer));
  return (_, callback) => make((error, socket) => (error === null ? callback(null, socket) : callback(error, null)));
}
