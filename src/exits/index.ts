/**
 * exits: a tenant's way out (Data Act, Regulation (EU) 2023/2854, art. 25 and 29). Owns its dates and what may happen when.
 * Does not own: the export itself (boot puts it together), the erasure at the end (erasure), who may ask (gateway).
 * Invariants: notice is two months at most, and none is the rule; data can be fetched for 30 days at least after the
 * transition; nothing is erased before that is over, unless the tenant itself wants it; there is no fee.
 */
export { createExits, type Exits } from "./exits.ts";
