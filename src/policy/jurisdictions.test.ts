import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { checkJurisdiction, checkProcessing, liesWithin } from "./jurisdictions.ts";

test("ISO 3166 countries and their subdivisions are known, in any case; groups are places to process, not to stand", () => {
  assert.deepEqual(checkJurisdiction("de"), { outcome: "known", code: "DE" });
  assert.deepEqual(checkJurisdiction("fr-974"), { outcome: "known", code: "FR-974" });
  assert.deepEqual(checkProcessing("eea"), { outcome: "known", code: "EEA" });
  assert.equal(checkJurisdiction("EU").outcome, "unknown");
  assert.equal(checkJurisdiction("XX-AB").outcome, "unknown");
});

test("an unknown code is refused with the one that was probably meant", () => {
  const suggestion = (text: string) => {
    const checked = checkProcessing(text);
    return checked.outcome === "unknown" ? checked.nearest : undefined;
  };
  assert.equal(suggestion("UK"), "GB");
  assert.equal(suggestion("Germny"), "DE");
  assert.equal(suggestion("Europe"), "EU");
  assert.equal(suggestion("FRA"), "FR");
  assert.equal(suggestion("Korea"), "KR");
  assert.equal(suggestion("XX"), undefined, "a guess is no help");
  assert.ok(suggestion("x".repeat(5_000)) === undefined);
});

test("a subdivision lies in its country and its country's groups, never the other way round", () => {
  assert.ok(liesWithin("DE-BE", "DE") && liesWithin("DE-BE", "EU") && liesWithin("DE", "DE"));
  assert.ok(liesWithin("NO", "EEA") && !liesWithin("NO", "EU") && !liesWithin("GB", "EEA"));
  assert.ok(!liesWithin("DE", "DE-BE") && !liesWithin("DE-BY", "DE-BE"));
});

test("any text gets an answer, and an unknown one a bounded message", () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 200 }), (text) => {
      const checked = checkProcessing(text);
      assert.ok(checked.outcome === "known" || checked.message.length < 200);
    }),
  );
});
