import { z } from "zod";

/** ISO 8601: a day, or an instant in UTC. */
export const moment = z
  .string()
  .regex(
    /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}:\d{2}Z)?$/,
    'a date such as "2026-12-31", or an instant such as "2026-12-31T12:00:00Z"',
  )
  .refine(exists, "a date that exists");

/** The 30th of February parses, as a day in March: so what was parsed must read the same. */
function exists(text: string): boolean {
  const atMs = Date.parse(text);
  return !Number.isNaN(atMs) && new Date(atMs).toISOString().startsWith(text.replace("Z", ""));
}

const dayMs = 86_400_000;

/** From when on something holds: a day begins at midnight UTC. */
export function beginsMs(text: string): number {
  return Date.parse(text);
}

/** Until when something holds, that moment not included: a day is the last one on which it does, and counts to its end. */
export function endsMs(text: string): number {
  return Date.parse(text) + (text.includes("T") ? 0 : dayMs);
}

/** When something holds; what is left out has no such end. */
export interface Span {
  readonly from?: string | undefined;
  readonly until?: string | undefined;
}

/** One moment, and what is asked about it: which spans hold, and when the first of the answers will be another one. */
export class Horizon {
  readonly nowMs: number;
  #changesAtMs = Infinity;

  constructor(nowMs: number) {
    this.nowMs = nowMs;
  }

  /** The next moment at which something that was asked about begins or ends; undefined where nothing ever does. */
  get changesAtMs(): number | undefined {
    return this.#changesAtMs === Infinity ? undefined : this.#changesAtMs;
  }

  holds({ from, until }: Span): boolean {
    const fromMs = from === undefined ? -Infinity : beginsMs(from);
    const untilMs = until === undefined ? Infinity : endsMs(until);
    this.note(fromMs);
    this.note(untilMs);
    return fromMs <= this.nowMs && this.nowMs < untilMs;
  }

  note(atMs: number): void {
    if (atMs > this.nowMs && atMs < this.#changesAtMs) this.#changesAtMs = atMs;
  }
}
