import assert from "node:assert/strict";
import { test } from "node:test";
import { cedar } from "./cedar/cedar.ts";
import { attested, certified, company, factsOf, siteOf, testNowMs } from "./facts/testing.ts";
import { type Candidate, policySchema, type Question, shippedDocument, shippedPolicies, standing } from "./index.ts";
import { placeOf } from "./places.ts";
import { requestOf } from "./request.ts";
import { viewsOf } from "./views.ts";

const facts = factsOf({
  operators: [company("A", "FR", { certificates: [certified("EU-US-DPF")] })],
  sites: [siteOf("fr", "FR-974", "A", { accessFrom: ["FR", "CN"], certificates: [certified("HDS")] })],
  accelerators: [{ name: "x1", maker: "X", makerCountry: "US", evidence: attested }],
  hosts: [{ name: "h", site: "fr", accelerators: ["x1"], engine: "e", evidence: attested }],
  engines: [{ name: "e", developer: "E", developerCountry: "US", licence: "MIT", build: "1", evidence: attested }],
  models: [{ name: "m", developer: "D", developerCountry: "FR", licence: "MIT", evidence: attested }],
});
const now = standing(facts, testNowMs);
const all = new Set(["all"]);
const types = ["Project", "Key", "Staff", "Organisation", "Site", "Host", "Upstream", "Model", "Regime"];
const everything = {
  principal: all,
  resource: all,
  context: all,
  entities: new Set(types),
  regimes: new Set<string>(),
};

const exported = { year: 2026, individuals: 5, sensitiveIndividuals: 1, mechanisms: ["certification" as const] };
const bare: Question = { action: "infer", model: "m", project: { id: "p", dataClass: "personal", processing: ["EU"] } };
const full: Question = {
  ...bare,
  key: "key_1",
  purpose: "care",
  legalBasis: "consent",
  project: { ...bare.project, storage: ["FR"], regimes: ["open"], country: "FR", organisation: "org_1", exported },
};
const staff = { name: "kim", from: "FR", isGranted: true };
const questions: Question[] = [
  bare,
  full,
  { ...full, model: "other" },
  { ...full, action: "support-access", staff },
  { ...bare, action: "support-access", staff: { ...staff, from: undefined } },
];
const candidates: Candidate[] = [
  { kind: "host", name: "h", site: { name: "fr", jurisdiction: undefined } },
  { kind: "upstream", name: "u", site: { name: "elsewhere", jurisdiction: "US", operator: "A" } },
  { kind: "site", name: "nowhere", site: { name: "nowhere", jurisdiction: undefined } },
];

test("what Cedar is asked is what the schema says, with every member and with none", () => {
  const policies = { staticPolicies: { all: "permit (principal, action, resource);" } };
  for (const question of questions) {
    for (const candidate of candidates) {
      const [view] = viewsOf(question, shippedDocument);
      const { call } = requestOf(view!, candidate, placeOf(candidate, now), now, everything);
      const asked = { ...call, schema: policySchema.text, policies, validateRequest: true };
      const answer = cedar().isAuthorized(asked);
      assert.equal(answer.type, "success", JSON.stringify([answer, call], undefined, 1));
    }
  }
});

test("two projects, keys, hosts and models with the same values share an answer where no policy names one of them", () => {
  const { looks } = shippedPolicies();
  const key = (question: Question, name: string) => {
    const candidate: Candidate = { kind: "host", name, site: { name: "fr", jurisdiction: undefined } };
    return requestOf(viewsOf(question, shippedDocument)[0]!, candidate, placeOf(candidate, now), now, looks).key;
  };
  const other = { ...bare, model: "other", project: { ...bare.project, id: "q", organisation: "org_2" } };
  assert.equal(key(bare, "h"), key(other, "h2"));
  assert.notEqual(key(bare, "h"), key({ ...bare, project: { ...bare.project, processing: ["FR"] } }, "h"));
  assert.notEqual(key(bare, "h"), key({ ...bare, project: { ...bare.project, regimes: ["national"] } }, "h"));
  assert.notEqual(key(bare, "h"), key({ ...bare, action: "embed" }, "h"));
});
