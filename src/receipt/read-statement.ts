import type { CanonicalValue, Ending, Usage } from "../base/index.ts";
import type { EvidenceClass, Hop, Rejection, StatedNarrowing, StatementFacts } from "./statement.ts";
import { inTotoType, predicateType } from "./statement.ts";

type Members = Readonly<Record<string, CanonicalValue | undefined>>;

/** A digest as a receipt states it, of whichever version. */
export interface StatedDigest {
  readonly keyId: string;
  readonly value: string;
  readonly bytes: number;
  readonly complete: boolean;
}

/** What a receipt states, of whichever version, in the words of the newest. What a version did not state is null. */
export interface Stated {
  readonly version: 1 | 2;
  readonly receipt: string;
  readonly request: string;
  readonly organisation: string;
  readonly tenant: string;
  readonly endpoint: string;
  readonly startedAt: string;
  readonly endedAt: string;
  readonly ending: Ending;
  readonly model: StatementFacts["model"];
  readonly engine: StatementFacts["engine"];
  readonly hops: readonly Hop[];
  readonly policy: {
    readonly decision: string;
    readonly version: string | null;
    readonly digest: string;
    readonly dataClass: string;
    /** Undefined where a release stated it that did not say. */
    readonly narrowing?: StatedNarrowing | null;
    readonly rejected: readonly Rejection[];
  };
  readonly evidence: Readonly<Record<string, EvidenceClass | null>>;
  readonly usage: Usage | null;
  readonly unrated: string | null;
  readonly price: StatementFacts["price"];
  readonly requestDigest: StatedDigest;
  readonly responseDigest: StatedDigest | null;
  readonly requestMeaning: StatedMeaning | null;
  readonly answerMeaning: StatedMeaning | null;
}

/** A digest of what was asked or answered. */
export interface StatedMeaning {
  readonly algorithm: string;
  readonly form: string;
  readonly keyId: string;
  readonly value: string;
}

export type ReadStatement =
  | { readonly outcome: "read"; readonly stated: Stated }
  /** It is not of the form that its version has, or of a version that came later. */
  | { readonly outcome: "malformed" | "newer"; readonly reason: string };

/** Reads a statement's value; members that are not known are passed over, as later releases may add some. */
export function readStatement(value: CanonicalValue): ReadStatement {
  const statement = membersOf(value);
  if (statement?.["_type"] === inTotoType) {
    const predicate = membersOf(statement["predicate"]);
    if (statement["predicateType"] !== predicateType || predicate?.["v"] !== 2) return newer;
    return read(secondVersion(statement, predicate));
  }
  if (statement?.["v"] !== 1) return statement?.["v"] === undefined ? malformed : newer;
  return read(firstVersion(statement));
}

const newer = { outcome: "newer", reason: "its statement is of a newer version" } as const;
const malformed = { outcome: "malformed", reason: "its statement is none of a receipt" } as const;

const texts = ["receipt", "request", "organisation", "tenant", "endpoint", "startedAt", "endedAt", "ending"];
const parts = ["model", "engine", "policy", "requestDigest", "evidence"];
const maybe = ["usage", "price", "responseDigest", "requestMeaning", "answerMeaning"];

function read(stated: Members): ReadStatement {
  const isPart = (name: string): boolean => membersOf(stated[name]) !== undefined;
  const isWhole =
    texts.every((name) => typeof stated[name] === "string") &&
    parts.every(isPart) &&
    maybe.every((name) => stated[name] === null || isPart(name)) &&
    (stated["hops"] as readonly CanonicalValue[]).every((hop) => typeof membersOf(hop)?.["site"] === "string");
  return isWhole ? { outcome: "read", stated: stated as unknown as Stated } : malformed;
}

function secondVersion(statement: Members, predicate: Members): Members {
  const subjects = listOf(statement["subject"]).map(membersOf);
  const digest = (name: string): CanonicalValue => digestIn(subjects.find((subject) => subject?.["name"] === name));
  return {
    requestMeaning: null,
    answerMeaning: null,
    ...predicate,
    version: 2,
    hops: listOf(predicate["hops"]),
    requestDigest: digest("request"),
    responseDigest: digest("response"),
  };
}

function digestIn(subject: Members | undefined): CanonicalValue {
  const { bytes = null, keyId = null, complete = true } = membersOf(subject?.["annotations"]) ?? {};
  const value = membersOf(subject?.["digest"])?.["hmacSha256"];
  return value === undefined ? null : { keyId, value, bytes, complete };
}

/** The first version named one place, also where that was an upstream, and nothing of what policy had rejected. */
function firstVersion(statement: Members): Members {
  const site = membersOf(statement["site"]) ?? {};
  const { model, policy, host = null } = statement;
  const { name = null, jurisdiction = null } = site;
  return {
    ...statement,
    version: 1,
    model: model === undefined ? null : { ...membersOf(model), adapter: null },
    hops: [{ kind: "host", name: host, site: name, jurisdiction, operator: null }],
    policy: policy === undefined ? null : { ...membersOf(policy), version: null, rejected: [] },
    evidence: {},
    requestMeaning: null,
    answerMeaning: null,
    requestDigest: stated(statement["requestDigest"]),
    responseDigest: stated(statement["responseDigest"]),
  };
}

function stated(digest: CanonicalValue | undefined): CanonicalValue {
  const members = membersOf(digest);
  return members === undefined ? null : { complete: true, ...(members as Readonly<Record<string, CanonicalValue>>) };
}

function membersOf(value: CanonicalValue | undefined): Members | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Members) : undefined;
}

function listOf(value: CanonicalValue | undefined): readonly CanonicalValue[] {
  return Array.isArray(value) ? (value as readonly CanonicalValue[]) : [];
}
