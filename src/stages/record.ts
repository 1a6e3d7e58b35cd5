import { answerMeaning } from "../meaning/index.ts";
import { type DigestKey, digestOfText } from "../receipt/index.ts";
import type { Answering, Cloud } from "./cloud.ts";
import type { Counts } from "./count.ts";
import type { Intended } from "./intend.ts";
import { keep, restOf } from "./keep.ts";
import type { Placed } from "./place.ts";
import type { Ran } from "./running.ts";
import { costOf, settle } from "./settle.ts";

/**
 * Settles the request: the receipt's statement and the usage, on disk when this resolves. The bytes that are about to
 * leave are part of the answer, so they are digested first. Budgets and rates learn what was really used.
 */
export async function record(
  placed: Placed,
  intended: Intended,
  ran: Ran,
  counts: Counts,
  answer: Answering,
  cloud: Cloud,
): Promise<void> {
  const { call, reservation, walletReservation, rate } = placed.admitted;
  const complete = !answer.left;
  const { keeping } = intended;
  if (complete) (keeping?.answer ?? intended.response).update(ran.last);
  const { written, body } = settle(intended.intent, intended.body, cloud, {
    counts,
    endedAtMs: cloud.clock.nowMs(),
    response: {
      digest: intended.response.value(),
      bytes: intended.response.bytes,
      complete,
      meaning: complete ? meaningOf(ran, counts, placed.admitted.holder.project.digestKey) : null,
    },
    rests: restOf(keeping, cloud),
  });
  // Beside the journal's sync, which takes longer.
  const kept = keeping === undefined ? undefined : keep(keeping, placed.admitted, answer, cloud);
  const cost = costOf(counts, placed.admitted);
  reservation.settle(cost);
  walletReservation.settle(cost, written.position);
  // What nobody can count is charged with its bound, here as in the budgets.
  rate.settle(body.usage === null ? boundTokens(placed.admitted) : body.usage.inputTokens + body.usage.outputTokens);
  try {
    await written.durable;
    await kept;
  } finally {
    report(placed, ran, counts, cloud);
  }
  cloud.books.settled(call.receipt, call.holder.project.id, written.position);
  placed.destination.acknowledge(call.id);
}

/** Of an answer that broke off nobody says what it means. */
function meaningOf({ said, ending }: Ran, counts: Counts, digestKey: DigestKey): string | null {
  if (said === undefined || ending === "error" || ending === "abort") return null;
  const meant = answerMeaning(said, counts.outcome === "counted" ? counts.usage : null);
  return meant === undefined ? null : digestOfText(digestKey, meant);
}

function boundTokens({ tokenBound }: Placed["admitted"]): number {
  return tokenBound.inputTokens + tokenBound.outputTokens;
}

function report(placed: Placed, ran: Ran, counts: Counts, cloud: Cloud): void {
  const { call, price } = placed.admitted;
  const { firstPartAtMs } = ran;
  cloud.meters.ended({
    endpoint: call.endpoint.name,
    model: call.body.fields.model,
    ending: ran.ending,
    inputTokens: counts.outcome === "counted" ? counts.usage.inputTokens : 0,
    outputTokens: counts.outcome === "counted" ? counts.usage.outputTokens : 0,
    firstPartMs: firstPartAtMs === undefined ? undefined : firstPartAtMs - call.startedAtMs,
    totalMs: cloud.clock.monotonicMs() - call.startedAtMs,
    unrated: counts.outcome === "unrated" || price === undefined,
  });
}
