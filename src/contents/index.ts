/**
 * contents: what was asked and answered, where a project has asked for it to be kept. Owns the envelope that each record
 * lies in, the keys that lie in files of the data folder, the way from an answer into PostgreSQL, reading, retention, and
 * making what is erased unreadable. Does not own: whether policy lets it rest here (stages), who may read it (gateway),
 * the order of an erasure (erasure), the table (store).
 * Invariants: nothing is kept unless a project asks; nothing is written but sealed; a record opens only with its own
 * project's key, which no backup holds; what could not be kept is counted and told; an answer never waits for the
 * database, and never fails because its content could not be kept.
 */
export { type Collected, Collecting } from "./collecting.ts";
export { type Contents, type Lost, openContents, type StoredContent, type StoredListing } from "./contents.ts";
export { fileKeyEncryption, type KeyEncryption } from "./key-encryption.ts";
export { vaultKeyEncryption } from "./vault.ts";
