import { Worker } from "node:worker_threads";
import type { Row } from "./row.ts";
import type { Answer, WorkerOptions } from "./worker.ts";

export interface CrewOptions extends WorkerOptions {
  readonly threads: number;
  /** A row that takes longer is given up. */
  readonly rowMaxMs: number;
  readonly answered: (row: Row, answer: Answer) => void;
}

/** Threads that share the rows: each takes the next one when it is done with its last. */
export async function runRows(rows: readonly Row[], options: CrewOptions): Promise<void> {
  const waiting = rows.values();
  const threads = Math.min(options.threads, rows.length);
  await Promise.all(Array.from({ length: threads }, () => runThread(waiting, options)));
}

async function runThread(waiting: Iterator<Row>, { traces, rowMaxMs, answered }: CrewOptions): Promise<void> {
  let worker: Worker | undefined;
  for (let next = waiting.next(); next.done !== true; next = waiting.next()) {
    worker ??= new Worker(new URL("./worker.ts", import.meta.url), { workerData: { traces } });
    const { answer, isWell } = await ask(worker, next.value, rowMaxMs);
    answered(next.value, answer);
    if (isWell) continue;
    // A simulation hears nothing until it is over, so that its thread has to go with it.
    await worker.terminate();
    worker = undefined;
  }
  await worker?.terminate();
}

interface Asked {
  readonly answer: Answer;
  /** Whether the thread can be asked again. */
  readonly isWell: boolean;
}

function ask(worker: Worker, row: Row, maxMs: number): Promise<Asked> {
  return new Promise((resolve) => {
    const end = (asked: Asked): void => {
      clearTimeout(timer);
      worker.off("message", answered);
      worker.off("error", failed);
      resolve(asked);
    };
    const answered = (answer: Answer): void => end({ answer, isWell: true });
    const fail = (message: string): void => end({ answer: { kind: "failure", message }, isWell: false });
    const failed = (error: unknown): void => fail(error instanceof Error ? error.message : String(error));
    const timer = setTimeout(() => fail(`took more than ${maxMs / 1000} s`), maxMs);
    worker.once("message", answered);
    worker.once("error", failed);
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port, not a window's
    worker.postMessage(row);
  });
}
