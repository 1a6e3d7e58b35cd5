import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ManualClock } from "../base/index.ts";
import { RateLimits, type RateTaken, type ScopeLimits } from "./index.ts";

function scope(id: string, requestsPerMinute?: number, tokensPerMinute?: number): ScopeLimits {
  return { id, level: "key", models: undefined, requestsPerMinute, tokensPerMinute, monthlyBudget: undefined };
}

function taken(outcome: ReturnType<RateLimits["take"]>): RateTaken {
  if (outcome.outcome === "refused") assert.fail(outcome.message);
  return outcome;
}

function header(rate: RateTaken, name: string): string | undefined {
  const at = rate.headers.indexOf(`x-ratelimit-${name}`);
  return at < 0 ? undefined : rate.headers[at + 1];
}

test("without limits nothing is counted and no header is sent", () => {
  const limits = new RateLimits(new ManualClock());
  assert.deepEqual(taken(limits.take({ limits: [scope("a"), scope("b")] }, 1_000_000)).headers, []);
});

test("a minute's requests are given at once, then one by one as the bucket fills", () => {
  const clock = new ManualClock();
  const limits = new RateLimits(clock);
  const holder = { limits: [scope("a", 60)] };
  const first = taken(limits.take(holder, 5));
  assert.deepEqual(
    ["limit-requests", "remaining-requests", "reset-requests"].map((name) => header(first, name)),
    ["60", "59", "0ms"],
  );
  for (let more = 0; more < 59; more++) taken(limits.take(holder, 5));
  const refused = limits.take(holder, 5);
  assert.ok(refused.outcome === "refused" && refused.code === "rate_limited" && refused.retryAfterSeconds === 1);
  const refusedHeaders = ["60", "0", "1000ms"];
  assert.deepEqual(
    refused.headers?.filter((_, index) => index % 2 === 1),
    refusedHeaders,
    "a refusal says what is left, and the same time in both headers",
  );
  clock.advance(1_000);
  taken(limits.take(holder, 5));
  assert.equal(limits.take(holder, 5).outcome, "refused");
});

test("what was taken in advance and not used is given back; what was used beyond is owed", () => {
  const clock = new ManualClock();
  const limits = new RateLimits(clock);
  const holder = { limits: [scope("a", undefined, 1_000)] };
  const first = taken(limits.take(holder, 900));
  assert.equal(header(first, "remaining-tokens"), "100");
  assert.equal(limits.take(holder, 200).outcome, "refused");
  first.settle(100);
  taken(limits.take(holder, 200)).settle(1_400);
  const refused = limits.take(holder, 1);
  assert.ok(
    refused.outcome === "refused" && refused.retryAfterSeconds === 31,
    "500 owed and 1 asked for, at 1,000 a minute",
  );
});

test("a request of more than a minute's tokens runs when the bucket is full, and only then", () => {
  const clock = new ManualClock();
  const limits = new RateLimits(clock);
  const holder = { limits: [scope("a", undefined, 100)] };
  taken(limits.take(holder, 5_000)).settle(150);
  assert.equal(limits.take(holder, 5_000).outcome, "refused");
  clock.advance(90_000);
  taken(limits.take(holder, 5_000));
});

test("an answer's reset counts its own request as a bucket's worth at most: what it will use is not known yet", () => {
  const limits = new RateLimits(new ManualClock());
  const first = taken(limits.take({ limits: [scope("a", undefined, 50)] }, 607));
  assert.deepEqual([header(first, "remaining-tokens"), header(first, "reset-tokens")], ["0", "60000ms"]);
  first.settle(34);
  const refused = limits.take({ limits: [scope("a", undefined, 50)] }, 607);
  assert.ok(refused.outcome === "refused" && refused.retryAfterSeconds === 41);
  assert.deepEqual(refused.headers?.at(-1), "40800ms");
  const said = "The key's limit of 50 tokens a minute is reached: 16 are left, and this request could take 607.";
  assert.equal(refused.message, said);
});

test("the limit that holds back longest is named, and after the time that was named the request is taken", () => {
  const limit = fc.option(fc.integer({ min: 1, max: 2_000 }), { nil: undefined });
  const asked = fc.array(fc.integer({ min: 1, max: 3_000 }), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(limit, limit, limit, limit, asked, (requests, tokens, allRequests, allTokens, requestTokens) => {
      const clock = new ManualClock();
      const limits = new RateLimits(clock);
      const holder = { limits: [scope("key", requests, tokens), scope("organisation", allRequests, allTokens)] };
      for (const asked of requestTokens) {
        const first = limits.take(holder, asked);
        if (first.outcome === "taken") continue;
        const { retryAfterSeconds = 0, headers = [] } = first;
        const resets = headers.filter((_, index) => headers[index - 1]?.startsWith("x-ratelimit-reset-"));
        assert.equal(Math.ceil(Math.max(...resets.map((text) => Number.parseInt(text))) / 1_000), retryAfterSeconds);
        clock.advance(retryAfterSeconds * 1_000);
        assert.equal(limits.take(holder, asked).outcome, "taken");
      }
    }),
  );
});

test("a limit of nothing gives nothing", () => {
  const limits = new RateLimits(new ManualClock());
  assert.equal(limits.take({ limits: [scope("a", 0)] }, 0).outcome, "refused");
  assert.equal(limits.take({ limits: [scope("a", undefined, 0)] }, 10).outcome, "refused");
});

test("all levels give or none does, and the headers tell of the narrowest", () => {
  const limits = new RateLimits(new ManualClock());
  const key = scope("key", 3);
  const organisation = scope("organisation", 2);
  const rate = taken(limits.take({ limits: [key, organisation] }, 1));
  assert.deepEqual([header(rate, "limit-requests"), header(rate, "remaining-requests")], ["2", "1"]);
  taken(limits.take({ limits: [key, organisation] }, 1));
  for (let tries = 0; tries < 5; tries++)
    assert.equal(limits.take({ limits: [key, organisation] }, 1).outcome, "refused");
  assert.equal(
    header(taken(limits.take({ limits: [key] }, 1)), "remaining-requests"),
    "0",
    "refused ones took nothing",
  );
});

test("a lowered limit holds at once", () => {
  const limits = new RateLimits(new ManualClock());
  taken(limits.take({ limits: [scope("a", 100)] }, 1));
  taken(limits.take({ limits: [scope("a", 1)] }, 1));
  assert.equal(limits.take({ limits: [scope("a", 1)] }, 1).outcome, "refused");
});

test("over any stretch of time no more is used than a minute's worth and what the time gives", () => {
  const step = fc.record({ waitMs: fc.nat(5_000), asked: fc.integer({ min: 1, max: 300 }), share: fc.nat(100) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const clock = new ManualClock();
      const limits = new RateLimits(clock);
      const holder = { limits: [scope("key", 30, 600), scope("organisation", 40, 900)] };
      let requests = 0;
      let tokens = 0;
      for (const { waitMs, asked, share } of steps) {
        clock.advance(waitMs);
        const outcome = limits.take(holder, asked);
        if (outcome.outcome === "refused") continue;
        const used = Math.floor((asked * share) / 100);
        outcome.settle(used);
        requests++;
        tokens += used;
        const minutes = clock.nowMs() / 60_000;
        assert.ok(requests <= 30 + 30 * minutes + 1e-6);
        assert.ok(tokens <= 600 + 600 * minutes + 1e-6);
      }
    }),
  );
});
