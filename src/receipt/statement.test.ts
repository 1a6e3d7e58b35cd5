import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type CanonicalValue, canonicalJson } from "../base/index.ts";
import { buildStatement, readStatement, type StatementFacts } from "./index.ts";

const text = fc.string({ unit: "binary", maxLength: 12 });
const textOrNull = fc.option(text);
const count = fc.maxSafeNat();
const timeMs = fc.integer({ min: 0, max: Date.parse("2100-01-01") });
const digest = fc.record({ keyId: text, value: text, bytes: count });

const meaning = fc.record({ form: text, keyId: text, value: text });

const hop = fc.record({
  kind: fc.constantFrom("gateway" as const, "host" as const, "upstream" as const),
  name: text,
  site: text,
  jurisdiction: textOrNull,
  operator: textOrNull,
});

const facts: fc.Arbitrary<StatementFacts> = fc.record({
  salt: text,
  receipt: text,
  request: text,
  organisation: text,
  tenant: text,
  endpoint: text,
  model: fc.record({ name: text, sha256: textOrNull, adapter: fc.option(fc.record({ name: text, sha256: text })) }),
  engine: fc.record({ name: text, build: text }),
  hops: fc.array(hop, { maxLength: 3 }),
  policy: fc.record({
    decision: fc.constant("permitted" as const),
    version: text,
    digest: text,
    dataClass: text,
    narrowing: fc.option(fc.dictionary(text, textOrNull, { maxKeys: 3, noNullPrototype: true })),
    rejected: fc.array(fc.record({ place: text, reason: text }), { maxLength: 20 }),
  }),
  evidence: fc.record({ jurisdiction: fc.constantFrom("operator-attested" as const, "measured" as const, null) }),
  usage: fc.option(
    fc.record({ inputTokens: count, cachedInputTokens: count, outputTokens: count, reasoningTokens: count }),
  ),
  unrated: textOrNull,
  price: fc.option(fc.record({ version: text, currency: text, listAmount: textOrNull })),
  ending: fc.constantFrom("stop", "length", "tool", "abort", "error"),
  requestMeaning: fc.option(meaning),
  answerMeaning: fc.option(meaning),
  startedAtMs: timeMs,
  endedAtMs: timeMs,
  requestDigest: digest,
  responseDigest: fc.option(digest.chain((each) => fc.boolean().map((complete) => ({ ...each, complete })))),
});

function stated(meaning: StatementFacts["requestMeaning"]) {
  return meaning === null ? null : { algorithm: "hmac-sha-256", ...meaning };
}

function subject(name: string, { value, ...annotations }: StatementFacts["requestDigest"]) {
  return { name, digest: { hmacSha256: value }, annotations };
}

test("a statement is canonical JSON, and says all of its facts and nothing else", () => {
  fc.assert(
    fc.property(facts, (given) => {
      const { startedAtMs, endedAtMs, requestDigest, responseDigest, policy, requestMeaning, answerMeaning, ...same } =
        given;
      const predicate = {
        ...same,
        v: 2,
        startedAt: new Date(startedAtMs).toISOString(),
        endedAt: new Date(endedAtMs).toISOString(),
        policy: { ...policy, rejected: policy.rejected.slice(0, 16) },
        rests: [],
        requestMeaning: stated(requestMeaning),
        answerMeaning: stated(answerMeaning),
      };
      const response = responseDigest === null ? [] : [subject("response", responseDigest)];
      const expected = {
        _type: "https://in-toto.io/Statement/v1",
        subject: [subject("request", requestDigest), ...response],
        predicateType: "https://bailiwick.example/receipt/v2",
        predicate,
      };
      assert.equal(buildStatement(given), canonicalJson(JSON.parse(JSON.stringify(expected)) as CanonicalValue));
    }),
  );
});

test("what is read of a statement is what was stated", () => {
  fc.assert(
    fc.property(facts, (given) => {
      const { policy, salt: _, startedAtMs, endedAtMs, ...same } = given;
      const read = readStatement(JSON.parse(buildStatement(given)) as CanonicalValue);
      assert.ok(read.outcome === "read");
      const { requestDigest, responseDigest, startedAt, endedAt, ...stated } = read.stated;
      const expected = { ...same, policy: { ...policy, rejected: policy.rejected.slice(0, 16) } };
      assert.partialDeepStrictEqual(
        stated,
        JSON.parse(JSON.stringify({ ...expected, requestDigest: undefined, responseDigest: undefined })),
      );
      assert.deepEqual([Date.parse(startedAt), Date.parse(endedAt)], [startedAtMs, endedAtMs]);
      assert.equal(requestDigest.bytes, given.requestDigest.bytes);
      assert.equal(responseDigest?.complete, given.responseDigest?.complete);
    }),
  );
});

test("a count that is none is a defect, not a receipt", () => {
  const [given] = fc.sample(facts, 1);
  const usage = { inputTokens: 1.5, cachedInputTokens: 0, outputTokens: 0, reasoningTokens: 0 };
  assert.throws(() => buildStatement({ ...given!, usage }), RangeError);
});
