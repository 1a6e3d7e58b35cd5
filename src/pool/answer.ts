import type { Effect } from "./types.ts";

/** What is decided about one event, as it comes together. */
export class Answer {
  readonly nowMs: number;
  readonly effects: Effect[] = [];
  /** When the pool has to be asked again at the latest. */
  wakeMs = Infinity;

  constructor(nowMs: number) {
    this.nowMs = nowMs;
  }

  ask(effect: Effect): void {
    this.effects.push(effect);
  }

  wakeAt(atMs: number): void {
    this.wakeMs = Math.min(this.wakeMs, Math.max(atMs, this.nowMs));
  }
}
