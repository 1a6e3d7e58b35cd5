import type { Position } from "./record.ts";

/** What a follower has to know of a batch that it has no use for the records of. */
export interface SealedBatch {
  readonly start: Position;
  readonly end: Position;
  /** undefined: it has no receipts. */
  readonly seal: string | undefined;
}

const batchesKept = 4_096;

/** The latest durable batches in their order, so that who follows closely reads nothing back from the disk. */
export class RecentBatches {
  readonly #kept: SealedBatch[] = [];

  add(batch: SealedBatch): void {
    this.#kept.push(batch);
    // A few at a time: to take off one costs as much.
    if (this.#kept.length >= 2 * batchesKept) this.#kept.splice(0, this.#kept.length - batchesKept);
  }

  /** All behind a position, which is the end of one of them or the start; undefined where that is not known any more. */
  behind(from: Position): readonly SealedBatch[] | undefined {
    for (let at = this.#kept.length - 1; at >= 0; at--) {
      const { start, end } = this.#kept[at]!;
      if (isSame(end, from)) return this.#kept.slice(at + 1);
      if (isSame(start, from)) return this.#kept.slice(at);
    }
    return undefined;
  }
}

function isSame(a: Position, b: Position): boolean {
  return a.segment === b.segment && a.offset === b.offset;
}
