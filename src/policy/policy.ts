import { createHash } from "node:crypto";
import { canonicalJson, refuse, type Refusal } from "../base/index.ts";
import {
  type Action,
  type Candidate,
  type DataOwner,
  explainRejection,
  type Reason,
  rejectionOf,
  rulesVersion,
} from "./rules.ts";

export interface Question {
  readonly action: Action;
  readonly project: DataOwner;
  /** The model's name, as the request has it. */
  readonly model: string;
}

interface Rejected<C extends Candidate = Candidate> {
  readonly candidate: C;
  /** For receipts. */
  readonly reason: Reason;
  /** A sentence with the facts behind it. */
  readonly explanation: string;
}

/** What every answer carries, so that it can be shown later why it was given. */
interface Grounds<C extends Candidate> {
  /** In the order of the candidates. */
  readonly rejected: readonly Rejected<C>[];
  /** Lower-case hex SHA-256 of the canonical JSON of the rules' version and every fact that the decision stands on. */
  readonly policyDigest: string;
  readonly epoch: number;
}

export interface Decision<C extends Candidate = Candidate> extends Grounds<C> {
  readonly outcome: "permitted";
  /** At least one, in the order of the candidates: which is best is not decided here. */
  readonly permitted: readonly C[];
}

/** no_permitted_site, with the reasons as text (for the client) and as values (for the journal). */
interface Forbidden<C extends Candidate = Candidate> extends Grounds<C>, Refusal {}

export interface Policy {
  /** Counts changes of the policy; a gateway serves with the newest that it has confirmed. */
  readonly epoch: number;
  readonly rulesVersion: string;
  decide<C extends Candidate>(question: Question, candidates: readonly C[]): Decision<C> | Forbidden<C>;
}

/** A decision without its candidates: what was found on each in turn; undefined where it is permitted. */
interface Verdict {
  readonly found: readonly (Pick<Rejected, "reason" | "explanation"> | undefined)[];
  readonly policyDigest: string;
}

/** A policy whose decisions are kept (at most `decisionsKept`), by everything that they depend on. */
export function createPolicy({ epoch = 1, decisionsKept = 4096 } = {}): Policy {
  const kept = new Map<string, Verdict>();

  function verdictOn(question: Question, candidates: readonly Candidate[]): Verdict {
    const facts = keyOf(question, candidates);
    const known = kept.get(facts);
    if (known !== undefined) return known;
    const verdict = judge(question, candidates);
    // Nothing to choose from: the model's name is then any text that a client thought of, and is not kept.
    if (candidates.length === 0) return verdict;
    // The oldest goes, not the least recently used: an order kept on every hit would cost more than it saves.
    const oldest = kept.size >= decisionsKept ? kept.keys().next() : undefined;
    if (oldest?.done === false) kept.delete(oldest.value);
    kept.set(facts, verdict);
    return verdict;
  }

  return {
    epoch,
    rulesVersion,
    decide(question, candidates) {
      const { found, policyDigest } = verdictOn(question, candidates);
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

function forbid({ project, model }: Question, rejected: readonly Rejected[]): Refusal {
  const message =
    rejected.length === 0
      ? `No site offers "${model}".`
      : `No site that offers "${model}" may process this project's ${project.dataClass} data.`;
  return refuse("no_permitted_site", message, { reasons: rejected.map(({ explanation }) => explanation) });
}

function judge(question: Question, candidates: readonly Candidate[]): Verdict {
  const { action, project, model } = question;
  const facts = canonicalJson({
    rules: rulesVersion,
    action,
    model,
    project: { id: project.id, dataClass: project.dataClass, processing: project.processing },
    candidates: candidates.map(({ kind, name, site }) => ({
      kind,
      name,
      site: site.name,
      jurisdiction: site.jurisdiction ?? null,
    })),
  });
  const found = candidates.map((candidate) => {
    const reason = rejectionOf(project, candidate);
    return reason && { reason, explanation: explainRejection(reason, project, candidate) };
  });
  return { found, policyDigest: createHash("sha256").update(facts).digest("hex") };
}

/**
 * Every fact in one string, read the same way only: names of our own hold no line break, and the model's name, which a
 * client chose, comes last.
 */
function keyOf({ action, project, model }: Question, candidates: readonly Candidate[]): string {
  let key = `${action}\n${project.id}\n${project.dataClass}\n${project.processing.join(" ")}`;
  for (const { kind, name, site } of candidates) key += `\n${kind} ${name}\n${site.name}\n${site.jurisdiction ?? ""}`;
  return `${key}\n\n${model}`;
}
