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
 *
 * `x-ratelimit-reset` says when the limits give to a request like this one: with a refusal it is what `retry-after` says
 * in seconds; with an answer this request counts as a bucket's worth at most, for what it uses is not known yet.
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
    const refusal = refusalOf([...requests, ...allTokens], tokens);
    if (refusal !== undefined) return { ...refusal, headers: headersOf(requests, allTokens, tokens) };
    for (const { bucket } of requests) bucket.level -= 1;
    for (const { bucket } of allTokens) bucket.level -= tokens;
    return {
      outcome: "taken",
      headers: headersOf(requests.map(withoutDebt), allTokens.map(withoutDebt), tokens),
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
        found.push({ kind, level: scope.level, bucket: this.#bucket(`${kind} ${scope.id}`, capacity, nowMs) });
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
  readonly kind: "requests" | "tokens";
  readonly level: ScopeLimits["level"];
  readonly bucket: Bucket;
}

function isUnlimited({ requestsPerMinute, tokensPerMinute }: ScopeLimits): boolean {
  return requestsPerMinute === undefined && tokensPerMinute === undefined;
}

function levelAt({ level, capacity, atMs }: Bucket, nowMs: number): number {
  return Math.min(capacity, level + ((nowMs - atMs) * capacity) / minuteMs);
}

/** How long until a bucket gives to a request of so many tokens; 0: it gives now. */
function waitMsOf({ kind, bucket: { capacity, level } }: Limited, tokens: number): number {
  // A limit of nothing is never full enough, not even for a request whose tokens are unknown.
  if (capacity === 0) return minuteMs;
  const needed = kind === "requests" ? 1 : Math.min(tokens, capacity);
  const waitMs = ((needed - level) * minuteMs) / capacity;
  // A level is a float: after exactly the time that was named it may lack the last of its digits.
  return waitMs < 0.001 ? 0 : waitMs;
}

/** The limit that holds a request back longest: once it gives, all do. */
function narrowestOf(limited: readonly Limited[], tokens: number): Limited | undefined {
  let narrowest: Limited | undefined;
  for (const each of limited) {
    const later = narrowest === undefined ? 1 : waitMsOf(each, tokens) - waitMsOf(narrowest, tokens);
    if (later > 0 || (later === 0 && each.bucket.level < narrowest!.bucket.level)) narrowest = each;
  }
  return narrowest;
}

/** undefined: all limits give. */
function refusalOf(limited: readonly Limited[], tokens: number): Refusal | undefined {
  const narrowest = narrowestOf(limited, tokens);
  const waitMs = narrowest === undefined ? 0 : waitMsOf(narrowest, tokens);
  if (narrowest === undefined || waitMs === 0) return undefined;
  const { kind, level, bucket } = narrowest;
  const left = Math.max(0, Math.floor(bucket.level));
  const need = kind === "requests" ? "" : `: ${left} are left, and this request could take ${tokens}`;
  const message = `The ${level}'s limit of ${bucket.capacity} ${kind} a minute is reached${need}.`;
  return refuse("rate_limited", message, { retryAfterSeconds: Math.ceil(waitMs / 1_000) });
}

function withoutDebt(limited: Limited): Limited {
  return limited.bucket.level >= 0 ? limited : { ...limited, bucket: { ...limited.bucket, level: 0 } };
}

function headersOf(requests: readonly Limited[], allTokens: readonly Limited[], tokens: number): readonly string[] {
  return [...headersOfKind(requests, tokens), ...headersOfKind(allTokens, tokens)];
}

function headersOfKind(limited: readonly Limited[], tokens: number): readonly string[] {
  const narrowest = narrowestOf(limited, tokens);
  if (narrowest === undefined) return [];
  const { kind, bucket } = narrowest;
  return [
    `x-ratelimit-limit-${kind}`,
    String(bucket.capacity),
    `x-ratelimit-remaining-${kind}`,
    String(Math.max(0, Math.floor(bucket.level))),
    `x-ratelimit-reset-${kind}`,
    `${Math.ceil(waitMsOf(narrowest, tokens))}ms`,
  ];
}
