/**
 * verification: what a receipt, its proof and the operator's keys show together, with no server and no network. Owns how
 * the parts' verdicts become one, and what may be said of the time at which it holds. Does not own: how a signature or a
 * path is checked (receipt, log), files, options, words on a terminal.
 * Invariants: nothing that was asked for and could not be checked counts as valid; a receipt that a revoked key sealed
 * needs a proof that it was in the log before the revocation.
 */
export { verdictJson, type VerdictJson, verdictText } from "./verdict-json.ts";
export { type AsOf, type Asked, type Verdict, verify } from "./verify.ts";
