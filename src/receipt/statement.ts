import { canonicalJson, type Ending, quoteJson, type Usage } from "../base/index.ts";

/** The payload is an in-toto Statement (github.com/in-toto/attestation, spec/v1/envelope.md). */
export const statementType = "application/vnd.in-toto+json";
/** What receipts were before: of a type of our own, and verified for ever. */
export const firstStatementType = "application/vnd.bailiwick.receipt+json;version=1";
/** What the predicate is by name. It resolves nowhere: the name's domain is reserved (RFC 2606, section 3). */
export const predicateType = "https://bailiwick.example/receipt/v2";
export const inTotoType = "https://in-toto.io/Statement/v1";

/** Of which type a statement is; each begins with another member. */
export function typeOfStatement(payload: string): string {
  return payload.startsWith('{"_type"') ? statementType : firstStatementType;
}

/** One place that the request went through. */
export interface Hop {
  readonly kind: "gateway" | "host" | "upstream";
  /** The gateway's or the host's id, or the upstream's name. */
  readonly name: string;
  readonly site: string;
  readonly jurisdiction: string | null;
  /** The company or body that runs the site. */
  readonly operator: string | null;
}

/** Where what was asked and answered is kept, and until when at the latest. */
export interface Rest {
  readonly site: string;
  readonly jurisdiction: string | null;
  readonly untilMs: number;
}

/** A place that policy did not permit, in coarse words: the full reason stays with the operator. */
export interface Rejection {
  /** The country of its site, or "undeclared". */
  readonly place: string;
  readonly reason: string;
}

/** By the names of the headers, without their prefix; null: too long to be repeated. */
export type StatedNarrowing = Readonly<Record<string, string | null>>;

/** Who says so: nobody measured what an operator attests. */
export type EvidenceClass = "measured" | "operator-attested" | "third-party-attested" | "tee-attested";

/** The digest of what was asked or answered, whatever the bytes were. */
export interface MeaningFacts {
  /** What stands in the canonical JSON that is digested: an endpoint and a number. */
  readonly form: string;
  readonly keyId: string;
  readonly value: string;
}

interface DigestFacts {
  readonly keyId: string;
  readonly value: string;
  readonly bytes: number;
}

/** What a receipt states (docs/reference/receipt.md). Times are milliseconds since 1970 UTC here, RFC 3339 in the file. */
export interface StatementFacts {
  /** 128 random bits, base64url: without them the statement's hash says nothing about it. */
  readonly salt: string;
  readonly receipt: string;
  readonly request: string;
  readonly organisation: string;
  /** The project. */
  readonly tenant: string;
  readonly endpoint: string;
  readonly model: {
    readonly name: string;
    readonly sha256: string | null;
    readonly adapter: { readonly name: string; readonly sha256: string } | null;
  };
  readonly engine: { readonly name: string; readonly build: string };
  /** In the order in which the request went through them; the answer was computed at the last one. */
  readonly hops: readonly Hop[];
  readonly policy: {
    readonly decision: "permitted";
    readonly version: string;
    readonly digest: string;
    readonly dataClass: string;
    /** What the request's headers asked for, as they said it; null: nothing. */
    readonly narrowing: StatedNarrowing | null;
    readonly rejected: readonly Rejection[];
  };
  /** What is known of the place where the answer was computed, and by whose word; null: by nobody's. */
  readonly evidence: { readonly jurisdiction: EvidenceClass | null };
  /** Where content is kept; left out: nowhere. */
  readonly rests?: readonly Rest[];
  /** null: it cannot be known, and `unrated` says why. */
  readonly usage: Usage | null;
  readonly unrated: string | null;
  readonly price: { readonly version: string; readonly currency: string; readonly listAmount: string | null } | null;
  readonly ending: Ending;
  /** null: it was not asked for, has no canonical form, or is too large; of an answer, also: it broke off. */
  readonly requestMeaning: MeaningFacts | null;
  readonly answerMeaning: MeaningFacts | null;
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  readonly requestDigest: DigestFacts;
  /** null: a crash left nobody who knows what was sent. */
  readonly responseDigest:
    | (DigestFacts & {
        /** False where the client left early: it got a part. */
        readonly complete: boolean;
      })
    | null;
}

/** Of those that policy did not permit a receipt names so many. */
export const rejectionsMax = 16;

/**
 * The statement's one encoding (RFC 8785): the bytes that are a leaf of their batch. Written member by member in sorted
 * order, because that takes a third of what `canonicalJson` takes for any value; a test holds the two together.
 */
export function buildStatement(facts: StatementFacts): string {
  const { requestDigest, responseDigest } = facts;
  const response =
    responseDigest === null
      ? ""
      : `,${formatSubject("response", responseDigest, `"complete":${responseDigest.complete},`)}`;
  return (
    `{"_type":"${inTotoType}","predicate":${formatPredicate(facts)},"predicateType":"${predicateType}",` +
    `"subject":[${formatSubject("request", requestDigest, "")}${response}]}`
  );
}

function formatPredicate(facts: StatementFacts): string {
  const { model, engine, price, usage, evidence } = facts;
  return (
    `{"answerMeaning":${formatMeaning(facts.answerMeaning)},"endedAt":"${timestamp(facts.endedAtMs)}","ending":"${facts.ending}",` +
    `"endpoint":${quoteKnown(facts.endpoint)},` +
    `"engine":{"build":${quoteKnown(engine.build)},"name":${quoteKnown(engine.name)}},` +
    `"evidence":{"jurisdiction":${quoteKnown(evidence.jurisdiction)}},"hops":${formatHops(facts.hops)},` +
    `"model":{"adapter":${formatAdapter(model.adapter)},"name":${quoteKnown(model.name)},"sha256":${quoteKnown(model.sha256)}},` +
    `"organisation":${quoteKnown(facts.organisation)},"policy":${formatPolicy(facts.policy)},` +
    `"price":${price === null ? "null" : formatPrice(price)},"receipt":${quoteJson(facts.receipt)},` +
    `"request":${quoteJson(facts.request)},"requestMeaning":${formatMeaning(facts.requestMeaning)},"rests":${formatRests(facts.rests)},"salt":${quoteJson(facts.salt)},` +
    `"startedAt":"${timestamp(facts.startedAtMs)}","tenant":${quoteKnown(facts.tenant)},"unrated":${quoteKnown(facts.unrated)},` +
    `"usage":${usage === null ? "null" : formatUsage(usage)},"v":2}`
  );
}

function formatRests(rests: readonly Rest[] = []): string {
  const texts = rests.map(
    ({ jurisdiction, site, untilMs }) =>
      `{"jurisdiction":${quoteKnown(jurisdiction)},"site":${quoteKnown(site)},"until":"${timestamp(untilMs)}"}`,
  );
  return `[${texts.join(",")}]`;
}

const quoted = new Map<string, string>();
const quotedMax = 4_096;

/** What stands in many receipts is looked through for what JSON escapes once. */
function quoteKnown(text: string | null): string {
  if (text === null) return "null";
  const known = quoted.get(text);
  if (known !== undefined) return known;
  const made = quoteJson(text);
  // Names come and go; none is so dear that the oldest has to be found.
  if (quoted.size >= quotedMax) quoted.clear();
  quoted.set(text, made);
  return made;
}

const hopTexts = new WeakMap<readonly Hop[], string>();

/** The way to a place is the same for all requests that run there. */
function formatHops(hops: readonly Hop[]): string {
  const known = hopTexts.get(hops);
  if (known !== undefined) return known;
  let text = "[";
  for (const { jurisdiction, kind, name, operator, site } of hops) {
    text +=
      `${text.length > 1 ? "," : ""}{"jurisdiction":${quoteJson(jurisdiction)},"kind":"${kind}","name":${quoteJson(name)},` +
      `"operator":${quoteJson(operator)},"site":${quoteJson(site)}}`;
  }
  hopTexts.set(hops, `${text}]`);
  return `${text}]`;
}

function formatMeaning(meaning: MeaningFacts | null): string {
  if (meaning === null) return "null";
  const { form, keyId, value } = meaning;
  return `{"algorithm":"hmac-sha-256","form":${quoteKnown(form)},"keyId":${quoteKnown(keyId)},"value":${quoteJson(value)}}`;
}

function formatAdapter(adapter: StatementFacts["model"]["adapter"]): string {
  return adapter === null ? "null" : `{"name":${quoteKnown(adapter.name)},"sha256":${quoteKnown(adapter.sha256)}}`;
}

function formatPolicy({ dataClass, decision, digest, narrowing, rejected, version }: StatementFacts["policy"]): string {
  const places = rejected
    .slice(0, rejectionsMax)
    .map(({ place, reason }) => `{"place":${quoteKnown(place)},"reason":${quoteKnown(reason)}}`);
  return (
    `{"dataClass":${quoteKnown(dataClass)},"decision":"${decision}","digest":${quoteKnown(digest)},` +
    `"narrowing":${narrowing === null ? "null" : canonicalJson(narrowing)},"rejected":[${places.join(",")}],"version":${quoteKnown(version)}}`
  );
}

function formatPrice({ currency, listAmount, version }: NonNullable<StatementFacts["price"]>): string {
  return `{"currency":${quoteKnown(currency)},"listAmount":${quoteJson(listAmount)},"version":${quoteKnown(version)}}`;
}

function formatUsage(usage: Usage): string {
  return (
    `{"cachedInputTokens":${count(usage.cachedInputTokens)},"inputTokens":${count(usage.inputTokens)},` +
    `"outputTokens":${count(usage.outputTokens)},"reasoningTokens":${count(usage.reasoningTokens)}}`
  );
}

/** `complete`: the response's own annotation, which stands between the others. */
function formatSubject(name: "request" | "response", { bytes, keyId, value }: DigestFacts, complete: string): string {
  return (
    `{"annotations":{"bytes":${count(bytes)},${complete}"keyId":${quoteKnown(keyId)}},` +
    `"digest":{"hmacSha256":${quoteJson(value)}},"name":"${name}"}`
  );
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
