import { createHash } from "node:crypto";
import { type CanonicalValue, canonicalJson, refuse, type Refusal } from "../base/index.ts";
import type { CompiledPolicies } from "./cedar/policies.ts";
import { type PolicyDocument, shippedDocument } from "./document.ts";
import { noFacts } from "./facts/parse.ts";
import type { Facts } from "./facts/schema.ts";
import { type Standing, standing } from "./facts/standing.ts";
import { Judge, type Verdict } from "./judge.ts";
import { jurisdictionsVersion } from "./jurisdictions.ts";
import { placeOf } from "./places.ts";
import type { Candidate, Question } from "./question.ts";
import { shippedPolicies } from "./shipped.ts";
import { viewsOf } from "./views.ts";

/** Names the code that puts facts and policies together; a decision's digest holds it. Changed with every change of that. */
const rulesVersion = `cedar-1/jurisdictions-${jurisdictionsVersion}`;

interface Rejected<C extends Candidate = Candidate> {
  readonly candidate: C;
  /** For receipts: a tenant learns that a place was not allowed, not what it was. */
  readonly reason: string;
  /** A sentence with the facts behind it. */
  readonly explanation: string;
}

/** What every answer carries, so that it can be shown later why it was given. */
interface Grounds<C extends Candidate> {
  /** In the order of the candidates. */
  readonly rejected: readonly Rejected<C>[];
  /**
   * Lower-case hex SHA-256 of the canonical JSON of everything that the decision stands on: the rules' version, the
   * policies' and the facts' digests, what held of them, the question and the candidates.
   */
  readonly policyDigest: string;
  readonly epoch: number;
}

export interface Decision<C extends Candidate = Candidate> extends Grounds<C> {
  readonly outcome: "permitted";
  /** At least one, in the order of the candidates: which is best is not decided here. */
  readonly permitted: readonly C[];
}

/** no_permitted_site, with the reasons as text (for the client) and as values (for the journal). */
export interface Forbidden<C extends Candidate = Candidate> extends Grounds<C>, Refusal {}

export interface Policy {
  /** Counts changes of the policy; a gateway serves with the newest that it has confirmed. */
  readonly epoch: number;
  readonly rulesVersion: string;
  readonly policies: CompiledPolicies;
  /** What holds now. */
  standing(): Standing;
  decide<C extends Candidate>(question: Question, candidates: readonly C[]): Decision<C> | Forbidden<C>;
  /** What is found on one candidate, with the policies that decided it: for people, not for the way of a request. */
  judge(question: Question, candidate: Candidate): Verdict;
}

export interface PolicyOptions {
  readonly epoch?: number;
  /** Decisions that are kept. */
  readonly decisionsKept?: number;
  /** Left out: what is shipped. */
  readonly policies?: CompiledPolicies;
  readonly document?: PolicyDocument;
  /** Left out: sites are what the settings say of them. */
  readonly facts?: Facts;
  /** The time, in milliseconds since 1970; left out: it stands still at 1970, and no evidence counts. */
  readonly nowMs?: () => number;
}

/** A decision without its candidates: what was found on each in turn; undefined where it is permitted. */
interface Kept {
  readonly found: readonly (Pick<Rejected, "reason" | "explanation"> | undefined)[];
  readonly policyDigest: string;
}

/** A policy whose decisions are kept, by everything that they depend on, until a fact begins or expires. */
export function createPolicy(options: PolicyOptions = {}): Policy {
  const { epoch = 1, decisionsKept = 4096, document = shippedDocument, facts = noFacts, nowMs = () => 0 } = options;
  const policies = options.policies ?? shippedPolicies();
  const judge = new Judge(policies);
  const kept = new Map<string, Kept>();
  let now = standing(facts, nowMs());
  let sinceMs = nowMs();

  function current(): Standing {
    const atMs = nowMs();
    // A clock can be set back: what holds then is found anew as well.
    if (atMs < now.changesAtMs && atMs >= sinceMs) return now;
    const then = standing(facts, atMs);
    if (then.id !== now.id) kept.clear();
    now = then;
    sinceMs = atMs;
    return now;
  }

  function decideAnew(question: Question, candidates: readonly Candidate[], at: Standing): Kept {
    const views = viewsOf(question, document);
    const found = candidates.map((candidate) => {
      const { isPermitted, reason, because } = judge.judge(views, candidate, placeOf(candidate, at), at);
      return isPermitted ? undefined : { reason: reason!, explanation: explain(candidate, because) };
    });
    return { found, policyDigest: digestOf(question, candidates, document, policies, at) };
  }

  function decided(question: Question, candidates: readonly Candidate[]): Kept {
    const at = current();
    const key = keyOf(question, candidates);
    const known = kept.get(key);
    if (known !== undefined) return known;
    const fresh = decideAnew(question, candidates, at);
    // Nothing to choose from: the model's name is then any text that a client thought of, and is not kept.
    if (candidates.length === 0) return fresh;
    // The oldest goes, not the least recently used: an order kept on every hit would cost more than it saves.
    const oldest = kept.size >= decisionsKept ? kept.keys().next() : undefined;
    if (oldest?.done === false) kept.delete(oldest.value);
    kept.set(key, fresh);
    return fresh;
  }

  return {
    epoch,
    rulesVersion,
    policies,
    standing: current,
    judge(question, candidate) {
      const at = current();
      return judge.judge(viewsOf(question, document), candidate, placeOf(candidate, at), at);
    },
    decide(question, candidates) {
      const { found, policyDigest } = decided(question, candidates);
      const permitted: (typeof candidates)[number][] = [];
      const rejected: Rejected<(typeof candidates)[number]>[] = [];
      for (const [index, candidate] of candidates.entries()) {
        const rejection = found[index];
        if (rejection === undefined) permitted.push(candidate);
        else rejected.push({ candidate, reason: rejection.reason, explanation: rejection.explanation });
      }
      if (permitted.length > 0) return { outcome: "permitted", permitted, rejected, policyDigest, epoch };
      return { ...forbid(question, rejected), rejected, policyDigest, epoch };
    },
  };
}

function explain({ kind, name, site }: Candidate, because: readonly string[]): string {
  const place = kind === "site" ? `site "${name}"` : `${kind} "${name}" at site "${site.name}"`;
  return `${place}: ${because.join("; ")}`;
}

function forbid({ project, model }: Question, rejected: readonly Rejected[]): Refusal {
  const message =
    rejected.length === 0
      ? `No site offers "${model}".`
      : `No site that offers "${model}" may process this project's ${project.dataClass} data.`;
  return refuse("no_permitted_site", message, { reasons: rejected.map(({ explanation }) => explanation) });
}

function digestOf(
  question: Question,
  candidates: readonly Candidate[],
  document: PolicyDocument,
  { id }: CompiledPolicies,
  at: Standing,
): string {
  const facts = {
    rules: rulesVersion,
    policies: id,
    facts: at.factsDigest,
    standing: at.id,
    document,
    question: asked(question),
    candidates: candidates.map(({ kind, name, site }) => ({ kind, name, site: siteText(site) })),
  };
  // By way of JSON: members that are undefined are members that are not there.
  const plain = JSON.parse(JSON.stringify(facts)) as CanonicalValue;
  return createHash("sha256").update(canonicalJson(plain)).digest("hex");
}

/** The members of a question that anything depends on: callers pass objects of their own, which hold more. */
function asked({ action, project, key, staff, model, purpose, legalBasis, narrowing }: Question) {
  const { id, dataClass, processing, storage, regimes, country, organisation, exported } = project;
  const owner = { id, dataClass, processing, storage, regimes, country, organisation, exported };
  return { action, project: owner, key, staff, model, purpose, legalBasis, narrowing };
}

function siteText({ name, jurisdiction, operator }: Candidate["site"]) {
  return { name, jurisdiction, operator };
}

/**
 * Every fact in one string, read the same way only: names of our own hold no line break, and the model's name, which a
 * client chose, comes last. What few requests have goes in as JSON, which holds no line break either.
 */
function keyOf(question: Question, candidates: readonly Candidate[]): string {
  const { action, project, key, model } = question;
  let text = `${action}\n${project.id}\n${key ?? ""}\n${project.dataClass}\n${project.processing.join(" ")}`;
  text += `\n${rareOf(question)}`;
  for (const { kind, name, site } of candidates) {
    text += `\n${kind} ${name}\n${site.name}\n${site.jurisdiction ?? ""}\n${site.operator ?? ""}`;
  }
  return `${text}\n\n${model}`;
}

function rareOf({ project, staff, purpose, legalBasis, narrowing }: Question): string {
  const { storage, regimes, country, organisation, exported } = project;
  const rare = [storage, regimes, country, organisation, exported, staff, purpose, legalBasis, narrowing];
  return rare.every((value) => value === undefined) ? "" : JSON.stringify(rare);
}
