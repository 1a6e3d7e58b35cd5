import type { Clock } from "../base/index.ts";

/** Lets at most so many notes a second through, and counts the others until that count is taken to be recorded. */
export class NoteLimit {
  readonly #clock: Clock;
  readonly #notesPerSecond: number;
  #secondStartMs: number;
  #inSecond = 0;
  #unrecorded = 0;
  /** Notes dropped since the journal was opened. */
  dropped = 0;

  constructor(clock: Clock, notesPerSecond: number) {
    this.#clock = clock;
    this.#notesPerSecond = notesPerSecond;
    this.#secondStartMs = clock.monotonicMs();
  }

  admits(): boolean {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#secondStartMs >= 1_000) {
      this.#secondStartMs = nowMs;
      this.#inSecond = 0;
    }
    if (this.#inSecond >= this.#notesPerSecond) return false;
    this.#inSecond++;
    return true;
  }

  drop(): void {
    this.dropped++;
    this.#unrecorded++;
  }

  /** Dropped notes that no record tells of yet. */
  get unrecorded(): number {
    return this.#unrecorded;
  }

  recorded(): void {
    this.#unrecorded = 0;
  }
}
