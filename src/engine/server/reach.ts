import { createServer } from "node:net";
import { join } from "node:path";
import { mentions } from "./command.ts";

const socketPathBytes = 103;
/** Loopback only: whoever stands elsewhere reaches neither the API nor its development endpoints. */
const loopback = "127.0.0.1";

/** Where a program listens, and the key that it asks for. */
export interface Reach {
  readonly url: string;
  /** Where it listens instead of the URL's host. */
  readonly socketPath: string | undefined;
  readonly key: string;
  readonly port: number;
  readonly socket: string;
}

/** A way to a program that nobody else has. `texts`: its command and environment; `folder`: of this user alone. */
export async function reachOf(
  texts: readonly string[],
  folder: string,
  entropy: (count: number) => Buffer,
): Promise<Reach> {
  const key = entropy(24).toString("hex");
  // By this ending llama.cpp's server tells a socket from an address.
  const socket = join(folder, "e.sock");
  if (Buffer.byteLength(socket) > socketPathBytes) throw new RangeError(`too long for a socket: ${socket}`);
  const port = mentions(texts, "port") ? await freePort() : 0;
  const socketPath = mentions(texts, "socket") ? socket : undefined;
  return { url: `http://${loopback}${port === 0 ? "" : `:${port}`}`, socketPath, key, port, socket };
}

/** A port that nobody listens on at this moment; a program that finds it taken says so, and the next start gets another. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, loopback, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}
