import assert from "node:assert/strict";
import { test } from "node:test";
import { type Candidate, createPolicy, explain, type Facts, type FactsInput, type Question } from "./index.ts";
import { attested, certified, company, factsOf, siteOf, testNowMs } from "./facts/testing.ts";

interface Asked {
  readonly facts?: FactsInput;
  readonly site?: string;
  readonly project?: Partial<Question["project"]>;
  readonly more?: Partial<Question>;
  readonly nowMs?: number;
}

/** The ids of the policies that forbid; "permitted" where none does. */
function outcome(regime: string | readonly string[], asked: Asked): string {
  const { facts = {}, site = "s", project, more, nowMs = testNowMs } = asked;
  const regimes = typeof regime === "string" ? [regime] : regime;
  const policy = createPolicy({ facts: factsOf(facts), nowMs: () => nowMs });
  const question: Question = {
    action: "infer",
    model: "m",
    project: { id: "prj_1", dataClass: "personal", processing: [], regimes, ...project },
    ...more,
  };
  const known = facts.sites?.find(({ name }) => name === site);
  const candidate: Candidate = { kind: "site", name: site, site: { name: site, jurisdiction: known?.jurisdiction } };
  const [found] = explain(policy, question, [candidate]);
  return found!.isPermitted ? "permitted" : found!.deciding.map(({ id }) => id).join(" ") || found!.reason!;
}

const at = (text: string) => Date.parse(text);

/** One site "s" of operator "A". */
function oneSite(
  jurisdiction: string,
  seat: string,
  site: Parameters<typeof siteOf>[3] = {},
  operator: Parameters<typeof company>[2] = {},
  jurisdictions: FactsInput["jurisdictions"] = {},
): FactsInput {
  return { jurisdictions, operators: [company("A", seat, operator)], sites: [siteOf("s", jurisdiction, "A", site)] };
}

test("open adds nothing, and a regime that nobody wrote permits nothing", () => {
  assert.equal(outcome("open", { facts: oneSite("US", "US") }), "permitted");
  assert.equal(outcome([], { facts: oneSite("US", "US") }), "permitted");
  assert.equal(outcome("eu-persnal-data", { facts: oneSite("DE", "DE") }), "unknown_regime");
});

test("eu-personal-data: the EEA or an adequate recipient, by seat, law and access", () => {
  const dpf = certified("EU-US-DPF");
  const table: [string, FactsInput][] = [
    ["permitted", oneSite("DE-BE", "DE")],
    ["permitted", oneSite("NO", "IS", { accessFrom: ["LI", "FR"] })],
    ["permitted", oneSite("CH", "CH", { accessFrom: ["GB"] })],
    ["permitted", oneSite("BR", "BR")],
    // The seat, and with it the law of its country.
    ["eu-personal-data.seat eu-personal-data.law", oneSite("DE", "US")],
    ["permitted", oneSite("DE", "US", {}, { certificates: [dpf] })],
    ["permitted", oneSite("US", "US", { accessFrom: ["US-CA"] }, { certificates: [dpf] })],
    ["eu-personal-data.seat eu-personal-data.law", oneSite("CA", "CA")],
    ["permitted", oneSite("CA", "CA", {}, { certificates: [certified("PIPEDA")] })],
    // A European company with a site elsewhere, and one that another law reaches.
    ["eu-personal-data.law", oneSite("IN", "DE")],
    ["eu-personal-data.law", oneSite("DE", "DE", {}, { subjectTo: ["US"] })],
    // Remote support from outside, and from nobody knows where.
    ["eu-personal-data.access", oneSite("DE", "DE", { accessFrom: ["DE", "IN"] })],
    ["permitted", oneSite("DE", "DE", { accessFrom: ["DE", "JP"] }, { certificates: [certified("APPI")] })],
    ["eu-personal-data.access", oneSite("DE", "DE", { accessFrom: undefined })],
  ];
  for (const [expected, facts] of table) {
    assert.equal(outcome("eu-personal-data", { facts }), expected, JSON.stringify([facts.sites, facts.operators]));
  }
});

test("eu-personal-data: public data is not personal, a class of an operator's own is what it is like, and who asks does not matter", () => {
  const facts = oneSite("US", "US");
  assert.equal(outcome("eu-personal-data", { facts, project: { dataClass: "public" } }), "permitted");
  for (const dataClass of ["internal", "personal", "special-category", "restricted", "unheard-of"]) {
    assert.notEqual(outcome("eu-personal-data", { facts, project: { dataClass } }), "permitted");
  }
  assert.equal(outcome("eu-personal-data", { facts: oneSite("DE", "DE"), more: { key: "key_1" } }), "permitted");
});

test("eu-personal-data: a decision ends with its day, by revocation, and with the certificate that it needs", () => {
  const ends = (text: string) => outcome("eu-personal-data", { facts: oneSite("GB", "GB"), nowMs: at(text) });
  const lasting = (facts: FactsInput, text: string) => outcome("eu-personal-data", { facts, nowMs: at(text) });
  assert.equal(ends("2031-12-27T23:59:59Z"), "permitted");
  assert.equal(ends("2031-12-28T00:00:00Z"), "eu-personal-data.seat eu-personal-data.law");
  const revoked = oneSite("CH", "CH", {}, {}, { revoked: [{ from: "EEA", to: "CH", on: "2026-12-01T12:00:00Z" }] });
  assert.equal(lasting(revoked, "2026-12-01T11:59:59Z"), "permitted");
  assert.equal(lasting(revoked, "2026-12-01T12:00:00Z"), "eu-personal-data.seat eu-personal-data.law");
  const dpf = oneSite("US", "US", {}, { certificates: [certified("EU-US-DPF", { expiresOn: "2026-12-31" })] });
  assert.equal(lasting(dpf, "2026-12-31T23:59:59Z"), "permitted");
  assert.equal(lasting(dpf, "2027-01-01T00:00:00Z"), "eu-personal-data.seat eu-personal-data.law");
});

test("staff who look at data are access from where they are, under a grant", () => {
  const facts = oneSite("DE", "DE");
  const by = (from: string | undefined, isGranted = true, processing: string[] = []) =>
    outcome("eu-personal-data", {
      facts,
      project: { processing },
      more: { action: "support-access", staff: { name: "kim", from, isGranted } },
    });
  assert.equal(by("FR"), "permitted");
  assert.equal(by("IN"), "eu-personal-data.access");
  assert.equal(by(undefined), "eu-personal-data.access");
  assert.equal(by("FR", false), "not_granted");
  assert.equal(by("FR", true, ["DE"]), "outside_processing");
  assert.equal(outcome("open", { facts, more: { action: "support-access" } }), "staff_not_named");
  const other = { action: "infer", staff: { name: "kim", from: "IN", isGranted: true } } as const;
  assert.equal(outcome("eu-personal-data", { facts, more: other }), "permitted", "staff only look");
});

function holder(name: string, country: string, votesPercent: number, capitalPercent = votesPercent) {
  return { name, country, votesPercent, capitalPercent };
}

test("eu-operated: 24.0 and 39.0 are within, 24.1 and 39.1 are not, by votes and by capital", () => {
  const owned = (...owners: ReturnType<typeof holder>[]) => ({ facts: oneSite("DE", "DE", {}, { owners }) });
  const single = "eu-operated.single-owner";
  const together = "eu-operated.all-owners";
  const table: [string, ReturnType<typeof holder>[]][] = [
    ["permitted", [holder("x", "US", 24), holder("y", "DE", 76)]],
    [single, [holder("x", "US", 24.1), holder("y", "DE", 75.9)]],
    [single, [holder("x", "US", 24.1, 0), holder("y", "DE", 75.9, 100)]],
    [single, [holder("x", "US", 0, 24.1), holder("y", "DE", 100, 75.9)]],
    ["permitted", [holder("x", "US", 20), holder("z", "CH", 19), holder("y", "DE", 61)]],
    [together, [holder("x", "US", 20), holder("z", "CH", 19.1), holder("y", "DE", 60.9)]],
    [together, [holder("x", "US", 0, 20), holder("z", "CH", 0, 19.1), holder("y", "DE", 100, 60.9)]],
    // Norway is in the EEA, not in the EU.
    [single, [holder("x", "NO", 25), holder("y", "DE", 75)]],
    // What owners leave open is unknown, and as if it were one owner's.
    ["permitted", [holder("y", "DE", 76)]],
    [single, [holder("y", "DE", 75.9)]],
    [`${single} ${together}`, [holder("y", "DE", 60.9)]],
    [together, [holder("x", "US", 20), holder("y", "DE", 60.9)]],
  ];
  for (const [expected, owners] of table) {
    assert.equal(outcome("eu-operated", owned(...owners)), expected, JSON.stringify(owners));
  }
});

test("eu-operated: indirect holdings, rights, the seat, and evidence that has run out", () => {
  const through = { operator: "B", votesPercent: 60, capitalPercent: 60 };
  const chain = (percent: number): FactsInput => ({
    operators: [
      company("A", "DE", { owners: [through, holder("y", "DE", 40)] }),
      company("B", "FR", { owners: [holder("x", "US", percent), holder("z", "FR", 100 - percent)] }),
    ],
    sites: [siteOf("s", "DE", "A")],
  });
  assert.equal(outcome("eu-operated", { facts: chain(40) }), "permitted", "60 % of 40 %");
  assert.equal(outcome("eu-operated", { facts: chain(41) }), "eu-operated.single-owner");
  const rights = { owners: [{ ...holder("x", "US", 1), rights: ["veto" as const] }, holder("y", "DE", 99)] };
  assert.equal(outcome("eu-operated", { facts: oneSite("DE", "DE", {}, rights) }), "eu-operated.rights");
  const swiss = { owners: [holder("y", "DE", 100)] };
  assert.equal(outcome("eu-operated", { facts: oneSite("DE", "CH", {}, swiss) }), "eu-operated.seat");
  const evidence = { ...attested, expires: "2026-11-26" };
  const lapsing = oneSite("DE", "DE", {}, { evidence });
  assert.equal(outcome("eu-operated", { facts: lapsing }), "permitted");
  const all = "eu-operated.seat eu-operated.single-owner eu-operated.all-owners eu-operated.rights";
  assert.equal(outcome("eu-operated", { facts: lapsing, nowMs: at("2026-11-27T00:00:00Z") }), all);
  assert.equal(outcome("eu-operated", { facts: {}, site: "settings" }), all, "an operator whom nobody knows");
});

test("national: only the country that the project names", () => {
  const table: [string, FactsInput, string | undefined][] = [
    ["permitted", oneSite("FR-974", "FR", { accessFrom: ["FR"] }), "FR"],
    ["national.unnamed", oneSite("FR", "FR"), undefined],
    ["national.place national.operator", oneSite("DE", "FR"), "FR"],
    ["national.operator", oneSite("FR", "DE"), "FR"],
    ["national.operator", oneSite("FR", "FR", {}, { subjectTo: ["DE"] }), "FR"],
    ["national.access", oneSite("FR", "FR", { accessFrom: ["FR", "DE"] }), "FR"],
    ["national.access", oneSite("FR", "FR", { accessFrom: undefined }), "FR"],
  ];
  for (const [expected, facts, country] of table) {
    const project = country === undefined ? {} : { country };
    assert.equal(outcome("national", { facts, project }), expected, JSON.stringify(facts.sites));
  }
});

test("de-health: C5 type 2 in force, a permitted place, and an establishment in Germany", () => {
  const c5 = (more = {}) => ({ certificates: [certified("C5-type-2", more)] });
  const table: [string, FactsInput][] = [
    ["permitted", oneSite("DE", "DE", c5())],
    ["de-health.c5", oneSite("DE", "DE")],
    ["de-health.c5", oneSite("DE", "DE", { certificates: [certified("C5-type-1")] })],
    ["de-health.establishment", oneSite("FR", "FR", c5())],
    ["permitted", oneSite("FR", "FR", c5(), { establishments: ["DE"] })],
    ["permitted", oneSite("CH", "DE", c5())],
    ["permitted", oneSite("JP", "DE", c5(), { certificates: [certified("APPI")] })],
    ["de-health.place", oneSite("IN", "DE", c5())],
    ["de-health.access", oneSite("DE", "DE", { ...c5(), accessFrom: ["IN"] })],
  ];
  for (const [expected, facts] of table) {
    assert.equal(outcome("de-health", { facts }), expected, JSON.stringify(facts.sites));
  }
  const noSwissAdequacy = oneSite("CH", "DE", c5(), {}, { revoked: [{ from: "EU", to: "CH", on: "2026-01-01" }] });
  assert.equal(outcome("de-health", { facts: noSwissAdequacy }), "permitted", "equal by social law, not by adequacy");
  const day = oneSite("DE", "DE", c5({ issuedOn: "2026-12-01", expiresOn: "2027-05-31" }));
  const onDay = (text: string) => outcome("de-health", { facts: day, nowMs: at(text) });
  assert.equal(onDay("2026-11-30T23:59:59Z"), "de-health.c5");
  assert.equal(onDay("2026-12-01T00:00:00Z"), "permitted");
  assert.equal(onDay("2027-05-31T23:59:59Z"), "permitted");
  assert.equal(onDay("2027-06-01T00:00:00Z"), "de-health.c5");
});

test("fr-health: HDS in force, in the EEA, reached from the EEA or under adequacy", () => {
  const hds = (more = {}) => ({ certificates: [certified("HDS", more)] });
  const table: [string, FactsInput][] = [
    ["permitted", oneSite("FR", "FR", hds())],
    ["permitted", oneSite("NO", "NO", { ...hds(), accessFrom: ["GB"] })],
    ["fr-health.hds", oneSite("FR", "FR")],
    ["fr-health.place", oneSite("CH", "CH", hds())],
    ["fr-health.access", oneSite("FR", "FR", { ...hds(), accessFrom: ["US"] })],
    ["fr-health.access", oneSite("FR", "FR", { ...hds(), accessFrom: undefined })],
  ];
  for (const [expected, facts] of table) {
    assert.equal(outcome("fr-health", { facts }), expected, JSON.stringify(facts.sites));
  }
  const evidence = { ...attested, expires: "2026-11-25" };
  const unproven = { certificates: [{ ...certified("HDS"), evidence }] };
  assert.equal(outcome("fr-health", { facts: oneSite("FR", "FR", unproven) }), "fr-health.hds", "proof that ran out");
  const expired = oneSite("FR", "FR", hds({ expiresOn: "2026-11-25" }));
  assert.equal(outcome("fr-health", { facts: expired }), "fr-health.hds");
});

test("cn-personal-export: counters of the calendar year against 100,000, 1,000,000 and 10,000", () => {
  const facts = oneSite("DE", "DE");
  const contract = "cn-personal-export.contract";
  const assessment = "cn-personal-export.assessment cn-personal-export.contract";
  const table: [string, number, number, string?][] = [
    ["permitted", 99_999, 0],
    [contract, 100_000, 0],
    ["permitted", 100_000, 0, "standard-contract"],
    ["permitted", 999_999, 0, "certification"],
    ["cn-personal-export.assessment", 1_000_000, 0, "standard-contract"],
    [assessment, 1_000_000, 0],
    ["permitted", 1_000_000, 0, "security-assessment"],
    [contract, 0, 1],
    ["permitted", 0, 9_999, "standard-contract"],
    ["cn-personal-export.assessment", 0, 10_000, "standard-contract"],
    ["permitted", 0, 10_000, "security-assessment"],
  ];
  for (const [expected, individuals, sensitiveIndividuals, mechanism] of table) {
    const mechanisms = mechanism === undefined ? [] : [mechanism as "certification"];
    const exported = { year: 2026, individuals, sensitiveIndividuals, mechanisms };
    assert.equal(outcome("cn-personal-export", { facts, project: { exported } }), expected, JSON.stringify(exported));
  }
});

test("cn-personal-export: what stays is no export; what is not declared this year, critical or sensitive is refused", () => {
  const exported = { year: 2026, individuals: 1, sensitiveIndividuals: 0, mechanisms: [] };
  const abroad = oneSite("DE", "DE");
  const ask = (facts: FactsInput, project: Partial<Question["project"]>, nowMs = testNowMs) =>
    outcome("cn-personal-export", { facts, project, nowMs });
  assert.equal(ask(abroad, {}), "cn-personal-export.undeclared");
  assert.equal(ask(abroad, { dataClass: "internal" }), "permitted");
  assert.equal(ask(oneSite("CN", "CN", { accessFrom: ["CN"] }), {}), "permitted");
  assert.equal(ask(oneSite("CN", "CN", { accessFrom: ["CN", "HK"] }), {}), "cn-personal-export.undeclared");
  assert.equal(ask(oneSite("HK", "CN"), {}), "cn-personal-export.undeclared");
  assert.equal(
    ask(abroad, { exported: { ...exported, isCriticalInfrastructure: true } }),
    "cn-personal-export.assessment",
  );
  assert.equal(ask(abroad, { exported: { ...exported, hasImportantData: true } }), "cn-personal-export.assessment");
  assert.equal(ask(abroad, { exported, dataClass: "special-category" }), "cn-personal-export.contract");
  // The year ends in China, eight hours before that of UTC.
  assert.equal(ask(abroad, { exported }, at("2026-12-31T15:59:59Z")), "permitted");
  assert.equal(ask(abroad, { exported }, at("2026-12-31T16:00:00Z")), "cn-personal-export.undeclared");
});

test("regimes compose by intersection: a site has to satisfy each of them", () => {
  const c5 = certified("C5-type-2");
  const hds = certified("HDS");
  const facts: FactsInput = {
    operators: [company("A", "DE", { owners: [holder("x", "US", 60), holder("y", "DE", 40)] }), company("B", "DE")],
    sites: [
      siteOf("a", "DE", "A", { certificates: [c5, hds] }),
      siteOf("b", "DE", "B", { certificates: [c5] }),
      siteOf("c", "DE", "B", { certificates: [c5, hds] }),
    ],
  };
  const regimes = ["open", "eu-personal-data", "eu-operated", "de-health", "fr-health"];
  const at = (site: string) => outcome(regimes, { facts, site });
  assert.equal(at("a"), "eu-operated.single-owner eu-operated.all-owners");
  assert.equal(at("b"), "fr-health.hds");
  assert.equal(at("c"), "permitted");
  assert.equal(
    outcome([...regimes, "national"], { facts, site: "c", project: { country: "FR" } }).includes("national.place"),
    true,
  );
  for (const regime of regimes) assert.equal(outcome(regime, { facts, site: "c" }), "permitted");
});

test("what a regime says to people names the facts, and nothing stands for a value that is there", () => {
  const facts: Facts = factsOf(oneSite("DE", "US", { accessFrom: ["IN"] }));
  const policy = createPolicy({ facts, nowMs: () => testNowMs });
  const regimes = ["eu-personal-data", "eu-operated", "de-health", "fr-health", "national", "cn-personal-export"];
  const exported = { year: 2026, individuals: 2_000_000, sensitiveIndividuals: 3, mechanisms: [] };
  const project = { id: "p", dataClass: "personal", processing: [], regimes, country: "FR", exported };
  const site = { name: "s", jurisdiction: "DE" };
  const [found] = explain(policy, { action: "infer", model: "m", project }, [{ kind: "site", name: "s", site }]);
  assert.equal(found!.deciding.length, 16);
  assert.match(found!.words, /its operator A has its seat in US, neither in the EEA/);
  assert.match(found!.words, /has 100\.0 % of the votes and 100\.0 % of the capital of A, and 24 % is the limit/);
  assert.match(found!.words, /2000000 individuals without and 3 with sensitive information/);
  assert.doesNotMatch(found!.words, /[{}]|nobody has declared|\(not declared\)/);
});
