import { type Ending, quoteJson, type Usage } from "../base/index.ts";

export const statementType = "application/vnd.bailiwick.receipt+json;version=1";

/** What a receipt states (docs/reference/receipt.md). Times are milliseconds since 1970 UTC here, RFC 3339 in the file. */
export interface StatementFacts {
  readonly receipt: string;
  readonly request: string;
  readonly organisation: string;
  /** The project. */
  readonly tenant: string;
  readonly gateway: string;
  readonly endpoint: string;
  readonly model: { readonly name: string; readonly sha256: string | null };
  readonly engine: { readonly name: string; readonly build: string };
  readonly host: string;
  readonly site: { readonly name: string; readonly jurisdiction: string | null };
  readonly policy: { readonly decision: "permitted"; readonly digest: string; readonly dataClass: string };
  /** null: it cannot be known, and `unrated` says why. */
  readonly usage: Usage | null;
  readonly unrated: string | null;
  readonly price: { readonly version: string; readonly currency: string; readonly listAmount: string | null } | null;
  readonly ending: Ending;
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  readonly requestDigest: { readonly keyId: string; readonly value: string; readonly bytes: number };
  /** null: a crash left nobody who knows what was sent. */
  readonly responseDigest: {
    readonly keyId: string;
    readonly value: string;
    readonly bytes: number;
    /** False where the client left early: it got a part. */
    readonly complete: boolean;
  } | null;
}

/**
 * The statement's one encoding (RFC 8785): the bytes that are a leaf of their batch. Written member by member in sorted
 * order, because that takes a third of what `canonicalJson` takes for any value; a test holds the two together.
 */
export function buildStatement(facts: StatementFacts): string {
  const { model, engine, site, policy, price, usage, requestDigest, responseDigest } = facts;
  return (
    `{"endedAt":"${timestamp(facts.endedAtMs)}","ending":"${facts.ending}","endpoint":${quoteJson(facts.endpoint)},` +
    `"engine":{"build":${quoteJson(engine.build)},"name":${quoteJson(engine.name)}},` +
    `"gateway":${quoteJson(facts.gateway)},"host":${quoteJson(facts.host)},` +
    `"model":{"name":${quoteJson(model.name)},"sha256":${quoteJson(model.sha256)}},` +
    `"organisation":${quoteJson(facts.organisation)},` +
    `"policy":{"dataClass":${quoteJson(policy.dataClass)},"decision":"${policy.decision}","digest":${quoteJson(policy.digest)}},` +
    `"price":${price === null ? "null" : formatPrice(price)},"receipt":${quoteJson(facts.receipt)},` +
    `"request":${quoteJson(facts.request)},"requestDigest":${formatDigest(requestDigest, "")},"responseDigest":` +
    `${responseDigest === null ? "null" : formatDigest(responseDigest, `"complete":${responseDigest.complete},`)},` +
    `"site":{"jurisdiction":${quoteJson(site.jurisdiction)},"name":${quoteJson(site.name)}},` +
    `"startedAt":"${timestamp(facts.startedAtMs)}","tenant":${quoteJson(facts.tenant)},"unrated":${quoteJson(facts.unrated)},` +
    `"usage":${usage === null ? "null" : formatUsage(usage)},"v":1}`
  );
}

function formatPrice({ currency, listAmount, version }: NonNullable<StatementFacts["price"]>): string {
  return `{"currency":${quoteJson(currency)},"listAmount":${quoteJson(listAmount)},"version":${quoteJson(version)}}`;
}

function formatUsage(usage: Usage): string {
  return (
    `{"cachedInputTokens":${count(usage.cachedInputTokens)},"inputTokens":${count(usage.inputTokens)},` +
    `"outputTokens":${count(usage.outputTokens)},"reasoningTokens":${count(usage.reasoningTokens)}}`
  );
}

/** `complete`: the response's own member, which stands between the others. */
function formatDigest({ bytes, keyId, value }: StatementFacts["requestDigest"], complete: string): string {
  return `{"algorithm":"hmac-sha-256","bytes":${count(bytes)},${complete}"keyId":${quoteJson(keyId)},"value":${quoteJson(value)}}`;
}

function count(value: number): string {
  if (!Number.isSafeInteger(value) || value < 0)
    throw new RangeError(`a receipt counts in whole numbers, not ${value}`);
  return String(value);
}

let latestSecond = Number.NaN;
let latestText = "";

/** RFC 3339, UTC, with milliseconds. What comes before those is the same for all receipts of a second. */
function timestamp(timeMs: number): string {
  const second = Math.floor(timeMs / 1_000);
  if (second !== latestSecond) {
    latestText = new Date(timeMs).toISOString().slice(0, -4);
    latestSecond = second;
  }
  return `${latestText}${String(timeMs - second * 1_000).padStart(3, "0")}Z`;
}
