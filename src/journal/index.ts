/**
 * journal: what happened, durable before anyone is told. Append-only segments in one folder, one gateway's own.
 *
 * Owns: the bytes on disk (docs/reference/journal.md), group commit, the room for settlements, what a crash leaves,
 * reading for those who ship. Does not own: what a body or a receipt says, how a seal is made (`seal` is handed in),
 * who ships, or when a segment may go (`release` is told).
 *
 * Invariants, each held by a property over a disk that forgets what was not synced:
 * - What was acknowledged as durable is there after any crash: in order, once, whole.
 * - An intent that was accepted can be settled, however full the disk is by then.
 * - After a failed write or sync nothing is acknowledged any more (fsyncgate).
 * - What a crash tore and nobody was told of is cleared; what was acknowledged and is damaged stops the start.
 */
export type { Disk, DiskFile } from "./disk.ts";
export { FakeDisk } from "./fake-disk.ts";
export { folderDisk } from "./folder-disk.ts";
export {
  type Follower,
  type Intent,
  type Journal,
  type JournalOptions,
  type JournalState,
  openJournal,
} from "./journal.ts";
export { isBefore, type SettlementInBatch } from "./reading.ts";
export type { SealedBatch } from "./recent.ts";
export {
  intentBytesMax,
  type JournalRecord,
  noteBytesMax,
  type NoteKind,
  type Position,
  sealBytesMax,
  settlementBytesMax,
} from "./record.ts";
export { JournalOpenError } from "./recovery.ts";
export type { JournalBatch } from "./segment.ts";
export type { Written } from "./writer.ts";
