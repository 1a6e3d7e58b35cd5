/** A thread that measures one row after the other. It is ended from outside where a row takes too long. */
import { parentPort, workerData } from "node:worker_threads";
import { measure } from "./measure.ts";
import type { Result, Row } from "./row.ts";

export interface WorkerOptions {
  readonly traces: string | undefined;
}

export type Answer =
  | { readonly kind: "result"; readonly result: Result; readonly tookMs: number }
  | { readonly kind: "failure"; readonly message: string };

const { traces } = workerData as WorkerOptions;

parentPort!.on("message", (row: Row) => {
  const startedMs = performance.now();
  measure(row, traces)
    .then(
      (result): Answer => ({ kind: "result", result, tookMs: Math.round(performance.now() - startedMs) }),
      (error: unknown): Answer => ({
        kind: "failure",
        message: error instanceof Error ? error.message : String(error),
      }),
    )
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port, not a window's
    .then((answer) => parentPort!.postMessage(answer))
    .catch(() => process.exit(1));
});
