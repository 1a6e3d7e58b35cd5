import { closeSync, openSync, readSync } from "node:fs";
import { isMainThread, Worker, workerData } from "node:worker_threads";
import type { Clock } from "../base/index.ts";

const blockBytes = 4 << 20;
/** How long what was read is taken to stay in the operating system's memory. */
const staysMs = 600_000;

/**
 * Reads a model's file once, so that the operating system has it in memory when the engine asks: in a thread of its own,
 * because the engine's process has one thread for what libuv does, and that one computes tokens. Resolves also where it
 * cannot be read: the engine will say why.
 */
export function createReadAhead(clock: Clock): (path: string) => Promise<void> {
  const readAtMs = new Map<string, number>();
  return async (path) => {
    const nowMs = clock.monotonicMs();
    // It is in memory still, or that is too small for it: then reading it once more helps nobody.
    if (nowMs < (readAtMs.get(path) ?? -Infinity) + staysMs) return;
    readAtMs.set(path, nowMs);
    await read(path);
  };
}

function read(path: string): Promise<void> {
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
