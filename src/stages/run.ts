import { sleep } from "../base/index.ts";
import type { Destination } from "../engine/index.ts";
import type { Answering, Cloud } from "./cloud.ts";
import type { Intended } from "./intend.ts";
import type { Placed } from "./place.ts";
import { Lost, type Ran, Running } from "./running.ts";

/** How long a host that has ended may take to come back for the requests that it had. */
const comesBackMs = 15_000;
/** A host that is still taken for ready after so long has not ended. */
const livesMs = 2_000;
const lookEveryMs = 50;

/**
 * Sends the request to where it was placed, and resolves when the answer is over. A stream's bytes go to the client as
 * they come, from when the intent is on disk; its end, and a whole answer, wait for the record. It never rejects: an
 * engine that dies, an upstream that breaks off, a client that leaves are endings.
 */
export async function run(placed: Placed, intended: Intended, answer: Answering, cloud: Cloud): Promise<Ran> {
  const { incarnation } = placed.destination;
  const first = await runOnce(placed, intended, answer, cloud, false);
  if (!(first instanceof Lost)) return first;
  const isBack = await comesBack(placed.destination, incarnation, answer, cloud);
  const again = isBack ? await runOnce(placed, intended, answer, cloud, true) : first;
  return again instanceof Lost ? again.giveUp() : again;
}

function runOnce(
  placed: Placed,
  intended: Intended,
  answer: Answering,
  cloud: Cloud,
  isAgain: boolean,
): Promise<Ran | Lost> {
  const { admitted, destination, offer } = placed;
  const { call } = admitted;
  const running = new Running(placed, answer, cloud);
  const exchange = destination.send(
    {
      request: call.id,
      tenant: admitted.holder.project.id,
      path: call.endpoint.path,
      body: call.body.bytesFor({
        upstreamName: offer.upstreamName,
        cacheSalt: destination.cacheSalt ? admitted.holder.project.id : undefined,
        maxTokens: admitted.maxTokens,
      }),
      headers: call.protocolHeaders,
      promised: cloud.serviceLevels[admitted.tier],
      weight: admitted.holder.project.weight,
      warnUnsupported: admitted.holder.project.unsupported === "warn",
      isAgain,
    },
    running,
  );
  return running.until(exchange, intended.durable);
}

/** Waits for the host's next process, as long as somebody waits for the answer. */
async function comesBack(
  destination: Destination,
  incarnation: number,
  answer: Answering,
  cloud: Cloud,
): Promise<boolean> {
  const { clock, draining } = cloud;
  const startedMs = clock.monotonicMs();
  const waitedMs = (): number => clock.monotonicMs() - startedMs;
  while (!answer.left && !draining() && waitedMs() < comesBackMs) {
    if (destination.ready && destination.incarnation !== incarnation) return true;
    // Its process lives: the connection alone broke, and what became of the request nobody knows.
    if (destination.ready && waitedMs() > livesMs) return false;
    await sleep(clock, lookEveryMs);
  }
  return false;
}
