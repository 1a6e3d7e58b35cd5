import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type CanonicalValue, canonicalJson } from "../base/index.ts";
import { buildStatement, type StatementFacts } from "./index.ts";

const text = fc.string({ unit: "binary", maxLength: 12 });
const textOrNull = fc.option(text);
const count = fc.maxSafeNat();
const timeMs = fc.integer({ min: 0, max: Date.parse("2100-01-01") });
const digest = fc.record({ keyId: text, value: text, bytes: count });

const facts: fc.Arbitrary<StatementFacts> = fc.record({
  receipt: text,
  request: text,
  organisation: text,
  tenant: text,
  gateway: text,
  endpoint: text,
  model: fc.record({ name: text, sha256: textOrNull }),
  engine: fc.record({ name: text, build: text }),
  host: text,
  site: fc.record({ name: text, jurisdiction: textOrNull }),
  policy: fc.record({ decision: fc.constant("permitted" as const), digest: text, dataClass: text }),
  usage: fc.option(
    fc.record({ inputTokens: count, cachedInputTokens: count, outputTokens: count, reasoningTokens: count }),
  ),
  unrated: textOrNull,
  price: fc.option(fc.record({ version: text, currency: text, listAmount: textOrNull })),
  ending: fc.constantFrom("stop", "length", "tool", "abort", "error"),
  startedAtMs: timeMs,
  endedAtMs: timeMs,
  requestDigest: digest,
  responseDigest: fc.option(digest.chain((each) => fc.boolean().map((complete) => ({ ...each, complete })))),
});

test("a statement is canonical JSON, and says all of its facts and nothing else", () => {
  fc.assert(
    fc.property(facts, (given) => {
      const { startedAtMs, endedAtMs, requestDigest, responseDigest, ...same } = given;
      const algorithm = "hmac-sha-256";
      const expected = {
        ...same,
        v: 1,
        startedAt: new Date(startedAtMs).toISOString(),
        endedAt: new Date(endedAtMs).toISOString(),
        requestDigest: { algorithm, ...requestDigest },
        responseDigest: responseDigest === null ? null : { algorithm, ...responseDigest },
      };
      assert.equal(buildStatement(given), canonicalJson(JSON.parse(JSON.stringify(expected)) as CanonicalValue));
    }),
  );
});

test("a count that is none is a defect, not a receipt", () => {
  const [given] = fc.sample(facts, 1);
  const usage = { inputTokens: 1.5, cachedInputTokens: 0, outputTokens: 0, reasoningTokens: 0 };
  assert.throws(() => buildStatement({ ...given!, usage }), RangeError);
});
