import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { attested, certified, company, factsOf, siteOf, testNowMs } from "./facts/testing.ts";
import {
  type Candidate,
  compilePolicies,
  createPolicy,
  type DataClass,
  dataClasses,
  policySchema,
  type Question,
  shippedFiles,
} from "./index.ts";

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
    digest(asked, { ...at("a", "DE"), site: { name: "site-a", jurisdiction: "DE", operator: "x" } }),
    digest(asked, { ...at("a", "DE"), kind: "upstream" }),
    digest({ ...asked, key: "key_1" }, at("a", "DE")),
    digest({ ...asked, purpose: "care" }, at("a", "DE")),
    digest({ ...asked, legalBasis: "consent" }, at("a", "DE")),
    digest({ ...asked, narrowing: {} }, at("a", "DE")),
    digest({ ...asked, narrowing: { processing: ["DE"] } }, at("a", "DE")),
    digest({ ...asked, project: { ...asked.project, storage: [] } }, at("a", "DE")),
    digest({ ...asked, project: { ...asked.project, regimes: ["open"] } }, at("a", "DE")),
    digest({ ...asked, project: { ...asked.project, country: "DE" } }, at("a", "DE")),
    digest({ ...asked, project: { ...asked.project, organisation: "org_1" } }, at("a", "DE")),
  ];
  assert.equal(new Set(digests).size, digests.length);
});

test("a digest holds the policies and the facts: other ones are another digest, also where they decide the same", () => {
  const asked = about("public");
  const digest = (options: Parameters<typeof createPolicy>[0]) =>
    createPolicy({ nowMs: () => testNowMs, ...options }).decide(asked, [at("a", "DE")]).policyDigest;
  const own = { name: "own.cedar", text: '@id("own") forbid (principal in Regime::"x", action, resource);' };
  const policies = compilePolicies({ schema: policySchema, files: [...shippedFiles, own] });
  assert.ok(policies.outcome === "compiled");
  const facts = factsOf({ operators: [company("A", "FR")] });
  const document = { dataClasses: [], regimes: { public: ["open"] } };
  const evidence = { ...attested, expires: "2026-11-30" };
  const lapsing = factsOf({ operators: [company("A", "FR", { evidence })] });
  const laterMs = Date.parse("2026-12-01T00:00:00Z");
  const digests = [
    digest({}),
    digest({ policies }),
    digest({ facts }),
    digest({ document }),
    digest({ facts: lapsing }),
    digest({ facts: lapsing, nowMs: () => laterMs }),
  ];
  assert.equal(new Set(digests).size, digests.length);
  assert.equal(digest({ facts }), digest({ facts: factsOf({ operators: [company("A", "FR")] }) }));
});

test("a decision is kept until a fact begins or expires, and found anew at that very moment, also when a clock is set back", () => {
  const evidence = { ...attested, on: "2026-11-20", expires: "2026-11-30" };
  const facts = factsOf({ operators: [company("A", "FR")], sites: [siteOf("fr", "FR", "A", { evidence })] });
  let nowMs = testNowMs;
  const policy = createPolicy({ facts, nowMs: () => nowMs });
  const candidate: Candidate = { kind: "host", name: "h", site: { name: "fr", jurisdiction: "FR" } };
  const ask = () => policy.decide(about("personal"), [candidate]);
  const during = ask();
  assert.equal(during.outcome, "permitted");
  nowMs = Date.parse("2026-12-01T00:00:00Z") - 1;
  assert.equal(ask().policyDigest, during.policyDigest);
  nowMs += 1;
  const after = ask();
  assert.ok(after.outcome === "refused");
  assert.equal(
    after.rejected[0]!.explanation,
    'host "h" at site "fr": its jurisdiction is not declared (the evidence for site "fr" does not count now), and personal data needs a declared one',
  );
  nowMs = testNowMs;
  assert.equal(ask().outcome, "permitted");
  nowMs = Date.parse("2026-11-19T23:59:59Z");
  assert.equal(ask().outcome, "refused");
});

test("without facts the settings' site counts; with facts they count, and a contradiction declares nothing", () => {
  const facts = factsOf({
    operators: [company("A", "FR")],
    sites: [siteOf("fr", "FR", "A"), siteOf("de", "DE", "A")],
    hosts: [
      { name: "bound", site: "fr", evidence: attested },
      { name: "lapsed", site: "fr", evidence: { ...attested, expires: "2026-11-25" } },
    ],
  });
  const policy = createPolicy({ facts, nowMs: () => testNowMs });
  const explained = (name: string, site: Candidate["site"]) =>
    policy.decide(about("personal"), [{ kind: "host", name, site }]).rejected[0]?.explanation.replace(/.*declared/, "");
  assert.equal(explained("h", { name: "settings", jurisdiction: "IT" }), undefined);
  assert.equal(explained("h", { name: "fr", jurisdiction: undefined }), undefined);
  assert.equal(explained("h", { name: "fr", jurisdiction: "FR-974" }), undefined, "said more closely");
  assert.equal(explained("bound", { name: "fr", jurisdiction: "FR" }), undefined);
  const needed = ", and personal data needs a declared one";
  assert.match(explained("h", { name: "fr", jurisdiction: "IT" })!, /one$/);
  const why = (name: string, site: Candidate["site"]) =>
    policy.decide(about("personal"), [{ kind: "host", name, site }]).rejected[0]!.explanation;
  assert.match(why("h", { name: "fr", jurisdiction: "IT" }), /\(the settings put site "fr" in IT, the facts in FR\)/);
  assert.match(why("bound", { name: "de", jurisdiction: "DE" }), /\(the facts put "bound" at site "fr"\)/);
  assert.match(why("lapsed", { name: "fr", jurisdiction: "FR" }), /\(the evidence for where "lapsed" stands does not/);
  assert.ok(why("x", { name: "nowhere", jurisdiction: undefined }).endsWith(`is not declared${needed}`));
});

test("what is withdrawn is used no more: a site, and whatever a maker made", () => {
  const part = { name: "x1", maker: "X", makerCountry: "US", evidence: attested };
  const facts = factsOf({
    operators: [company("A", "FR")],
    sites: [siteOf("fr", "FR", "A"), siteOf("de", "DE", "A")],
    accelerators: [part],
    hosts: [{ name: "x", site: "fr", accelerators: ["x1"], evidence: attested }],
    withdrawn: { sites: ["de"], makers: ["X"] },
  });
  const policy = createPolicy({ facts, nowMs: () => testNowMs });
  const candidates: Candidate[] = ["x", "y"].flatMap((name) =>
    ["fr", "de"].map((site) => ({ kind: "host", name, site: { name: site, jurisdiction: undefined } }) as const),
  );
  const decided = policy.decide(about("public"), candidates.slice(1));
  assert.ok(decided.outcome === "permitted");
  assert.deepEqual(
    decided.permitted.map(({ name, site }) => `${name} ${site.name}`),
    ["y fr"],
  );
  assert.equal(policy.decide(about("public"), [candidates[0]!]).rejected[0]!.reason, "withdrawn");
});

test("where data rests is another list than where it is processed", () => {
  const project = { id: "p", dataClass: "personal", processing: ["EU"], storage: ["DE"] };
  const policy = createPolicy();
  const ask = (action: Question["action"], jurisdiction?: string) =>
    policy.decide({ action, model: "m", project }, [at("a", jurisdiction)]).rejected[0]?.explanation;
  for (const action of ["infer", "embed", "train"] as const) assert.equal(ask(action, "FR"), undefined);
  for (const action of ["store", "log", "cache", "export"] as const) {
    assert.equal(ask(action, "DE"), undefined);
    assert.match(ask(action, "FR")!, /it lies in FR, and the project's data rests in DE only$/);
    assert.match(ask(action)!, /not declared, and the project's data rests in DE only$/);
  }
});

test("policies of an operator's own speak of keys, projects, models and makers by name", () => {
  const text = `
@id("own.key") @reason("key_only") forbid (principal is Key, action, resource) unless { principal in Project::"prj_1" };
@id("own.project") forbid (principal in Project::"prj_2", action, resource in Site::"site-a");
@id("own.model") forbid (principal, action, resource in Model::"banned");
@id("own.origin") @explain("a model of {context.model.developerCountry}") forbid (principal, action, resource)
  when { context has model && context.model has developerCountry && context.model.developerCountry == "CN" };
@id("own.purpose") forbid (principal, action, resource) when { context has purpose && context.purpose == "ads" };`;
  const policies = compilePolicies({ schema: policySchema, files: [...shippedFiles, { name: "own.cedar", text }] });
  assert.ok(policies.outcome === "compiled", JSON.stringify(policies));
  const model = { developer: "D", developerCountry: "CN", licence: "MIT", evidence: attested };
  const facts = factsOf({ models: [{ name: "far", ...model }] });
  const policy = createPolicy({ policies, facts, nowMs: () => testNowMs });
  const base = about("public");
  const first = (asked: Question, place = at("a", "DE")) => policy.decide(asked, [place]).rejected[0]?.reason;
  assert.equal(first(base), undefined);
  assert.equal(first({ ...base, key: "key_1" }), undefined);
  assert.equal(first({ ...base, key: "key_1", project: { ...base.project, id: "prj_3" } }), "key_only");
  assert.equal(first({ ...base, project: { ...base.project, id: "prj_2" } }), "forbidden");
  assert.equal(first({ ...base, project: { ...base.project, id: "prj_2" } }, at("b", "DE")), undefined);
  assert.equal(first({ ...base, model: "banned" }), "forbidden");
  assert.equal(first({ ...base, model: "far" }), "forbidden");
  assert.equal(first({ ...base, purpose: "ads" }), "forbidden");
  assert.equal(first({ ...base, narrowing: { purpose: "ads" } }), "forbidden");
});

test("an operator's policy can turn on the engine of a place, and on nobody having said what it is", () => {
  const text = `
@id("own.engine") @explain("an engine of {resource.engine.developer} ({resource.engine.developerCountry})")
forbid (principal, action, resource) when { resource has engine && resource.engine.developerCountry == "US" };
@id("own.known") @reason("engine_unknown") forbid (principal, action, resource) unless { resource has engine };`;
  const policies = compilePolicies({ schema: policySchema, files: [...shippedFiles, { name: "own.cedar", text }] });
  assert.ok(policies.outcome === "compiled", JSON.stringify(policies));
  const engine = (name: string, developerCountry: string) => ({
    name,
    developer: `developer of ${name}`,
    developerCountry,
    licence: "MIT",
    evidence: attested,
  });
  const host = (name: string, of: string) => ({ name, site: `site-${name}`, engine: of, evidence: attested });
  const facts = factsOf({
    operators: [company("A", "DE")],
    sites: ["a", "b", "c"].map((name) => siteOf(`site-${name}`, "DE", "A")),
    engines: [engine("near", "DE"), engine("far", "US")],
    hosts: [host("a", "near"), host("b", "far")],
  });
  const policy = createPolicy({ policies, facts, nowMs: () => testNowMs });
  const decided = policy.decide(about("public"), [at("a", "DE"), at("b", "DE"), at("c", "DE")]);
  assert.ok(decided.outcome === "permitted");
  assert.deepEqual(
    decided.permitted.map(({ name }) => name),
    ["a"],
  );
  const [far, unknown] = decided.rejected;
  assert.match(far!.explanation, /an engine of developer of far \(US\)/);
  assert.equal(unknown!.reason, "engine_unknown");
});

test("a policy that cannot be evaluated permits nothing", () => {
  const text = `@id("own.sum") forbid (principal, action, resource)
  when { context has exported && context.exported.individuals * 9223372036854775807 > 3 };`;
  const policies = compilePolicies({ schema: policySchema, files: [...shippedFiles, { name: "own.cedar", text }] });
  assert.ok(policies.outcome === "compiled");
  const policy = createPolicy({ policies, nowMs: () => testNowMs });
  const exported = { year: 2026, individuals: 2, sensitiveIndividuals: 0, mechanisms: [] };
  const asked = about("public");
  const decided = policy.decide({ ...asked, project: { ...asked.project, exported } }, [at("a", "DE")]);
  assert.equal(decided.rejected[0]!.reason, "policy_failed");
  assert.match(decided.rejected[0]!.explanation, /"own\.sum" could not be evaluated \(.*overflow.*\); correct it/);
});

test("without the shipped permits, what an operator's own permits ask for is told", () => {
  const text =
    '@id("own.only") @explain("only the moon") permit (principal, action == Action::"infer", resource) when { resource.within.contains("MOON") };';
  const policies = compilePolicies({ schema: policySchema, files: [{ name: "own.cedar", text }] });
  assert.ok(policies.outcome === "compiled");
  const policy = createPolicy({ policies });
  const words = (action: Question["action"]) =>
    policy.decide({ ...about("public"), action }, [at("a", "DE")]).rejected[0]!.explanation;
  assert.match(words("infer"), /none of these holds: "own\.only" \(only the moon\)$/);
  assert.match(words("store"), /no policy permits store at all$/);
});

test("certificates of a company count for its adequacy, not for a site's own", () => {
  const operator = company("A", "DE", { certificates: [certified("C5-type-2")] });
  const facts = factsOf({ operators: [operator], sites: [siteOf("s", "DE", "A")] });
  const policy = createPolicy({ facts, nowMs: () => testNowMs });
  const project = { id: "p", dataClass: "personal", processing: [], regimes: ["de-health"] };
  const site = { name: "s", jurisdiction: undefined };
  const decided = policy.decide({ action: "infer", model: "m", project }, [{ kind: "site", name: "s", site }]);
  assert.equal(decided.rejected[0]!.reason, "certificate_missing");
});

test("whatever texts a client sends, a policy that looks at them gets an answer", () => {
  const text = `@id("own.text") forbid (principal, action, resource in Model::"m")
  when { context has model && context has purpose && context has legalBasis && context.model.name == context.purpose };`;
  const policies = compilePolicies({ schema: policySchema, files: [...shippedFiles, { name: "own.cedar", text }] });
  assert.ok(policies.outcome === "compiled");
  const policy = createPolicy({ policies });
  const any = fc.string({ unit: "binary", maxLength: 30 });
  fc.assert(
    fc.property(any, any, any, (model, purpose, legalBasis) => {
      const asked = { ...about("public"), model, purpose, legalBasis };
      assert.equal(policy.decide(asked, [at("a", "DE")]).outcome, "permitted");
    }),
  );
  const half = { ...about("public"), model: "\ud800", purpose: "\udc00", legalBasis: "\u0000" };
  assert.equal(policy.decide(half, [at("a", "DE")]).outcome, "permitted");
  assert.equal(policy.decide({ ...half, model: "m", purpose: "m" }, [at("a", "DE")]).outcome, "refused");
});
