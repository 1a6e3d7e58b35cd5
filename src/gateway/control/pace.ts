import { type Clock, refuse, type Refusal } from "../../base/index.ts";

/** How fast keys may change things: each change leaves entries in a log that is not thinned out. */
export interface Pace {
  /** Why a key has to wait; undefined: it need not. */
  take(key: string): Refusal | undefined;
}

interface Bucket {
  level: number;
  atMs: number;
}

/** So many at once, and then as many in a minute: people, and scripts that go through a list. */
const atOnce = 240;
const minuteMs = 60_000;
const bucketsMax = 10_000;

/** A token bucket for each key; those of the keys that asked longest ago are forgotten first. */
export function createPace(clock: Clock): Pace {
  const buckets = new Map<string, Bucket>();
  return {
    take(key) {
      const nowMs = clock.monotonicMs();
      const before = buckets.get(key) ?? { level: atOnce, atMs: nowMs };
      const level = Math.min(atOnce, before.level + ((nowMs - before.atMs) * atOnce) / minuteMs);
      buckets.delete(key);
      const [oldest] = buckets.size >= bucketsMax ? buckets.keys() : [];
      if (oldest !== undefined) buckets.delete(oldest);
      buckets.set(key, { level: level < 1 ? level : level - 1, atMs: nowMs });
      if (level >= 1) return undefined;
      const retryAfterSeconds = ((1 - level) * minuteMs) / atOnce / 1_000;
      const message = `A key changes at most ${atOnce} things a minute here.`;
      return refuse("rate_limited", message, { retryAfterSeconds });
    },
  };
}
