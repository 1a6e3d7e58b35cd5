import { type Clock, refuse, type Refusal } from "../base/index.ts";
import type { Holder, ScopeLimits } from "./holder.ts";

/** What the limits gave for a request, until its true tokens are known. */
export interface RateTaken {
  readonly outcome: "taken";
  /** OpenAI's x-ratelimit headers, name and value in turn, for the narrowest limits. */
  readonly headers: readonly string[];
  /** Gives back what was taken in advance and not used, or takes what was used beyond it. */
  settle(usedTokens: number): void;
}

interface Bucket {
  /** A minute's worth. */
  capacity: number;
  level: number;
  atMs: number;
}

const minuteMs = 60_000;
const bucketsMax = 100_000;
const nothing: RateTaken = { outcome: "taken", headers: [], settle: () => undefined };

/**
 * Token buckets a key, project and organisation: a bucket holds a minute's worth and fills evenly. All levels give, or
 * none. A request that asks for more than a whole bucket runs when the bucket is full, and leaves it in debt.
 */
export class RateLimits {
  readonly #clock: Clock;
  readonly #buckets = new Map<string, Bucket>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  take(holder: Pick<Holder, "limits">, tokens: number): RateTaken | Refusal {
    if (holder.limits.every(isUnlimited)) return nothing;
    const nowMs = this.#clock.monotonicMs();
    const requests = this.#bucketsOf(holder.limits, "requests", nowMs);
    const allTokens = this.#bucketsOf(holder.limits, "tokens", nowMs);
    for (const { bucket, limits } of requests) if (bucket.level < 1) return limited("requests", limits, bucket, 1);
    for (const { bucket, limits } of allTokens) {
      const needed = Math.min(tokens, bucket.capacity);
      // A limit of nothing is never full enough, not even for a request whose tokens are unknown.
      if (bucket.capacity === 0 || bucket.level < needed) return limited("tokens", limits, bucket, needed);
    }
    for (const { bucket } of requests) bucket.level -= 1;
    for (const { bucket } of allTokens) bucket.level -= tokens;
    const headers = [...headersOf("requests", requests), ...headersOf("tokens", allTokens)];
    return {
      outcome: "taken",
      headers,
      settle(usedTokens) {
        for (const { bucket } of allTokens)
          bucket.level = Math.min(bucket.capacity, bucket.level + tokens - usedTokens);
      },
    };
  }

  #bucketsOf(limits: readonly ScopeLimits[], kind: "requests" | "tokens", nowMs: number): readonly Limited[] {
    const found: Limited[] = [];
    for (const scope of limits) {
      const capacity = kind === "requests" ? scope.requestsPerMinute : scope.tokensPerMinute;
      if (capacity !== undefined) {
        found.push({ limits: scope, bucket: this.#bucket(`${kind} ${scope.id}`, capacity, nowMs) });
      }
    }
    return found;
  }

  #bucket(id: string, capacity: number, nowMs: number): Bucket {
    let bucket = this.#buckets.get(id);
    if (bucket === undefined) {
      if (this.#buckets.size >= bucketsMax) this.#makeRoom(nowMs);
      this.#buckets.set(id, (bucket = { capacity, level: capacity, atMs: nowMs }));
    }
    bucket.capacity = capacity;
    bucket.level = levelAt(bucket, nowMs);
    bucket.atMs = nowMs;
    return bucket;
  }

  /** A full bucket is as good as none. Where none is full the oldest tenth goes: they begin anew, which is generous. */
  #makeRoom(nowMs: number): void {
    for (const [id, bucket] of this.#buckets) if (levelAt(bucket, nowMs) >= bucket.capacity) this.#buckets.delete(id);
    if (this.#buckets.size < bucketsMax) return;
    for (const id of [...this.#buckets.keys()].slice(0, bucketsMax / 10)) this.#buckets.delete(id);
  }
}

interface Limited {
  readonly limits: ScopeLimits;
  readonly bucket: Bucket;
}

function isUnlimited({ requestsPerMinute, tokensPerMinute }: ScopeLimits): boolean {
  return requestsPerMinute === undefined && tokensPerMinute === undefined;
}

function levelAt({ level, capacity, atMs }: Bucket, nowMs: number): number {
  return Math.min(capacity, level + ((nowMs - atMs) * capacity) / minuteMs);
}

function limited(kind: string, { level }: ScopeLimits, bucket: Bucket, needed: number): Refusal {
  const waitMs = bucket.capacity === 0 ? minuteMs : ((needed - bucket.level) * minuteMs) / bucket.capacity;
  const message = `The ${level}'s limit of ${bucket.capacity} ${kind} a minute is reached.`;
  return refuse("rate_limited", message, { retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1_000)) });
}

function headersOf(kind: string, limited: readonly Limited[]): readonly string[] {
  const [first, ...others] = limited;
  if (first === undefined) return [];
  const { bucket } = others.reduce((best, next) => (next.bucket.level < best.bucket.level ? next : best), first);
  const resetMs = bucket.capacity === 0 ? 0 : ((bucket.capacity - bucket.level) * minuteMs) / bucket.capacity;
  return [
    [`x-ratelimit-limit-${kind}`, String(bucket.capacity)],
    [`x-ratelimit-remaining-${kind}`, String(Math.max(0, Math.floor(bucket.level)))],
    [`x-ratelimit-reset-${kind}`, `${Math.ceil(resetMs)}ms`],
  ].flat();
}
