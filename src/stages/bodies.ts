import {
  type Ending,
  formatAmount,
  type GatewayId,
  type KeyId,
  type Objective,
  type OrganisationId,
  parseAmount,
  type ProjectId,
  quoteJson,
  type ReceiptId,
  type Tier,
  type Usage,
} from "../base/index.ts";
import type { DestinationSite } from "../engine/index.ts";
import type { Price, TokenBound } from "../ledger/index.ts";
import type { EvidenceClass, StatedNarrowing } from "../receipt/index.ts";
import { type Placement, placementText } from "./placement.ts";

/**
 * What the journal's intents and settlements say, as JSON (docs/reference/journal.md). An intent holds everything that
 * is needed to settle the request without the process that took it; a settlement everything that is shipped.
 */
export interface IntentBody {
  readonly v: 1;
  readonly receivedAtMs: number;
  readonly organisation: OrganisationId;
  readonly project: ProjectId;
  readonly key: KeyId;
  readonly endpoint: string;
  readonly model: string;
  readonly stream: boolean;
  /** What the request was held to; null: a release that had no tiers took it. */
  readonly tier: Tier | null;
  /** What its tier promised then; null: a release that did not say took it. */
  readonly objective: Objective | null;
  readonly destination: { readonly kind: "host" | "upstream"; readonly name: string };
  readonly site: SiteBody;
  /** Where the gateway stands that took it; null: a release that did not say took it. */
  readonly gatewaySite: SiteBody | null;
  readonly engine: { readonly name: string; readonly build: string };
  readonly sha256: string | null;
  readonly policy: {
    readonly digest: string;
    /** null: a release that did not say took it. */
    readonly version: string | null;
    readonly epoch: number;
    readonly dataClass: string;
    readonly processing: readonly string[];
    /** `place` is what a receipt may say of it; a release that made none of it left it out. */
    readonly rejected: readonly { readonly name: string; readonly place?: string; readonly reason: string }[];
    /** By whose word the jurisdiction is known; null: none is declared. A release that had no facts left it out. */
    readonly evidence?: EvidenceClass | null;
    /** What the request's headers asked for; null: nothing. A release that did not say left it out. */
    readonly narrowing?: StatedNarrowing | null;
    /** What was asked and where it could go; null: it is too long to be kept, or a release took it that kept none. */
    readonly placement: Placement | null;
  };
  readonly price: PriceBody | null;
  readonly bound: TokenBound;
  readonly request: {
    readonly digestKey: string;
    readonly digest: string;
    readonly bytes: number;
    /** The digest of what was asked; null: it has none, or a release took it that made none. */
    readonly meaning: string | null;
  };
}

export interface SiteBody {
  readonly name: string;
  readonly jurisdiction: string | null;
  /** null: nobody has said. */
  readonly operator: string | null;
}

/** Decimal strings a million tokens. */
export interface PriceBody {
  readonly version: string;
  readonly currency: string;
  readonly input: string;
  readonly cachedInput: string;
  readonly output: string;
  readonly reasoning: string;
}

export interface SettlementBody {
  readonly v: 1;
  readonly gateway: GatewayId;
  readonly receipt: ReceiptId;
  readonly organisation: OrganisationId;
  readonly project: ProjectId;
  readonly key: KeyId;
  readonly endpoint: string;
  readonly model: string;
  readonly site: string;
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  readonly ending: Ending;
  /** null: it cannot be known. */
  readonly usage: Usage | null;
  /** Why there is no amount; null: there is one. */
  readonly unrated: string | null;
  /** The most tokens that it can have used; stands where the usage does not. */
  readonly upperBoundTokens: number | null;
  /** Decimal string, exact: the most that it can have cost, where there is a price and no amount. */
  readonly amountBound: string | null;
  /** Decimal string, unrounded. */
  readonly listAmount: string | null;
  readonly currency: string | null;
  readonly priceVersion: string | null;
  /** The intent's, both. */
  readonly tier: Tier | null;
  readonly objective: Objective | null;
  /** The digest of the decision by which it ran, and where. */
  readonly decision: string;
  readonly destination: string;
  /** The intent's, with the first settlement of a decision: those behind it in the journal only name it. */
  readonly placement: Placement | null;
}

/**
 * The intent as the journal gets it. Written member by member, as every request needs it, which takes a third of what
 * `JSON.stringify` takes; a test holds the two together.
 */
export function intentText(body: IntentBody): string {
  const { destination, site, gatewaySite, engine, policy, price, bound, request } = body;
  return (
    `{"v":1,"receivedAtMs":${body.receivedAtMs},"organisation":"${body.organisation}","project":"${body.project}",` +
    `"key":"${body.key}","endpoint":"${body.endpoint}","model":${quoteJson(body.model)},"stream":${body.stream},` +
    `"tier":${quoteJson(body.tier)},"objective":${objectiveText(body.objective)},` +
    `"destination":{"kind":"${destination.kind}","name":${quoteJson(destination.name)}},` +
    `"site":${siteText(site)},"gatewaySite":${gatewaySite === null ? "null" : siteText(gatewaySite)},` +
    `"engine":{"name":${quoteJson(engine.name)},"build":${quoteJson(engine.build)}},"sha256":${quoteJson(body.sha256)},` +
    `"policy":{"digest":"${policy.digest}","version":${quoteJson(policy.version)},"epoch":${policy.epoch},"dataClass":${quoteJson(policy.dataClass)},` +
    `"processing":${listText(policy.processing)},"rejected":${listText(policy.rejected)},` +
    `"evidence":${quoteJson(policy.evidence ?? null)},"narrowing":${narrowingText(policy.narrowing)},` +
    `"placement":${placementText(policy.placement)}},` +
    `"price":${price === null ? "null" : priceText(price)},` +
    `"bound":{"inputTokens":${bound.inputTokens},"outputTokens":${bound.outputTokens}},` +
    `"request":{"digestKey":"${request.digestKey}","digest":"${request.digest}","bytes":${request.bytes},"meaning":${quoteJson(request.meaning)}}}`
  );
}

/** The settlement as the journal gets it; as `intentText`. */
export function settlementText(body: SettlementBody): string {
  const { usage } = body;
  return (
    `{"v":1,"gateway":"${body.gateway}","receipt":"${body.receipt}","organisation":"${body.organisation}",` +
    `"project":"${body.project}","key":"${body.key}","endpoint":"${body.endpoint}","model":${quoteJson(body.model)},` +
    `"site":${quoteJson(body.site)},"startedAtMs":${body.startedAtMs},"endedAtMs":${body.endedAtMs},` +
    `"ending":"${body.ending}","usage":${usage === null ? "null" : usageText(usage)},` +
    `"unrated":${quoteJson(body.unrated)},"upperBoundTokens":${body.upperBoundTokens},` +
    `"amountBound":${quoteJson(body.amountBound)},` +
    `"listAmount":${quoteJson(body.listAmount)},"currency":${quoteJson(body.currency)},` +
    `"priceVersion":${quoteJson(body.priceVersion)},` +
    `"tier":${quoteJson(body.tier)},"objective":${objectiveText(body.objective)},"decision":"${body.decision}",` +
    `"destination":${quoteJson(body.destination)},"placement":${placementText(body.placement)}}`
  );
}

const siteTexts = new WeakMap<SiteBody, string>();

/** A site is the same for all requests that run there. */
function siteText(site: SiteBody): string {
  let text = siteTexts.get(site);
  if (text === undefined) siteTexts.set(site, (text = JSON.stringify(site)));
  return text;
}

const sites = new WeakMap<DestinationSite, SiteBody>();

/** A site as an intent names it. */
export function siteBody(site: DestinationSite): SiteBody {
  const known = sites.get(site);
  if (known !== undefined) return known;
  const { name, jurisdiction, operator } = site;
  const body = { name, jurisdiction: jurisdiction ?? null, operator: operator ?? null };
  sites.set(site, body);
  return body;
}

function objectiveText(objective: Objective | null): string {
  return objective === null ? "null" : `{"ttftMs":${objective.ttftMs},"tpotMs":${objective.tpotMs}}`;
}

function usageText({ inputTokens, cachedInputTokens, outputTokens, reasoningTokens }: Usage): string {
  return (
    `{"inputTokens":${inputTokens},"cachedInputTokens":${cachedInputTokens},"outputTokens":${outputTokens},` +
    `"reasoningTokens":${reasoningTokens}}`
  );
}

function listText(list: readonly unknown[]): string {
  return list.length === 0 ? "[]" : JSON.stringify(list);
}

function narrowingText(narrowing: StatedNarrowing | null | undefined): string {
  return narrowing === null || narrowing === undefined ? "null" : JSON.stringify(narrowing);
}

const priceTexts = new WeakMap<PriceBody, string>();

function priceText(price: PriceBody): string {
  let text = priceTexts.get(price);
  if (text === undefined) priceTexts.set(price, (text = JSON.stringify(price)));
  return text;
}

type EarliestIntent = Omit<IntentBody, "tier" | "objective" | "gatewaySite" | "site" | "policy" | "request"> & {
  readonly site: Omit<SiteBody, "operator">;
  readonly policy: Omit<IntentBody["policy"], "version" | "placement">;
  readonly request: Omit<IntentBody["request"], "meaning">;
};

/** Also of an earlier release, which this one has to settle after a crash or an upgrade. */
export function parseIntent(body: string): IntentBody {
  const { site, policy, request, ...rest } = JSON.parse(body) as EarliestIntent;
  return {
    tier: null,
    objective: null,
    gatewaySite: null,
    ...rest,
    site: { operator: null, ...site },
    policy: { version: null, placement: null, ...policy },
    request: { meaning: null, ...request },
  };
}

/** Also of an earlier release, which noted no tier. */
export function parseSettlement(body: string): SettlementBody {
  return { tier: null, objective: null, ...(JSON.parse(body) as Omit<SettlementBody, "tier" | "objective">) };
}

// A price is written and read for every request and changes a few times a year: each is converted once.
const bodies = new WeakMap<Price, PriceBody>();
const prices = new WeakMap<PriceBody, Price>();

/** A price as an intent fixes it. */
export function priceBody(price: Price): PriceBody {
  const known = bodies.get(price);
  if (known !== undefined) return known;
  const body = {
    version: price.version,
    currency: price.currency,
    input: formatAmount(price.inputPerMillion),
    cachedInput: formatAmount(price.cachedInputPerMillion),
    output: formatAmount(price.outputPerMillion),
    reasoning: formatAmount(price.reasoningPerMillion),
  };
  bodies.set(price, body);
  prices.set(body, price);
  return body;
}

/** The price that an intent fixed, whatever the price book says by now. */
export function priceIn(body: PriceBody): Price {
  return (
    prices.get(body) ?? {
      version: body.version,
      currency: body.currency,
      inputPerMillion: parseAmount(body.input)!,
      cachedInputPerMillion: parseAmount(body.cachedInput)!,
      outputPerMillion: parseAmount(body.output)!,
      reasoningPerMillion: parseAmount(body.reasoning)!,
    }
  );
}
