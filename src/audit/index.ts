/**
 * audit: who did what, when, and to whose things. Owns the entries, their one encoding, the chain that their hashes make,
 * and reading them within bounds. Does not own: what is recorded of an action (gateway), the table (store), who may read
 * which entry (gateway). Invariants: an entry names the hash of the one before, so that none can be changed, taken out or
 * put between unseen; entries are numbered without a gap; no entry holds a secret or what a request said.
 */
export { type Actor, type AuditEntry, type AuditFact, breakIn, type ChainBreak } from "./entry.ts";
export { type AuditFilter, type AuditLog, createAuditLog } from "./log.ts";
