import { createHash } from "node:crypto";
import { type CanonicalValue, canonicalJson } from "../base/index.ts";
import type { PolicyDocument } from "./document.ts";
import type { Standing } from "./facts/standing.ts";
import { jurisdictionsVersion } from "./jurisdictions.ts";
import type { Candidate, DataOwner, Question } from "./question.ts";

/** Names the code that puts facts and policies together; a decision's digest holds it. Changed with every change of that. */
export const rulesVersion = `cedar-2/jurisdictions-${jurisdictionsVersion}`;

/** What a decision stands on beside its question and its candidates. */
interface Under {
  readonly policies: { readonly id: string };
  readonly document: PolicyDocument;
  readonly standing: Standing;
}

/** Lower-case hex SHA-256 of everything that a decision stands on: one digest names one answer. */
export function digestOf(question: Question, candidates: readonly Candidate[], under: Under): string {
  const facts = {
    rules: rulesVersion,
    policies: under.policies.id,
    facts: under.standing.factsDigest,
    standing: under.standing.id,
    document: under.document,
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
export function keyOf(question: Question, candidates: readonly Candidate[]): string {
  const { action, project, key, model } = question;
  let text = `${action}\n${ownerText(project)}\n${key ?? ""}\n${rareOf(question)}`;
  for (const { kind, name, site } of candidates) {
    text += `\n${kind} ${name}\n${site.name}\n${site.jurisdiction ?? ""}\n${site.operator ?? ""}`;
  }
  return `${text}\n\n${model}`;
}

function rareOf({ staff, purpose, legalBasis, narrowing }: Question): string {
  const rare = [staff, purpose, legalBasis, narrowing];
  return rare.every((value) => value === undefined) ? "" : JSON.stringify(rare);
}

// Whoever asks often asks with the same object for its project.
const ownerTexts = new WeakMap<DataOwner, string>();

function ownerText(owner: DataOwner): string {
  let text = ownerTexts.get(owner);
  if (text === undefined) {
    const { id, dataClass, processing, storage, regimes, country, organisation, exported } = owner;
    text = JSON.stringify([id, dataClass, processing, storage, regimes, country, organisation, exported]);
    ownerTexts.set(owner, text);
  }
  return text;
}
