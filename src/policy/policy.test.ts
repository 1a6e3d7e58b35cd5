import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Candidate, createPolicy, type DataClass, dataClasses, type Question } from "./index.ts";

function at(name: string, jurisdiction?: string): Candidate {
  return { kind: "host", name, site: { name: `site-${name}`, jurisdiction } };
}

function about(dataClass: DataClass, ...processing: string[]): Question {
  return { action: "infer", model: "m", project: { id: "prj_1", dataClass, processing } };
}

/** Names of those permitted; the reasons' names where none is. */
function outcome(question: Question, ...candidates: Candidate[]): string {
  const decided = createPolicy().decide(question, candidates);
  return decided.outcome === "permitted"
    ? decided.permitted.map(({ name }) => name).join(" ")
    : decided.rejected.map(({ reason }) => reason).join(" ");
}

test("a site whose jurisdiction is not declared serves public data only", () => {
  assert.equal(outcome(about("public"), at("a")), "a");
  for (const dataClass of dataClasses.slice(1))
    assert.equal(outcome(about(dataClass), at("a")), "undeclared_jurisdiction");
});

test("an empty list means any declared site; a list means those within it, in the candidates' order", () => {
  const candidates = [at("us", "US"), at("be", "DE-BE"), at("x"), at("fr", "FR")];
  assert.equal(outcome(about("personal"), ...candidates), "us be fr");
  assert.equal(outcome(about("personal", "DE"), ...candidates), "be");
  assert.equal(outcome(about("restricted", "EU"), ...candidates), "be fr");
  assert.equal(outcome(about("public", "FR", "US"), ...candidates), "us fr");
});

test("public data with a list stays out of undeclared sites: nobody knows where they lie", () => {
  assert.equal(outcome(about("public", "EU"), at("a")), "undeclared_jurisdiction");
});

test("no permitted site is a refusal with each candidate's reason", () => {
  const decided = createPolicy().decide(about("personal", "DE"), [at("us", "US"), at("x")]);
  assert.ok(decided.outcome === "refused");
  assert.equal(decided.code, "no_permitted_site");
  assert.deepEqual(decided.reasons, [
    'host "us" at site "site-us": it lies in US, and the project\'s data is processed in DE only',
    'host "x" at site "site-x": its jurisdiction is not declared, and the project\'s data is processed in DE only',
  ]);
  assert.match(decided.policyDigest, /^[0-9a-f]{64}$/);
  assert.equal(createPolicy().decide(about("public"), []).outcome, "refused");
});

const candidate = fc.record({
  kind: fc.constantFrom("host" as const, "upstream" as const),
  name: fc.constantFrom("a", "b", "c"),
  site: fc.record({
    name: fc.constantFrom("s", "t"),
    jurisdiction: fc.constantFrom(undefined, "DE", "DE-BE", "FR", "NO", "US"),
  }),
});
const question = fc.record({
  action: fc.constantFrom("infer" as const, "embed" as const),
  model: fc.oneof(fc.constantFrom("m", "m\n", "\n\nm"), fc.string()),
  project: fc.record({
    id: fc.constantFrom("prj_1", "prj_2"),
    dataClass: fc.constantFrom(...dataClasses),
    processing: fc.uniqueArray(fc.constantFrom("DE", "DE-BE", "EU", "EEA", "US")),
  }),
});

test("a kept decision is the decision that a fresh policy makes, however few are kept", () => {
  const kept = createPolicy({ decisionsKept: 3 });
  fc.assert(
    fc.property(question, fc.array(candidate, { maxLength: 4 }), (asked, candidates) => {
      const fresh = createPolicy().decide(asked, candidates);
      assert.deepEqual(kept.decide(asked, candidates), fresh);
      assert.deepEqual(kept.decide(asked, candidates), fresh);
    }),
    { numRuns: 500 },
  );
});

test("one fact more or less is another digest", () => {
  const digest = (asked: Question, ...candidates: Candidate[]) => createPolicy().decide(asked, candidates).policyDigest;
  const asked = about("public");
  const digests = [
    digest(asked, at("a", "DE")),
    digest(asked, at("a", "FR")),
    digest(asked, at("a")),
    digest(asked, at("b", "DE")),
    digest(asked, at("a", "DE"), at("b", "DE")),
    digest({ ...asked, action: "embed" }, at("a", "DE")),
    digest({ ...asked, model: "n" }, at("a", "DE")),
    digest(about("public", "DE"), at("a", "DE")),
    digest(about("internal"), at("a", "DE")),
  ];
  assert.equal(new Set(digests).size, digests.length);
});
