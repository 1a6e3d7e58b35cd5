/**
 * residency: the documents by which is decided where data may be. Owns their versions in PostgreSQL, changing them, and the
 * policy that a gateway decides by: the newest documents that it has confirmed. Does not own: what the documents mean and how
 * is decided by them (policy), the table (store), who may change them (gateway).
 * Invariants: what is not valid changes nothing; a change stands on the newest version or is refused, so that nobody takes
 * another's away unseen; no version is ever changed; a change holds within a second on every gateway.
 */
export { createInForce, DocumentsUnusable, type InForce } from "./in-force.ts";
export { createResidency, type Residency } from "./operations.ts";
export { applyVersion } from "./applying.ts";
export { historyOf, told, type VersionTold } from "./operations.ts";
export { findVersion, findVersionBefore, type Version } from "./versions.ts";
