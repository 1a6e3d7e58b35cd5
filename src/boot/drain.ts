import { type Clock, refuse, RefusalError, sleep } from "../base/index.ts";
import type { DestinationList } from "../destinations/index.ts";
import type { Gateway } from "../gateway/index.ts";

const lookEveryMs = 20;
/** How long what was cut off may take to be counted, recorded and sent. */
const recordMs = 5_000;
/** How long a request to the control API, or an open connection, may hold up the end at least. */
const closingMs = 1_000;

/**
 * The server takes no new work by now, and says so to whoever asks: it listens on until the answers are over. What has
 * not ended within the bound, or when the operator is in a hurry, ends with an error that its client can read.
 */
export async function drain(options: {
  readonly clock: Clock;
  readonly gateway: Gateway;
  readonly destinations: DestinationList;
  readonly inFlight: () => number;
  readonly timeoutMs: number;
  readonly hurry: AbortSignal;
}): Promise<void> {
  const { clock, gateway, destinations, hurry, timeoutMs } = options;
  const endMs = clock.monotonicMs() + timeoutMs;
  const isIdle = (): boolean => options.inFlight() === 0;
  await until(clock, endMs, () => hurry.aborted || isIdle());
  if (!isIdle()) {
    const cut = new RefusalError(refuse("draining", "The server stopped before the answer was over."));
    for (const destination of destinations.all) destination.cut(cut);
    await until(clock, clock.monotonicMs() + recordMs, isIdle);
  }
  const closed = gateway.close();
  const leftMs = hurry.aborted ? closingMs : Math.max(closingMs, endMs - clock.monotonicMs());
  const cancel = clock.after(leftMs, () => gateway.destroy());
  hurry.addEventListener("abort", () => gateway.destroy(), { once: true });
  await closed;
  cancel();
}

async function until(clock: Clock, endMs: number, holds: () => boolean): Promise<void> {
  while (!holds() && clock.monotonicMs() < endMs) await sleep(clock, lookEveryMs);
}
