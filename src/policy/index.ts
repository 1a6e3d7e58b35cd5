/**
 * policy: decides where a thing may run, rest or be looked at. Owns the facts (jurisdictions, companies and their owners,
 * sites, certificates), the policies over them (Cedar, with the regimes that are shipped), data classes, and what tells
 * people why. Does not own: where it is best to run (pool), who may ask (tenancy), reading and keeping the documents
 * (residency). Invariants: a decision is a pure function of its question, its candidates, the policies, the facts and
 * the time; a site whose jurisdiction is not declared serves public data only, and evidence that has expired declares
 * nothing; a header takes away and never adds; what no policy permits is refused, with every candidate's reason.
 */
export { compileAside } from "./cedar/aside.ts";
export { compilePolicies, parsePolicies, parsePoliciesByTurns } from "./cedar/compile.ts";
export type { CompiledPolicies, PoliciesInvalid, PolicyFile, PolicyNote, PolicyProblem } from "./cedar/policies.ts";
export { type DataClass, dataClasses } from "../base/index.ts";
export { type Changed, diff, type Placement, type PolicyDiff } from "./diff.ts";
export {
  baseClassOf,
  classesOf,
  type ParsedDocument,
  parsePolicyDocument,
  type PolicyDocument,
  regimesOf,
  shippedDocument,
  unknownClass,
} from "./document.ts";
export { drill, type Drilled, type DrillOptions, type Lost } from "./drill.ts";
export { explain, type Explained, knownSites } from "./explain.ts";
export { type Adequacy, shippedAdequacy } from "./facts/adequacy-list.ts";
export { criterionIds } from "./facts/criteria.ts";
export type { Evidence } from "./facts/evidence.ts";
export { beginsMs, endsMs } from "./facts/moments.ts";
export { heldByCountry, type Holding } from "./facts/ownership.ts";
export { factsDigest, type FactsInvalid, noFacts, type ParsedFacts, parseFacts } from "./facts/parse.ts";
export type { DocumentProblem } from "./facts/problems.ts";
export type { Facts, FactsInput } from "./facts/schema.ts";
export { adequacyFor, placesOf, type Standing, standing } from "./facts/standing.ts";
export { checkJurisdiction, checkProcessing, countryOf, liesWithin, type OwnGroups } from "./jurisdictions.ts";
export type { Loss } from "./losses.ts";
export { type NarrowingHeaders, type ParsedNarrowing, parseNarrowing } from "./narrowing.ts";
export { contradictions, type Place, placeOf } from "./places.ts";
export { createPolicy, type Decision, type Forbidden, type Policy, type PolicyOptions } from "./policy.ts";
export type { Action, Candidate, DataOwner, ExportDeclaration, Narrowing, Question, StaffMember } from "./question.ts";
export type { Remedy } from "./remedies.ts";
export { besideShipped, policySchema, shippedFiles, shippedPolicies } from "./shipped.ts";
export { type CaseResult, parseCases, type ParsedCases, type PolicyCase, testTable } from "./test-table.ts";
