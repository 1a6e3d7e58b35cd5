/**
 * policy: decides where a thing may run. Owns jurisdictions (ISO 3166 and dated groups), data classes, the rules and
 * their digest. Does not own: where it is best to run (pool), who may ask (tenancy), the sites themselves (config).
 * Invariants: a decision is a pure function of its question, its candidates and the rules; a site whose jurisdiction
 * is not declared serves public data only; what no rule permits is refused, with every candidate's reason.
 */
export { type DataClass, dataClasses, isDataClass } from "./data-class.ts";
export { type FactsInvalid, type ParsedFacts, parseFacts } from "./facts/parse.ts";
export { type Standing, standing } from "./facts/standing.ts";
export { checkJurisdiction, checkProcessing } from "./jurisdictions.ts";
export { createPolicy, type Decision, type Policy, type Question } from "./policy.ts";
export type { Candidate } from "./rules.ts";
