import type { Refusal } from "../base/index.ts";
import type { Intent } from "../journal/index.ts";
import { ByteDigest, rejectionsMax } from "../receipt/index.ts";
import { type IntentBody, intentText, priceBody, siteBody } from "./bodies.ts";
import type { Answering, Cloud } from "./cloud.ts";
import type { Placed } from "./place.ts";

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
  const digested = { digestKey: digestKey.id, digest: request.value(), bytes: call.body.bytes.length };
  const body = intentBody(placed, digested, cloud);
  const intent = cloud.journal.intend(call.id, intentText(body));
  if (intent.outcome === "refused") return intent;
  const response = new ByteDigest(digestKey);
  answer.witness(response);
  answer.header("bailiwick-receipt", call.receipt);
  answer.headers(rate.headers);
  cloud.meters.began();
  return { outcome: "intended", intent, body, durable: intent.durable, response };
}

/** Writes down that it runs elsewhere now, in the place of the intent before. */
export function intendElsewhere(placed: Placed, before: Intended, cloud: Cloud): Intended | Refusal {
  const body = intentBody(placed, before.body.request, cloud);
  const intent = cloud.journal.intend(before.intent.request, intentText(body), before.intent);
  return intent.outcome === "refused" ? intent : { ...before, intent, body, durable: intent.durable };
}

function intentBody(placed: Placed, request: IntentBody["request"], cloud: Cloud): IntentBody {
  const { admitted, destination, offer, decision, placement } = placed;
  const { call, holder, tier, price, tokenBound } = admitted;
  return {
    v: 1,
    receivedAtMs: call.receivedAtMs,
    organisation: holder.organisation.id,
    project: holder.project.id,
    key: holder.key.id,
    endpoint: call.endpoint.name,
    model: call.body.fields.model,
    stream: call.body.fields.stream,
    tier,
    destination: { kind: destination.kind, name: destination.name },
    site: siteBody(destination.site),
    gatewaySite: siteBody(cloud.site),
    engine: destination.engine,
    sha256: offer.sha256 ?? null,
    policy: {
      digest: decision.policyDigest,
      version: cloud.inForce.policy.rulesVersion,
      epoch: decision.epoch,
      dataClass: holder.project.dataClass,
      processing: holder.project.processing,
      rejected: decision.rejected
        .slice(0, rejectionsMax)
        .map(({ candidate: { name, site }, reason }) => ({ name, place: placeOf(site), reason })),
      placement,
    },
    price: price === undefined ? null : priceBody(price),
    bound: tokenBound,
    request,
  };
}

/** The country alone: a tenant learns that a place was not allowed, not which it was. */
function placeOf({ jurisdiction }: { readonly jurisdiction: string | undefined }): string {
  return jurisdiction?.slice(0, 2) ?? "undeclared";
}
