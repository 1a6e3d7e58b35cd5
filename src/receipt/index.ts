/**
 * receipt: what every answer can be held to afterwards. Owns the statement and its canonical bytes, the salted digests,
 * the batch's Merkle tree and its one signature, the signing keys, the receipt's file and its verification offline.
 * Does not own: when a batch is closed (journal), where receipts are kept (journal, store), the transparency log.
 * Invariants: a receipt with any bit changed does not verify; no digest says anything about a text without the
 * tenant's key; verify.ts imports nothing outside base.
 */
export { ByteDigest, type DigestKey, digestKeyJwk, digestOfText } from "./digest.ts";
export { receiptFile } from "./file.ts";
export { type KeyFile, type KeyFolder, openKeyFolder } from "./key-files.ts";
export {
  formatKeyStatement,
  type KeyStatement,
  keyStatementEntry,
  type KeyStatus,
  parseKeyStatement,
  type StatedLogKey,
  type StatedReceiptKey,
} from "./key-statement.ts";
export { openSigningKeys, type PublicKey, type SigningKeys } from "./keys.ts";
export { leafHashes } from "./merkle.ts";
export { readStatement, type Stated, type StatedMeaning } from "./read-statement.ts";
export {
  buildStatement,
  type EvidenceClass,
  type Hop,
  type MeaningFacts,
  type Rejection,
  rejectionsMax,
  type Rest,
  type StatedNarrowing,
  type StatementFacts,
} from "./statement.ts";
export {
  checkDigest,
  type FoundDigest,
  readDigestKey,
  type Verification,
  verifyReceipt,
  type VerifyInput,
} from "./verify.ts";
export { signedFile, type SignedFileVerdict, verifySignedFile } from "./signed-file.ts";
