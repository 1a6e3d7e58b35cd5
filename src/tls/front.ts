import { type AddressInfo, connect as connectSocket, type Socket } from "node:net";
import { createServer, type TLSSocket } from "node:tls";
import type { NetworkAddress } from "../base/index.ts";
import { peerFingerprint } from "./fingerprint.ts";
import { Guests } from "./guests.ts";
import type { Identity } from "./identity.ts";
import { serverOptions } from "./server-options.ts";

export interface FrontOptions {
  readonly identity: Identity;
  readonly listen: NetworkAddress;
  /** The only key that is let in. */
  readonly accepts: string;
  /** The Unix socket to hand connections on to; undefined: there is none at the moment. */
  readonly socketPath: () => string | undefined;
  readonly connections: number;
  /** Hears of whoever was not let in: the key that was shown, if any. */
  readonly onStranger: (fingerprint: string | undefined) => void;
}

export interface Front {
  /** With the port that was had. */
  readonly address: NetworkAddress;
  /** Listens no more; what is connected stays, until `destroy`. */
  close(): void;
  destroy(): void;
}

/** Listens for one key, and splices its connections to a Unix socket. Rejects where the address cannot be had. */
export async function openFront(options: FrontOptions): Promise<Front> {
  const { identity, listen, accepts, connections } = options;
  const open = new Set<TLSSocket>();
  const greeted = new Guests({ waitingMax: greetedMax, addressMax: greetedMax });
  const server = createServer({ ...serverOptions(identity), noDelay: true }, (socket) => {
    // What breaks a connection is heard of at its end; without a listener it would end the process.
    socket.on("error", () => socket.destroy());
    greeted.forget(socket);
    const found = peerFingerprint(socket);
    if (found !== accepts) {
      options.onStranger(found);
      return socket.destroy();
    }
    if (open.size >= connections) return socket.destroy();
    open.add(socket.once("close", () => open.delete(socket)));
    return splice(socket, options.socketPath());
  });
  server.on("connection", (socket: Socket) => {
    if (open.size >= connections) socket.destroy();
    else greeted.add(socket);
  });
  // A handshake that failed left nothing to close.
  server.on("tlsClientError", () => undefined);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject);
  server.listen(listen.port, listen.host, resolve);
  await promise;
  server.off("error", reject);
  const { port } = server.address() as AddressInfo;
  return {
    address: { host: listen.host, port },
    close: () => void server.close(),
    destroy: () => {
      server.close();
      greeted.destroy();
      for (const socket of open) socket.destroy();
    },
  };
}

/** So many connections may be at their handshake, which the gateway's own is over with in a moment. */
const greetedMax = 64;

/** Either side's end ends the other, after what it had sent: as if the socket itself had been asked. */
function splice(socket: TLSSocket, path: string | undefined): void {
  if (path === undefined) return void socket.destroy();
  const inner = connectSocket(path);
  inner.on("error", () => inner.destroy());
  inner.once("close", () => socket.destroySoon());
  socket.once("close", () => inner.destroy());
  socket.pipe(inner).pipe(socket);
  return undefined;
}
