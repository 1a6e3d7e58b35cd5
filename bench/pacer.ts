/**
 * The open loop's clock, a thread: writes down when the round starts, then tells each request's index when the request
 * is due.
 */
import { workerData } from "node:worker_threads";
import type { PacerData } from "./load.ts";

const { timesMs, port } = workerData as PacerData;
const now = (): number => performance.timeOrigin + performance.now();
const never = new Int32Array(new SharedArrayBuffer(4));

// Only now: that a thread takes its time to start is nobody's lag.
const startMs = now() + 10;
port.postMessage({ startMs });
for (const [index, atMs] of timesMs.entries()) {
  const waitMs = startMs + atMs - now();
  // Waiting on a value that nobody changes: wakes within some tens of microseconds, where a timer has whole milliseconds.
  if (waitMs > 0) Atomics.wait(never, 0, 0, waitMs);
  port.postMessage({ index });
}
port.close();
