import { createHash } from "node:crypto";
import { unlinkSync } from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { join } from "node:path";

export interface FolderLock {
  release(): Promise<void>;
}

/**
 * Takes the one lock of a data folder; `undefined` where another process holds it. The lock is a listening socket, so
 * that the kernel releases it with its process, however that ends: on Linux a name without a file, elsewhere a socket
 * file in `socketFolder` that nobody answers on any more. The name comes from the installation's id, which others
 * cannot read.
 */
export async function lockFolder(
  installation: string,
  socketFolder: string,
  platform: NodeJS.Platform,
): Promise<FolderLock | undefined> {
  const name = `bailiwick-${createHash("sha256").update(installation).digest("hex").slice(0, 32)}`;
  const path = platform === "linux" ? `\0${name}` : join(socketFolder, name);
  const server = (await listen(path)) ?? (path.startsWith("\0") ? undefined : await takeOver(path));
  if (server === undefined) return undefined;
  return { release: () => new Promise((resolve) => server.close(() => resolve())) };
}

/** A server that says no more than that it is there; undefined: somebody else listens on the path. */
export function listen(path: string): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.unref();
    server.once("error", (error: NodeJS.ErrnoException) =>
      error.code === "EADDRINUSE" ? resolve(undefined) : reject(error),
    );
    server.listen(path, () => resolve(server));
  });
}

/** A socket file on which nobody listens is what a killed process left behind. */
async function takeOver(path: string): Promise<Server | undefined> {
  if (await answers(path)) return undefined;
  unlinkSync(path);
  return listen(path);
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
