import type { Refusal } from "../base/index.ts";
import type { Intent } from "../journal/index.ts";
import { Collecting } from "../contents/index.ts";
import { meaningBytesMax, requestMeaning } from "../meaning/index.ts";
import {
  ByteDigest,
  type DigestKey,
  digestOfText,
  type EvidenceClass,
  rejectionsMax,
  type StatedNarrowing,
} from "../receipt/index.ts";
import type { DestinationSite } from "../engine/index.ts";
import type { NarrowingHeaders } from "../policy/index.ts";
import { type IntentBody, intentText, priceBody, siteBody } from "./bodies.ts";
import type { Answering, Call, Cloud } from "./cloud.ts";
import { type Keeping, keptUntilMs } from "./keep.ts";
import type { Placed } from "./place.ts";

/** An intent on its way to the disk, and the digest that every byte of the answer goes through. */
export interface Intended {
  readonly outcome: "intended";
  readonly intent: Intent;
  readonly body: IntentBody;
  /** Resolves once it is on disk: before that no byte of the answer leaves. */
  readonly durable: Promise<void>;
  readonly response: ByteDigest;
  /** Set where its content is kept. */
  readonly keeping: Keeping | undefined;
}

/** Writes down that the request runs, with all that is needed to settle it should this process die. */
export function intend(placed: Placed, answer: Answering, cloud: Cloud): Intended | Refusal {
  const { call, holder, rate } = placed.admitted;
  const { digestKey } = holder.project;
  const request = new ByteDigest(digestKey);
  request.update(call.body.bytes);
  const digested = {
    digestKey: digestKey.id,
    digest: request.value(),
    bytes: call.body.bytes.length,
    meaning: meaningOf(call, digestKey, cloud),
  };
  const body = intentBody(placed, digested, cloud);
  const intent = cloud.journal.intend(call.id, intentText(body));
  if (intent.outcome === "refused") return intent;
  const response = new ByteDigest(digestKey);
  const keeping = keepingOf(placed, response, answer, cloud);
  answer.witness(keeping?.answer ?? response);
  answer.header("bailiwick-receipt", call.receipt);
  answer.headers(rate.headers);
  cloud.meters.began();
  return { outcome: "intended", intent, body, durable: intent.durable, response, keeping };
}

/** Its tenant hears of it, where its project asks for content to be kept. */
function keepingOf({ admitted }: Placed, response: ByteDigest, answer: Answering, cloud: Cloud): Keeping | undefined {
  if (admitted.holder.project.keepContentSeconds === undefined) return undefined;
  const untilMs = keptUntilMs(admitted, cloud);
  answer.header("bailiwick-content", untilMs === undefined ? "not-kept" : `until ${new Date(untilMs).toISOString()}`);
  if (untilMs === undefined) return undefined;
  return {
    atMs: admitted.call.receivedAtMs,
    untilMs,
    answer: new Collecting(cloud.contents.recordBytesMax, response),
  };
}

/** A body that has none of its own form is digested by its bytes alone. */
function meaningOf({ body, endpoint }: Call, digestKey: DigestKey, { meanings }: Cloud): string | null {
  const isAsked = body.fields.stream ? meanings.ofStreams : meanings.ofWhole;
  if (!isAsked || body.bytes.length > meaningBytesMax) return null;
  const asked = requestMeaning(endpoint.name, body.value);
  return asked === undefined ? null : digestOfText(digestKey, asked);
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
  const { ttftMs, tpotMs } = cloud.serviceLevels[tier];
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
    objective: { ttftMs, tpotMs },
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
      evidence: evidenceOf(destination.site, cloud),
      narrowing: call.narrowing === undefined ? null : narrowingOf(call.narrowing),
      placement,
    },
    price: price === undefined ? null : priceBody(price),
    bound: tokenBound,
    request,
  };
}

/** By whose word it is known where a site lies: by the facts, else by the settings, which are the operator's word. */
function evidenceOf({ name, jurisdiction }: DestinationSite, { inForce }: Cloud): EvidenceClass | null {
  const declared = inForce.policy.standing().sites.get(name)?.evidence;
  return declared ?? (jurisdiction === undefined ? null : "operator-attested");
}

const narrowingCharactersMax = 256;

/** As the headers said it: who sent them sees in the receipt that nobody took one away. */
function narrowingOf(headers: NarrowingHeaders): StatedNarrowing {
  const said = Object.entries(headers as Readonly<Record<string, string | undefined>>);
  return Object.fromEntries(
    said.flatMap(([name, text]) =>
      text === undefined ? [] : [[name, text.length > narrowingCharactersMax ? null : text]],
    ),
  );
}

/** The country alone: a tenant learns that a place was not allowed, not which it was. */
function placeOf({ jurisdiction }: { readonly jurisdiction: string | undefined }): string {
  return jurisdiction?.slice(0, 2) ?? "undeclared";
}
