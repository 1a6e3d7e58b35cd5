/**
 * sequencing: the way from the journal into the transparency log. Owns the loop that follows the journal, the folder of
 * logs and which of them goes on, the log's keys, the statements about all keys, the asking of witnesses, and what becomes
 * of the service while the log cannot be written. Does not own: the journal, the log's files and proofs, the signing
 * keys, who asks for a proof, how anything is served.
 * Invariants: every sealed batch is in the log once, in the journal's order; no segment of the journal is let go before it
 * is in the log for good; a log never goes on from behind what it has shown: another one is begun, and that is said.
 */
export { copyLogs } from "./copying.ts";
export { beginLog } from "./generations.ts";
export { type LogResource, type ReceiptPlace, type ReceiptProof } from "./showing.ts";
export { type LogStatus, openSequencing, type Sequencing, type SequencingOptions } from "./sequencing.ts";
export type { Standing } from "./standing.ts";
export type { WitnessSettings } from "./witnesses.ts";
