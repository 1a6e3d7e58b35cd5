/**
 * log: that what was promised once cannot be taken back. An append-only Merkle tree of commitments, kept in a folder of
 * tiles that anyone may read (docs/reference/log.md), and what others need to hold it to its word.
 *
 * Owns: the tree, its tiles and proofs; signed notes, checkpoints and cosignatures; the sequencer's files; what a witness
 * decides and remembers; what a client finds when it compares checkpoints. Does not own: what an entry commits to
 * (receipt), where entries come from (journal), how anything is served or fetched, where keys are kept.
 *
 * Invariants, each held by a property over a disk that forgets what was not synced:
 * - No two checkpoints that were ever shown contradict each other, whatever crashes, kills and full disks come between.
 * - What an append acknowledged is in every later checkpoint: in order, once.
 * - A folder that does not agree with itself is told as damaged; a log never goes on from it.
 * - A witness cosigns no tree that is not a continuation of what it has cosigned before.
 */
export { type BatchPosition, type FoundBatch } from "./batches.ts";
export { type Checkpoint, openCheckpoint, type OpenedCheckpoint, type TrustedLog, trustedLogs } from "./checkpoint.ts";
export { checkConsistency, type Consistency, type ConsistencyInput } from "./client.ts";
export { openWitness, type OpenedWitness, type Witness, type WitnessAnswer, type WitnessOptions } from "./cosigning.ts";
export type { Disk } from "./disk.ts";
export { entryBytes } from "./edge.ts";
export { folderDisk } from "./folder-disk.ts";
export {
  formatVerifierKey,
  type KeyType,
  parseVerifierKey,
  type SigningKey,
  verifierKeyOf,
  type VerifierKey,
} from "./keys.ts";
export { type Unopened } from "./opening.ts";
export {
  formatProof,
  parseProof,
  type Proof,
  type ProofInput,
  type ProofVerdict,
  verifyProof,
  type WitnessPolicy,
} from "./proof.ts";
export { proveInclusion, type Proven } from "./proving.ts";
export { tilesBy } from "./reading.ts";
export {
  appendEntriesMax,
  type Appended,
  type Batch,
  type LogKey,
  type Loose,
  type OpenedSequencer,
  openSequencer,
  type Sequencer,
  type SequencerOptions,
} from "./sequencer.ts";
export { bundlePath, isResource, type ReadTile, tilePath, TileProblem } from "./tiles.ts";
export { consistencyProof, inclusionProof } from "./tree.ts";
export { verifyConsistency, verifyInclusion } from "./verify-tree.ts";
export {
  type AddCheckpoint,
  addCheckpointBytesMax,
  addCosignatures,
  type CosignedNote,
  formatAddCheckpoint,
} from "./witness-request.ts";
