import { type Exact, formatExact, withPrefix } from "../base/index.ts";
import type { Intent, Written } from "../journal/index.ts";
import { bound as mostCost, type Price, rate } from "../ledger/index.ts";
import { answerForm } from "../meaning/index.ts";
import {
  buildStatement,
  type EvidenceClass,
  type Hop,
  type MeaningFacts,
  type Rest,
  type StatementFacts,
} from "../receipt/index.ts";
import { type IntentBody, priceIn, type SettlementBody, settlementText, type SiteBody } from "./bodies.ts";
import type { Cloud } from "./cloud.ts";
import type { Counts } from "./count.ts";

/** How a request ended, as far as this process knows. */
export interface Outcome {
  readonly counts: Counts;
  readonly endedAtMs: number;
  /** null: what was sent before a crash cannot be known. */
  readonly response: {
    readonly digest: string;
    readonly bytes: number;
    readonly complete: boolean;
    /** The digest of what it says. */
    readonly meaning: string | null;
  } | null;
  /** Where content is kept; left out: nowhere. */
  readonly rests?: readonly Rest[];
}

/** Appends the settlement of an intent with its receipt's statement; also for an intent that a crash left open. */
export function settle(
  intent: Intent,
  intended: IntentBody,
  cloud: Pick<Cloud, "gateway" | "journal" | "newSalt" | "placements">,
  outcome: Outcome,
): { readonly written: Written; readonly body: SettlementBody } {
  const body = settlementBody(intent, intended, cloud, outcome);
  const statement = buildStatement({
    salt: cloud.newSalt(),
    receipt: body.receipt,
    request: intent.request,
    organisation: intended.organisation,
    tenant: intended.project,
    endpoint: intended.endpoint,
    model: { name: intended.model, sha256: intended.sha256, adapter: null },
    engine: intended.engine,
    hops: hopsOf(intended, cloud),
    policy: policyOnReceipt(intended),
    evidence: { jurisdiction: evidenceOf(intended) },
    rests: outcome.rests ?? [],
    usage: body.usage,
    unrated: body.unrated,
    price: body.priceVersion === null ? null : priceOnReceipt(body),
    ending: body.ending,
    requestMeaning: meaningOnReceipt(intended, intended.request.meaning),
    answerMeaning: meaningOnReceipt(intended, outcome.response?.meaning ?? null),
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

/** The ways that requests have gone, by the site at their end and the destination there: few, and each is made once. */
const ways = new WeakMap<SiteBody, Map<string, readonly Hop[]>>();

function hopsOf(intended: IntentBody, cloud: Pick<Cloud, "gateway">): readonly Hop[] {
  const { destination, site } = intended;
  const known = ways.get(site) ?? new Map<string, readonly Hop[]>();
  const hops = known.get(destination.name) ?? wayOf(intended, cloud);
  ways.set(site, known.set(destination.name, hops));
  return hops;
}

function wayOf({ destination, site, gatewaySite }: IntentBody, { gateway }: Pick<Cloud, "gateway">): readonly Hop[] {
  const place = ({ name, jurisdiction, operator }: SiteBody) => ({ site: name, jurisdiction, operator });
  const last = { kind: destination.kind, name: destination.name, ...place(site) };
  return gatewaySite === null ? [last] : [{ kind: "gateway", name: gateway, ...place(gatewaySite) }, last];
}

function meaningOnReceipt({ endpoint, request }: IntentBody, value: string | null): MeaningFacts | null {
  const form = answerForm(endpoint)?.name;
  return value === null || form === undefined ? null : { form, keyId: request.digestKey, value };
}

/** An intent of an earlier release says where only: by the settings, and so by the operator's word. */
function evidenceOf({ policy, site }: IntentBody): EvidenceClass | null {
  return policy.evidence ?? (site.jurisdiction === null ? null : "operator-attested");
}

function policyOnReceipt({ policy }: IntentBody): StatementFacts["policy"] {
  return {
    decision: "permitted",
    version: policy.version ?? "not recorded",
    digest: policy.digest,
    dataClass: policy.dataClass,
    narrowing: policy.narrowing ?? null,
    rejected: policy.rejected.map(({ place, reason }) => ({ place: place ?? "not recorded", reason })),
  };
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
    tier: intended.tier,
    objective: intended.objective,
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
