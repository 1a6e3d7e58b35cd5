import { commitLineBytesMax, endLineBytes, settlementLineBytesMax } from "./record.ts";

/**
 * Room is counted in settlements of the largest size, each with a batch of its own. An intent is taken only while the
 * prepared segments hold one more of them than there are open intents: a disk that fills up later strands no answer.
 */
export const settlementRoomBytes = settlementLineBytesMax + commitLineBytesMax;

/** Settlements that fit for certain into `bytes` of one segment. */
export function settlementsIn(bytes: number): number {
  return Math.max(0, Math.floor(bytes / settlementRoomBytes));
}

/** Bytes of a segment that records and commits may still take: its end mark keeps its own. */
export function roomBytes(sizeBytes: number, end: number): number {
  return sizeBytes - end - endLineBytes;
}
