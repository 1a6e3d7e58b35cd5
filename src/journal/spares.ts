import type { Clock } from "../base/index.ts";
import type { Disk } from "./disk.ts";
import { roomBytes, settlementsIn } from "./room.ts";
import { type EmptySegment, type Identity, prepareSegment } from "./segment.ts";

const retryMs = 1_000;
const sparesMax = 16;

/** Segments prepared ahead, in the background: the room that open intents can count on once the current one is full. */
export class Spares {
  readonly #disk: Disk;
  readonly #identity: Identity;
  readonly #segmentBytes: number;
  readonly #clock: Clock;
  readonly #ready: EmptySegment[];
  #nextNumber: number;
  #preparing: Promise<void> | undefined;
  #failedAtMs: number | undefined;
  #failure: string | undefined;
  #settlements: number;

  constructor(
    disk: Disk,
    clock: Clock,
    settings: { identity: Identity; segmentBytes: number; after: number; ready: readonly EmptySegment[] },
  ) {
    this.#disk = disk;
    this.#clock = clock;
    this.#identity = settings.identity;
    this.#segmentBytes = settings.segmentBytes;
    this.#ready = [...settings.ready];
    this.#nextNumber = settings.after + this.#ready.length + 1;
    this.#settlements = this.#ready.reduce((sum, spare) => sum + settlementsInSpare(spare), 0);
  }

  get count(): number {
    return this.#ready.length;
  }

  /** Bytes that the one that comes next has for records and commits. */
  get firstRoomBytes(): number {
    const [first] = this.#ready;
    return first === undefined ? 0 : roomBytes(first.file.sizeBytes, first.headerBytes);
  }

  /** Settlements that fit for certain into those that are ready. */
  get settlements(): number {
    return this.#settlements;
  }

  /** Why the last attempt to prepare one failed; undefined where it did not. */
  get failure(): string | undefined {
    return this.#failure;
  }

  take(): EmptySegment {
    const spare = this.#ready.shift();
    if (spare === undefined) throw new Error("the journal rotated without a spare segment");
    this.#settlements -= settlementsInSpare(spare);
    return spare;
  }

  /** Prepares another one where fewer are ready than `openIntents` call for; a failed attempt rests for a second. */
  replenish(openIntents: number): void {
    const perSegment = Math.max(1, settlementsIn(this.#segmentBytes));
    const wanted = Math.min(sparesMax, 1 + Math.floor((2 * openIntents) / perSegment));
    if (this.#ready.length >= wanted || this.#preparing !== undefined) return;
    if (this.#failedAtMs !== undefined && this.#clock.monotonicMs() - this.#failedAtMs < retryMs) return;
    this.#preparing = this.#prepare();
  }

  /** Resolves when no preparation is under way. */
  async idle(): Promise<void> {
    await this.#preparing;
  }

  async close(): Promise<void> {
    await this.idle();
    for (const spare of this.#ready) await spare.file.close();
  }

  async #prepare(): Promise<void> {
    try {
      const spare = await prepareSegment(this.#disk, this.#identity, this.#nextNumber, this.#segmentBytes);
      this.#nextNumber++;
      this.#ready.push(spare);
      this.#settlements += settlementsInSpare(spare);
      this.#failedAtMs = undefined;
      this.#failure = undefined;
    } catch (error) {
      // Nothing is lost by it: intents are refused before the room that is left is endangered, and say this reason.
      this.#failedAtMs = this.#clock.monotonicMs();
      this.#failure = error instanceof Error ? error.message : String(error);
    }
    this.#preparing = undefined;
  }
}

function settlementsInSpare(spare: EmptySegment): number {
  return settlementsIn(roomBytes(spare.file.sizeBytes, spare.headerBytes));
}
