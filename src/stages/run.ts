import { sleep } from "../base/index.ts";
import type { Destination } from "../engine/index.ts";
import type { Answering, Cloud } from "./cloud.ts";
import { type Intended, intendElsewhere } from "./intend.ts";
import { place, type Placed } from "./place.ts";
import { Lost, type Ran, Running } from "./running.ts";

/** How long a host that has ended may take to come back for the requests that it had. */
const comesBackMs = 15_000;
/** A host that is still taken for ready after so long has not ended. */
const livesMs = 2_000;
const lookEveryMs = 50;

/** An answer that is over, and where it ran in the end. */
export interface RanThere {
  readonly ran: Ran;
  readonly placed: Placed;
  readonly intended: Intended;
}

/**
 * Sends the request to where it was placed, and resolves when the answer is over. A stream's bytes go to the client as
 * they come, from when the intent is on disk; its end, and a whole answer, wait for the record. Where its host is lost
 * before anybody has seen any of it, it goes on elsewhere, if it may, or with the host's next process. It never rejects:
 * an engine that dies, an upstream that breaks off, a client that leaves are endings.
 */
export async function run(placed: Placed, intended: Intended, answer: Answering, cloud: Cloud): Promise<RanThere> {
  const { destination } = placed;
  const { incarnation } = destination;
  const first = await runOnce(placed, intended, answer, cloud, false);
  if (!(first instanceof Lost)) return { ran: first, placed, intended };
  const other = elsewhere(placed, intended, cloud);
  if (other !== undefined) {
    // What it may have computed meanwhile is nobody's.
    destination.acknowledge(placed.admitted.call.id);
    const second = await runOnce(other.placed, other.intended, answer, cloud, false);
    return { ran: endOf(second), ...other };
  }
  const isBack = first.comesBack && (await comesBack(destination, incarnation, answer, cloud));
  return { ran: endOf(isBack ? await runOnce(placed, intended, answer, cloud, true) : first), placed, intended };
}

function endOf(ran: Ran | Lost): Ran {
  return ran instanceof Lost ? ran.giveUp() : ran;
}

/** Where else the request may run, by the same rules, with that written down; undefined: nowhere. */
function elsewhere(
  { admitted, destination }: Placed,
  before: Intended,
  cloud: Cloud,
): Pick<RanThere, "placed" | "intended"> | undefined {
  const placed = place(admitted, cloud, destination);
  if (placed.outcome === "refused") return undefined;
  const intended = intendElsewhere(placed, before, cloud);
  return intended.outcome === "refused" ? undefined : { placed, intended };
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
