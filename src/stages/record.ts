import type { Refusal } from "../base/index.ts";
import type { Intent } from "../journal/index.ts";
import { ByteDigest } from "../receipt/index.ts";
import { type IntentBody, priceBody } from "./bodies.ts";
import type { Answering, Cloud } from "./cloud.ts";
import type { Counts } from "./count.ts";
import type { Placed } from "./place.ts";
import type { Ran } from "./run.ts";
import { costOf, settle } from "./settle.ts";

/** An intent on its way to the disk, and the digest that every byte of the answer goes through. */
export interface Intended {
  readonly outcome: "intended";
  readonly intent: Intent;
  readonly body: IntentBody;
  /** Resolves once it is on disk: before that no byte of the answer leaves. */
  readonly durable: Promise<void>;
  readonly response: ByteDigest;
}

/** Writes down that the request runs, with all that is needed to settle it should this process die. */
export function intend(placed: Placed, answer: Answering, cloud: Cloud): Intended | Refusal {
  const { call, holder, rate } = placed.admitted;
  const { digestKey } = holder.project;
  const request = new ByteDigest(digestKey);
  request.update(call.body.bytes);
  const body = intentBody(placed, { digestKey: digestKey.id, digest: request.value(), bytes: call.body.bytes.length });
  const intent = cloud.journal.intend(call.id, JSON.stringify(body));
  if (intent.outcome === "refused") return intent;
  const response = new ByteDigest(digestKey);
  answer.witness(response);
  answer.header("bailiwick-receipt", call.receipt);
  for (let at = 0; at + 1 < rate.headers.length; at += 2) answer.header(rate.headers[at]!, rate.headers[at + 1]!);
  cloud.meters.began();
  return { outcome: "intended", intent, body, durable: intent.durable, response };
}

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
  const { call, reservation, rate } = placed.admitted;
  const complete = !answer.left;
  if (complete) intended.response.update(ran.last);
  const { written, body } = settle(intended.intent, intended.body, cloud, {
    counts,
    endedAtMs: cloud.clock.nowMs(),
    response: { digest: intended.response.value(), bytes: intended.response.bytes, complete },
  });
  reservation.settle(costOf(counts, placed.admitted));
  rate.settle((body.usage?.inputTokens ?? 0) + (body.usage?.outputTokens ?? 0));
  try {
    await written.durable;
  } finally {
    report(placed, ran, counts, cloud);
  }
  cloud.books.settled(call.receipt, call.holder.project.id, written.position);
  placed.destination.acknowledge(call.id);
}

function intentBody(placed: Placed, request: IntentBody["request"]): IntentBody {
  const { admitted, destination, offer, decision } = placed;
  const { call, holder, price, tokenBound } = admitted;
  return {
    v: 1,
    receivedAtMs: call.receivedAtMs,
    organisation: holder.organisation.id,
    project: holder.project.id,
    key: holder.key.id,
    endpoint: call.endpoint.name,
    model: call.body.fields.model,
    stream: call.body.fields.stream,
    destination: { kind: destination.kind, name: destination.name },
    site: { name: destination.site.name, jurisdiction: destination.site.jurisdiction ?? null },
    engine: destination.engine,
    sha256: offer.sha256 ?? null,
    policy: {
      digest: decision.policyDigest,
      epoch: decision.epoch,
      dataClass: holder.project.dataClass,
      processing: holder.project.processing,
      rejected: decision.rejected.slice(0, 16).map(({ candidate, reason }) => ({ name: candidate.name, reason })),
    },
    price: price === undefined ? null : priceBody(price),
    bound: tokenBound,
    request,
  };
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
