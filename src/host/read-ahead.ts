import { closeSync, openSync, readSync } from "node:fs";
import { isMainThread, Worker, workerData } from "node:worker_threads";

const blockBytes = 4 << 20;

/**
 * Reads a model's file once, so that the operating system has it in memory when the engine asks: in a thread of its own,
 * because the engine's process has one thread for what libuv does, and that one computes tokens. Resolves also where it
 * cannot be read: the engine will say why.
 */
export function readAhead(path: string): Promise<void> {
  return new Promise((resolve) => {
    const worker = new Worker(new URL(import.meta.url), { workerData: { path } });
    worker.on("error", () => resolve());
    worker.on("exit", () => resolve());
  });
}

function readWhole(path: string): void {
  const file = openSync(path, "r");
  const block = Buffer.allocUnsafe(blockBytes);
  try {
    while (readSync(file, block, 0, blockBytes, null) > 0);
  } finally {
    closeSync(file);
  }
}

if (!isMainThread) readWhole((workerData as { readonly path: string }).path);
