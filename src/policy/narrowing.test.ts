import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  type Candidate,
  createPolicy,
  dataClasses,
  type Narrowing,
  type NarrowingHeaders,
  parseNarrowing,
  parsePolicyDocument,
  type Question,
  shippedPolicies,
} from "./index.ts";
import { certified, company, factsOf, siteOf, testNowMs } from "./facts/testing.ts";

const facts = factsOf({
  jurisdictions: { groups: { DACH: ["DE", "AT", "CH"] } },
  operators: [
    company("de", "DE"),
    company("us", "US", { certificates: [certified("EU-US-DPF")] }),
    company("in", "IN", { establishments: ["DE"] }),
  ],
  sites: [
    siteOf("berlin", "DE-BE", "de", { certificates: [certified("C5-type-2"), certified("HDS")] }),
    siteOf("paris", "FR", "de", { accessFrom: ["IN"] }),
    siteOf("zurich", "CH", "de", { certificates: [certified("C5-type-2")] }),
    siteOf("ohio", "US", "us"),
    siteOf("pune", "IN", "in"),
  ],
});

function documentOf() {
  const regimes = { personal: ["eu-personal-data"], patients: ["de-health"], public: ["open"] };
  const parsed = parsePolicyDocument(
    { dataClasses: [{ name: "patients", like: "special-category" }], regimes },
    shippedPolicies().regimes,
  );
  return parsed.outcome === "parsed" ? parsed.document : assert.fail(JSON.stringify(parsed.problems));
}

const policy = createPolicy({ facts, document: documentOf(), nowMs: () => testNowMs });

const candidates: readonly Candidate[] = [
  ...["berlin", "paris", "zurich", "ohio", "pune"].map((name): Candidate => ({
    kind: "host",
    name: `host-${name}`,
    site: { name, jurisdiction: undefined },
  })),
  { kind: "upstream", name: "nowhere", site: { name: "nowhere", jurisdiction: undefined } },
  { kind: "upstream", name: "claimed", site: { name: "claimed", jurisdiction: "FR", operator: "de" } },
  { kind: "upstream", name: "unknown", site: { name: "unknown", jurisdiction: "FR" } },
];

function permitted(question: Question): readonly string[] {
  const decided = policy.decide(question, candidates);
  return decided.outcome === "permitted" ? decided.permitted.map(({ name }) => name) : [];
}

const classes = fc.constantFrom(...dataClasses, "patients", "unheard-of");
const places = fc.uniqueArray(fc.constantFrom("DE", "DE-BE", "FR", "CH", "US", "EU", "EEA", "DACH"), { maxLength: 3 });
const regimes = fc.uniqueArray(fc.constantFrom(...shippedPolicies().regimes, "no-such-regime"), { maxLength: 3 });
const project = fc.record(
  {
    id: fc.constant("prj_1"),
    dataClass: classes,
    processing: places,
    storage: places,
    regimes,
    country: fc.constantFrom("DE", "FR"),
  },
  { requiredKeys: ["id", "dataClass", "processing"] },
);
const narrowing: fc.Arbitrary<Narrowing> = fc.record(
  { dataClass: classes, processing: places, purpose: fc.constantFrom("care", "research"), regimes },
  { requiredKeys: [] },
);
const action = fc.constantFrom("infer", "embed", "train", "store", "log", "cache", "export");

test("whatever a header says, it takes away or changes nothing", () => {
  let taken = 0;
  fc.assert(
    fc.property(project, narrowing, action, (project, narrowing, action) => {
      const question = { action, model: "m", project } as Question;
      const without = permitted(question);
      const within = permitted({ ...question, narrowing });
      assert.deepEqual(
        within.filter((name) => !without.includes(name)),
        [],
      );
      if (within.length < without.length) taken += 1;
    }),
    { numRuns: 1000 },
  );
  assert.ok(taken > 50, `only ${taken} headers took anything away`);
});

test("a header that says public, anywhere and no regime widens nothing", () => {
  const question: Question = {
    action: "infer",
    model: "m",
    project: { id: "p", dataClass: "personal", processing: ["DE"] },
  };
  const own = permitted(question);
  assert.deepEqual(own, ["host-berlin"]);
  const widest = { dataClass: "public", processing: [], regimes: [] };
  assert.deepEqual(permitted({ ...question, narrowing: widest }), own);
});

test("a header takes away by place, by class with its regimes, and by regime, and the refusal says that it did", () => {
  const question: Question = {
    action: "infer",
    model: "m",
    project: { id: "p", dataClass: "internal", processing: [] },
  };
  const names = candidates.map(({ name }) => name).filter((name) => name !== "nowhere");
  assert.deepEqual(permitted(question), names);
  const narrowed = (narrowing: Narrowing) => permitted({ ...question, narrowing });
  assert.deepEqual(narrowed({ processing: ["DACH"] }), ["host-berlin", "host-zurich"]);
  assert.deepEqual(narrowed({ dataClass: "patients" }), ["host-berlin", "host-zurich"]);
  assert.deepEqual(narrowed({ dataClass: "personal" }), ["host-berlin", "host-zurich", "host-ohio"]);
  assert.deepEqual(narrowed({ regimes: ["fr-health"] }), ["host-berlin"]);
  const refused = policy.decide({ ...question, narrowing: { processing: ["AT"] } }, [candidates[0]!]);
  assert.match(
    refused.rejected[0]!.explanation,
    /it lies in DE-BE, and the request's data, as its headers say, is processed in AT only$/,
  );
  assert.ok(refused.outcome === "refused");
  assert.match(refused.message, /may process this project's internal data, as this request's headers narrow it\.$/);
  assert.match(
    policy.decide({ ...question, narrowing: { regimes: ["no-such-regime"] } }, [candidates[0]!]).rejected[0]!
      .explanation,
    /the request's regime "no-such-regime" is named by no policy/,
  );
});

test("a policy document names classes and regimes that are there", () => {
  const problems = (value: unknown) => {
    const parsed = parsePolicyDocument(value, shippedPolicies().regimes);
    return parsed.outcome === "parsed" ? [] : parsed.problems.map(({ path, message }) => `${path}: ${message}`);
  };
  assert.deepEqual(problems({ regimes: { personel: ["eu-personal-data"] } }), [
    "regimes.personel: is no data class; add it to dataClasses",
  ]);
  assert.deepEqual(problems({ regimes: { personal: ["eu-personal"] } }), [
    'regimes.personal: no policy names the regime "eu-personal"',
  ]);
  assert.deepEqual(problems({ dataClasses: [{ name: "public", like: "public" }] }), [
    "dataClasses[0].name: it is one of the five already; choose another name",
  ]);
  assert.deepEqual(problems({ dataclasses: [] }), ["dataclasses: is not known; did you mean dataClasses?"]);
});

test("data of a class that no document declares goes nowhere, not even where public data may", () => {
  const project = { id: "p", dataClass: "unheard-of", processing: [] };
  const decided = policy.decide({ action: "infer", model: "m", project }, candidates);
  assert.equal(decided.outcome, "refused");
  assert.deepEqual([...new Set(decided.rejected.map(({ reason }) => reason))], ["unknown_data_class"]);
  assert.match(
    decided.rejected[0]!.explanation,
    /the project's data class "unheard-of" is declared by no policy document; declare it, or give/,
  );
});

test("headers are read as lists, and what nobody knows is refused with what was meant", () => {
  const known = { document: documentOf(), regimes: shippedPolicies().regimes, groups: { DACH: ["DE", "AT", "CH"] } };
  const parse = (headers: NarrowingHeaders) => {
    const parsed = parseNarrowing(headers, known);
    return parsed.outcome === "parsed" ? parsed.narrowing : `${parsed.header}: ${parsed.message}`;
  };
  assert.equal(parse({}), undefined);
  assert.deepEqual(parse({ dataClass: "patients", processing: "de, DACH,eea", purpose: "care", regimes: "open" }), {
    dataClass: "patients",
    processing: ["DE", "DACH", "EEA"],
    purpose: "care",
    regimes: ["open"],
  });
  assert.equal(
    parse({ dataClass: "persnal" }),
    'dataClass: There is no data class "persnal". Did you mean "personal"?',
  );
  assert.equal(parse({ processing: "UK" }), 'processing: "UK" is not an ISO 3166 code; did you mean "GB"?');
  assert.equal(parse({ processing: " , " }), "processing: An empty list of places names none.");
  assert.equal(
    parse({ regimes: "eu-personal" }),
    'regimes: There is no regime "eu-personal". Did you mean "eu-personal-data"?',
  );
  assert.match(JSON.stringify(parse({ processing: "DE,".repeat(51) })), /At most 50/);
  assert.match(JSON.stringify(parse({ purpose: "x".repeat(201) })), /at most 200 characters/);
  assert.match(JSON.stringify(parse({ purpose: "a\nb" })), /printable/);
  assert.deepEqual(parse({ legalBasis: "consent" }), { legalBasis: "consent" });
  assert.match(JSON.stringify(parse({ legalBasis: "é" })), /legalBasis: The legal basis is printable ASCII/);
});
