/**
 * erasure: making what a tenant wants gone be gone, in every store. Owns the steps and their order, how far each erasure
 * is, going on after a crash, the signed statement of what was erased and what is kept, and the ledger by which a restore of an
 * older backup has them done again. Does not own: the keys whose
 * destruction makes copies unreadable (contents), signing and verifying (receipt), the tables (store), who may ask (gateway).
 * Invariants: one erasure at a time; each step may run twice; what is to go is written down before anything goes, so that
 * a statement counts right whenever the process died; a statement is made when everything is gone, and not before; it names
 * ids only blinded.
 */
export { createErasures, type Erasures, type ErasureTold } from "./erasures.ts";
export { appendToLedger, type LedgerEntry, type ReadLedger, readLedger } from "./ledger.ts";
export { erasureType } from "./statement.ts";
