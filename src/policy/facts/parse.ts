import { createHash } from "node:crypto";
import { type CanonicalValue, canonicalJson, nearest, memberPath } from "../../base/index.ts";
import { isAbout, shippedAdequacy } from "./adequacy-list.ts";
import { beginsMs, endsMs } from "./moments.ts";
import { ownershipProblems } from "./ownership.ts";
import { type DocumentProblem, problemsKept, schemaProblems } from "./problems.ts";
import { type Facts, factsSchema } from "./schema.ts";

/** At least one problem, at most 50. */
export interface FactsInvalid {
  readonly outcome: "invalid";
  readonly problems: readonly DocumentProblem[];
}

export type ParsedFacts =
  /** `sha256`: lower-case hex, of the canonical JSON of the document with its defaults filled in: its version. */
  { readonly outcome: "parsed"; readonly facts: Facts; readonly sha256: string } | FactsInvalid;

/** Checks a document of facts. Nothing of it is used where anything is wrong. */
export function parseFacts(document: unknown): ParsedFacts {
  const parsed = factsSchema.safeParse(document, { reportInput: true });
  if (!parsed.success) return { outcome: "invalid", problems: schemaProblems(parsed.error, factsSchema) };
  const problems = consistencyProblems(parsed.data);
  if (problems.length > 0) return { outcome: "invalid", problems: problems.slice(0, problemsKept) };
  return { outcome: "parsed", facts: parsed.data, sha256: factsDigest(parsed.data) };
}

export function factsDigest(facts: Facts): string {
  // By way of JSON: a member that a caller set to undefined is one that is not there.
  const plain = JSON.parse(JSON.stringify(facts)) as CanonicalValue;
  return createHash("sha256").update(canonicalJson(plain)).digest("hex");
}

type Report = (path: readonly PropertyKey[], message: string, nearest?: string) => void;

function consistencyProblems(facts: Facts): readonly DocumentProblem[] {
  const problems: DocumentProblem[] = [];
  const report: Report = (path, message, nearest) =>
    problems.push({ path: memberPath(path), message, ...(nearest !== undefined && { nearest }) });
  for (const list of ["operators", "sites", "hosts", "accelerators", "engines", "models"] as const) {
    reportRepeated(list, facts[list] ?? [], report);
  }
  checkReferences(facts, report);
  checkRevocations(facts, report);
  checkSpans(facts, report);
  for (const [index, message] of ownershipProblems(facts.operators)) report(["operators", index, "owners"], message);
  return problems;
}

function reportRepeated(list: string, items: readonly { readonly name: string }[], report: Report): void {
  const seen = new Set<string>();
  for (const [index, { name }] of items.entries()) {
    if (seen.has(name)) report([list, index, "name"], `"${name}" is there twice: one name is one thing`);
    seen.add(name);
  }
}

function checkReferences(facts: Facts, report: Report): void {
  const names = (items: readonly { readonly name: string }[]) => new Set(items.map(({ name }) => name));
  const refer = (name: string, known: ReadonlySet<string>, list: string, path: readonly PropertyKey[]) => {
    if (known.has(name)) return;
    const meant = nearest(name, known);
    const hint = meant === undefined ? `add it to ${list}` : `did you mean "${meant}"?`;
    report(path, `"${name}" is not in ${list}; ${hint}`, meant);
  };
  const operators = names(facts.operators);
  const sites = names(facts.sites);
  const accelerators = names(facts.accelerators);
  const engines = names(facts.engines ?? []);
  for (const [index, { owners }] of facts.operators.entries()) {
    for (const [at, { operator }] of owners.entries()) {
      if (operator !== undefined) {
        refer(operator, operators, "operators", ["operators", index, "owners", at, "operator"]);
      }
    }
  }
  for (const [index, { operator }] of facts.sites.entries()) {
    refer(operator, operators, "operators", ["sites", index, "operator"]);
  }
  for (const [index, host] of facts.hosts.entries()) {
    refer(host.site, sites, "sites", ["hosts", index, "site"]);
    if (host.engine !== undefined) refer(host.engine, engines, "engines", ["hosts", index, "engine"]);
    for (const [at, name] of host.accelerators.entries()) {
      refer(name, accelerators, "accelerators", ["hosts", index, "accelerators", at]);
    }
  }
  const makers = new Set(facts.accelerators.map(({ maker }) => maker));
  for (const [index, name] of facts.withdrawn.makers.entries()) {
    refer(name, makers, "accelerators as a maker", ["withdrawn", "makers", index]);
  }
}

/** A revocation that meets no decision would be a slip that leaves the decision in force. */
function checkRevocations({ jurisdictions: { adequacy, revoked } }: Facts, report: Report): void {
  for (const [index, end] of revoked.entries()) {
    if ([...shippedAdequacy, ...adequacy].some((decision) => isAbout(end, decision))) continue;
    report(["jurisdictions", "revoked", index], `there is no decision from ${end.from} about ${end.to} to revoke`);
  }
}

/** What ends before it begins never holds: nobody means that. */
function checkSpans(facts: Facts, report: Report): void {
  const check = (value: unknown, path: readonly PropertyKey[]): void => {
    if (typeof value !== "object" || value === null) return;
    const members = value as Readonly<Record<string, unknown>>;
    for (const [begin, end] of spanMembers) {
      const [from, until] = [members[begin], members[end]];
      if (typeof from === "string" && typeof until === "string" && endsMs(until) <= beginsMs(from)) {
        report([...path, end], `it is before ${begin}: it would never hold`);
      }
    }
    for (const [name, member] of Object.entries(value)) {
      check(member, [...path, Array.isArray(value) ? Number(name) : name]);
    }
  };
  check(facts, []);
}

const spanMembers = [
  ["on", "expires"],
  ["issuedOn", "expiresOn"],
  ["decidedOn", "until"],
  ["since", "until"],
] as const;

const parsedEmpty = parseFacts({});
if (parsedEmpty.outcome === "invalid") throw new Error("the empty document of facts is not valid");

/** Facts that say nothing: sites are what the settings say of them. */
export const noFacts: Facts = parsedEmpty.facts;
