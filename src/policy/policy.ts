import { refuse, type Refusal } from "../base/index.ts";
import type { CompiledPolicies } from "./cedar/policies.ts";
import { type PolicyDocument, shippedDocument } from "./document.ts";
import { noFacts } from "./facts/parse.ts";
import type { Facts } from "./facts/schema.ts";
import type { Standing } from "./facts/standing.ts";
import { digestOf, keyOf, rulesVersion } from "./grounds.ts";
import { Judge, type Verdict } from "./judge.ts";
import { Kept } from "./kept.ts";
import { placeOf } from "./places.ts";
import { Present } from "./present.ts";
import type { Candidate, Question } from "./question.ts";
import { shippedPolicies } from "./shipped.ts";
import { viewsOf } from "./views.ts";

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
  /** The combinations of regimes that it has decided by. */
  readonly met: readonly (readonly string[])[];
  /**
   * Makes ready to decide under these combinations, one in each turn of the event loop: the first question of each would
   * wait for it otherwise, and all others with it.
   */
  prepare(combinations: readonly (readonly string[])[]): Promise<void>;
  decide<C extends Candidate>(question: Question, candidates: readonly C[]): Decision<C> | Forbidden<C>;
  /** What is found on one candidate, with the policies that decided it: for people, not for the way of a request. */
  judge(question: Question, candidate: Candidate): Verdict;
}

export interface PolicyOptions {
  readonly epoch?: number;
  /** Decisions that are kept; a quarter as many of requests that narrow. */
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
interface Found {
  readonly found: readonly (Pick<Rejected, "reason" | "explanation"> | undefined)[];
  readonly policyDigest: string;
}

/** A policy whose decisions are kept, by everything that they depend on, until a fact begins or expires. */
export function createPolicy(options: PolicyOptions = {}): Policy {
  const { epoch = 1, decisionsKept = 4096, document = shippedDocument, facts = noFacts, nowMs = () => 0 } = options;
  const policies = options.policies ?? shippedPolicies();
  const judge = new Judge(policies);
  const kept = new Kept<Found>(decisionsKept);
  // Headers are whatever clients think of: their decisions take no room from those of projects.
  const narrowed = new Kept<Found>(decisionsKept / 4);
  const present = new Present(facts, nowMs, () => {
    kept.clear();
    narrowed.clear();
  });

  function decideAnew(question: Question, candidates: readonly Candidate[], at: Standing): Found {
    const views = viewsOf(question, document);
    const found = candidates.map((candidate) => {
      const { isPermitted, reason, because } = judge.judge(views, candidate, placeOf(candidate, at), at);
      return isPermitted ? undefined : { reason: reason!, explanation: explainRefusal(candidate, because) };
    });
    return { found, policyDigest: digestOf(question, candidates, { policies, document, standing: at }) };
  }

  function decided(question: Question, candidates: readonly Candidate[]): Found {
    const at = present.standing();
    const among = question.narrowing === undefined && question.purpose === undefined ? kept : narrowed;
    const key = keyOf(question, candidates);
    const known = among.get(key);
    if (known !== undefined) return known;
    const fresh = decideAnew(question, candidates, at);
    // Nothing to choose from: the model's name is then any text that a client thought of, and is not kept.
    if (candidates.length > 0) among.set(key, fresh);
    return fresh;
  }

  return {
    epoch,
    rulesVersion,
    policies,
    standing: () => present.standing(),
    get met() {
      return judge.met;
    },
    prepare: (combinations) => judge.prepare(combinations),
    judge(question, candidate) {
      const at = present.standing();
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

/** A place with the clauses that say why it is refused. */
export function explainRefusal({ kind, name, site }: Candidate, because: readonly string[]): string {
  const place = kind === "site" ? `site "${name}"` : `${kind} "${name}" at site "${site.name}"`;
  return `${place}: ${because.join("; ")}`;
}

function forbid({ project, model, narrowing }: Question, rejected: readonly Rejected[]): Refusal {
  const narrowed = narrowing === undefined ? "" : ", as this request's headers narrow it";
  const message =
    rejected.length === 0
      ? `No site offers "${model}".`
      : `No site that offers "${model}" may process this project's ${project.dataClass} data${narrowed}.`;
  return refuse("no_permitted_site", message, { reasons: rejected.map(({ explanation }) => explanation) });
}
