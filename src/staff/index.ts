/**
 * staff: the operator's people, by name. Owns their tokens, where they work, and the grants by which they look at tenants'
 * data. Does not own: what they may do
 * (gateway), what they did (audit), the first operator's token, which lies in the data folder (installation).
 * Invariants: a token is stored nowhere and shown once; a name is given once, because the audit log names it for ever; a
 * revoked token stops with the next request; a grant opens nothing before its tenant has approved it.
 */
export { createGrants, type Grants } from "./grants.ts";
export { createOperators, firstOperator, type Operators, type OperatorTold } from "./operators.ts";
