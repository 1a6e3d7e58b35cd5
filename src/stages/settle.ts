import { type Exact, formatExact, withPrefix } from "../base/index.ts";
import type { Intent, Written } from "../journal/index.ts";
import { bound as mostCost, type Price, rate } from "../ledger/index.ts";
import { buildStatement } from "../receipt/index.ts";
import { type IntentBody, priceIn, type SettlementBody, settlementText } from "./bodies.ts";
import type { Cloud } from "./cloud.ts";
import type { Counts } from "./count.ts";

/** How a request ended, as far as this process knows. */
export interface Outcome {
  readonly counts: Counts;
  readonly endedAtMs: number;
  /** null: what was sent before a crash cannot be known. */
  readonly response: { readonly digest: string; readonly bytes: number; readonly complete: boolean } | null;
}

/** Appends the settlement of an intent with its receipt's statement; also for an intent that a crash left open. */
export function settle(
  intent: Intent,
  intended: IntentBody,
  cloud: Pick<Cloud, "gateway" | "journal" | "placements">,
  outcome: Outcome,
): { readonly written: Written; readonly body: SettlementBody } {
  const body = settlementBody(intent, intended, cloud, outcome);
  const statement = buildStatement({
    receipt: body.receipt,
    request: intent.request,
    organisation: intended.organisation,
    tenant: intended.project,
    gateway: cloud.gateway,
    endpoint: intended.endpoint,
    model: { name: intended.model, sha256: intended.sha256 },
    engine: intended.engine,
    host: intended.destination.name,
    site: intended.site,
    policy: { decision: "permitted", digest: intended.policy.digest, dataClass: intended.policy.dataClass },
    usage: body.usage,
    unrated: body.unrated,
    price: body.priceVersion === null ? null : priceOnReceipt(body),
    ending: body.ending,
    startedAtMs: body.startedAtMs,
    endedAtMs: body.endedAtMs,
    requestDigest: { keyId: intended.request.digestKey, value: intended.request.digest, bytes: intended.request.bytes },
    responseDigest:
      outcome.response === null
        ? null
        : {
            keyId: intended.request.digestKey,
            value: outcome.response.digest,
            bytes: outcome.response.bytes,
            complete: outcome.response.complete,
          },
  });
  return { written: cloud.journal.settle(intent, settlementText(body), statement), body };
}

function settlementBody(
  intent: Intent,
  intended: IntentBody,
  cloud: Pick<Cloud, "gateway" | "placements">,
  { counts, endedAtMs }: Outcome,
): SettlementBody {
  const counted = counts.outcome === "counted" ? counts.usage : null;
  const { price, bound } = intended;
  const reason = counts.outcome === "unrated" ? counts.reason : price === null ? "the model has no price" : null;
  return {
    v: 1,
    gateway: cloud.gateway,
    receipt: withPrefix("rcpt", intent.request),
    organisation: intended.organisation,
    project: intended.project,
    key: intended.key,
    endpoint: intended.endpoint,
    model: intended.model,
    site: intended.site.name,
    startedAtMs: intended.receivedAtMs,
    endedAtMs,
    ending: counts.ending,
    usage: counted,
    unrated: reason,
    upperBoundTokens: counted === null ? bound.inputTokens + bound.outputTokens : null,
    amountBound: counted === null && price !== null ? formatExact(mostCost(bound, priceIn(price))) : null,
    listAmount: counted === null || price === null ? null : formatExact(rate(counted, priceIn(price))),
    currency: price?.currency ?? null,
    priceVersion: price?.version ?? null,
    decision: intended.policy.digest,
    destination: intended.destination.name,
    placement: cloud.placements.isFirst(intended.policy.digest) ? intended.policy.placement : null,
  };
}

function priceOnReceipt({ priceVersion, currency, listAmount }: SettlementBody) {
  return { version: priceVersion!, currency: currency!, listAmount };
}

/** What a budget is charged: the exact cost, or the upper bound while the usage is unknown. */
export function costOf(
  counts: Counts,
  admitted: { readonly price: Price | undefined; readonly amountBound: Exact },
): Exact {
  if (counts.outcome === "unrated" || admitted.price === undefined) return admitted.amountBound;
  return rate(counts.usage, admitted.price);
}
