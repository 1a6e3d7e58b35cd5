import assert from "node:assert/strict";
import { test } from "node:test";
import { attested, certified, company, factsOf, siteOf, testNowMs } from "./facts/testing.ts";
import {
  type Candidate,
  compilePolicies,
  createPolicy,
  diff,
  drill,
  type Drilled,
  explain,
  type Facts,
  knownSites,
  type Loss,
  parseCases,
  type Placement,
  policySchema,
  type Question,
  shippedFiles,
  testTable,
} from "./index.ts";

const facts = factsOf({
  operators: [company("A", "FR"), company("U", "US", { certificates: [certified("EU-US-DPF")] })],
  sites: [
    siteOf("fr", "FR", "A", { certificates: [certified("HDS")] }),
    siteOf("de", "DE", "A"),
    siteOf("us", "US", "U"),
  ],
  accelerators: [
    { name: "x1", maker: "X", makerCountry: "US", evidence: attested },
    { name: "y1", maker: "Y", makerCountry: "FR", evidence: attested },
  ],
  hosts: [
    { name: "host-fr", site: "fr", accelerators: ["x1"], evidence: attested },
    { name: "host-de", site: "de", accelerators: ["y1"], evidence: attested },
    { name: "host-us", site: "us", accelerators: ["x1"], evidence: attested },
  ],
});

function policyOf(own = "", of: Facts = facts) {
  const files = [...shippedFiles, { name: "own.cedar", text: own }];
  const policies = compilePolicies({ schema: policySchema, files });
  if (policies.outcome === "invalid") assert.fail(JSON.stringify(policies.problems));
  return createPolicy({ policies, facts: of, nowMs: () => testNowMs });
}

function host(site: string): Candidate {
  return { kind: "host", name: `host-${site}`, site: { name: site, jurisdiction: undefined } };
}

function question(more: Partial<Question["project"]> = {}): Question {
  const project = { id: "prj_1", dataClass: "personal", processing: [], regimes: ["eu-personal-data"], ...more };
  return { action: "infer", model: "m", project };
}

/** What was recorded, with something of the caller's own. */
interface Recorded extends Placement {
  readonly name: string;
}

function recorded(name: string, asked: Question, ranAt: string | undefined, ...sites: string[]): Recorded {
  return { name, question: asked, candidates: sites.map(host), ranAt: ranAt && `host-${ranAt}` };
}

test("explain tells every site with the policies that decide, their articles and what to do", () => {
  const policy = policyOf();
  const sites = knownSites(policy.standing());
  const explained = explain(policy, question({ processing: ["EU"], regimes: ["fr-health"] }), sites);
  assert.deepEqual(
    explained.map(({ candidate, isPermitted, deciding }) => [
      candidate.name,
      isPermitted,
      deciding.map(({ id }) => id),
    ]),
    [
      ["fr", true, ["base.processing"]],
      ["de", false, ["fr-health.hds"]],
      ["us", false, ["fr-health.hds", "fr-health.place"]],
    ],
  );
  const [fr, de] = explained;
  assert.match(fr!.words, /^permitted by "base\.processing": data is processed at a place/);
  assert.equal(
    de!.words,
    "no HDS certificate is in force for this site (in force: none); use a site that has one, or renew it",
  );
  assert.equal(de!.deciding[0]!.article, "Code de la santé publique, L. 1111-8 II");
  assert.equal(de!.deciding[0]!.file, "fr-health.cedar");
});

test("explain says of a refusal that no policy decided which permit failed, and why", () => {
  const [found] = explain(policyOf(), question({ processing: ["DE"], regimes: [] }), [host("us")]);
  assert.deepEqual([found!.isPermitted, found!.deciding, found!.reason], [false, [], "outside_processing"]);
  assert.equal(found!.words, "it lies in US, and the project's data is processed in DE only");
});

test("explain tells where a place counts as standing: nowhere where settings and facts contradict each other", () => {
  const site = { name: "de", jurisdiction: "FR" };
  const found = explain(policyOf(), question(), [host("de"), { kind: "host", name: "host-de", site }]);
  assert.deepEqual(
    found.map(({ jurisdiction }) => jurisdiction),
    ["DE", undefined],
  );
});

test("of an operator whom nobody has declared the sentences say so", () => {
  const policy = policyOf("", factsOf({}));
  const here: Candidate = { kind: "host", name: "h", site: { name: "here", jurisdiction: "DE" } };
  const [found] = explain(policy, question({ regimes: ["de-health", "eu-personal-data"] }), [here]);
  assert.match(found!.words, /its operator \(not declared\) is established in: none; it has to be in Germany: use/);
  assert.match(found!.words, /its operator \(not declared\) has its seat in a place that nobody has declared, neither/);
});

test("diff tells what a new policy would refuse, move and permit, and leaves what had drifted before to itself", () => {
  const banUs =
    '@id("own.us") @explain("nothing runs in the US; use another site") forbid (principal, action, resource) when { resource has country && resource.country == "US" };';
  const open = question({ regimes: [] });
  const placements = [
    recorded("stays", open, "fr", "fr", "us"),
    recorded("refused", open, "us", "us"),
    recorded("moved", open, "us", "us", "de"),
    recorded("still refused", question({ processing: ["FR"] }), undefined, "de"),
    recorded("drifted", question({ processing: ["FR"] }), "de", "de"),
  ];
  const found = diff(placements, policyOf(), policyOf(banUs));
  const names = (some: readonly { readonly placement: Recorded }[]) => some.map(({ placement }) => placement.name);
  assert.deepEqual([names(found.refused), names(found.moved), names(found.permitted)], [["refused"], ["moved"], []]);
  assert.deepEqual(
    found.drifted.map(({ name }) => name),
    ["drifted"],
  );
  assert.equal(found.unchanged, 2);
  assert.deepEqual(found.refused[0]!.because, [
    'host "host-us" at site "us": nothing runs in the US; use another site',
  ]);
  assert.deepEqual(found.moved[0]!.permittedAt, ["host-de"]);
  const back = diff([recorded("lifted", open, undefined, "us")], policyOf(banUs), policyOf());
  assert.deepEqual([names(back.permitted), back.permitted[0]!.permittedAt], [["lifted"], ["host-us"]]);
  assert.match(back.permitted[0]!.because[0]!, /nothing runs in the US/);
});

test("a table of cases passes, and says of each that fails what was found and by which policy", () => {
  const project = { dataClass: "personal", regimes: ["eu-personal-data"] };
  const parsed = parseCases({
    cases: [
      { name: "home", project, site: "fr", expect: "permit", policy: "base.processing" },
      { name: "wrong", project, site: "fr", expect: "deny" },
      { name: "abroad", project, site: { name: "in", jurisdiction: "IN", operator: "A" }, expect: "deny" },
      { project, site: "us", expect: "deny", policy: "eu-personal-data.seat" },
      { project: { processing: ["DE"] }, site: "fr", host: "host-fr", expect: "deny", policy: "base.withdrawn" },
      { project, narrowing: { processing: ["DE"] }, site: "fr", expect: "deny" },
    ],
  });
  assert.ok(parsed.outcome === "parsed", JSON.stringify(parsed));
  const results = testTable(policyOf(), parsed.cases);
  assert.deepEqual(
    results.map(({ hasPassed }) => hasPassed),
    [true, false, true, false, false, true],
  );
  assert.equal(results[1]!.message, 'expected deny, found permit by "base.processing"');
  assert.match(results[3]!.message!, /^expected deny, found permit by "base\.processing"$/);
  assert.equal(results[4]!.message, 'expected deny by "base.withdrawn", found it by no policy');
  const invalid = parseCases({ cases: [{ site: "fr", expects: "deny" }] });
  assert.ok(invalid.outcome === "invalid");
  assert.deepEqual(
    invalid.problems.map(({ path, message }) => `${path}: ${message}`),
    ["cases[0].expect: is required", "cases[0].expects: is not known; did you mean expect?"],
  );
});

function drilled(
  losses: readonly Loss[],
  ...placements: Recorded[]
): Extract<Drilled<Recorded>, { outcome: "drilled" }> {
  const found = drill({ facts, losses, placements, nowMs: testNowMs });
  return found.outcome === "drilled" ? found : assert.fail(found.message);
}

/** Each lost placement with what would have kept it. */
function lostOf(losses: readonly Loss[], ...placements: Recorded[]) {
  return drilled(losses, ...placements).lost.map(({ placement, keptBy }) => [placement.name, keptBy]);
}

test("a drill that loses a site tells what moves, what is lost, and which known site would have kept it", () => {
  const inEu = question({ processing: ["EU"] });
  const found = drilled(
    [{ kind: "site", name: "fr" }],
    recorded("moved", inEu, "fr", "fr", "de"),
    recorded("lost", inEu, "fr", "fr"),
    recorded("lost for good", question({ processing: ["FR"] }), "fr", "fr"),
    recorded("kept", inEu, "de", "de"),
  );
  assert.deepEqual(
    found.moved.map(({ placement }) => placement.name),
    ["moved"],
  );
  assert.deepEqual(
    found.lost.map(({ placement, keptBy }) => [placement.name, keptBy]),
    [
      ["lost", { kind: "site", name: "de" }],
      ["lost for good", undefined],
    ],
  );
  assert.equal(found.lost[0]!.because[0], 'host "host-fr" at site "fr": the drill takes site fr away');
  assert.equal(found.kept, 1);
  assert.deepEqual(found.facts.withdrawn.sites, ["fr"]);
});

test("why comes first of where it ran, then of what else has changed, then of what was refused anyhow", () => {
  const inFr = recorded("lost", question({ processing: ["FR"] }), "fr", "de", "us", "fr");
  const banFr =
    '@id("own.fr") @explain("not in France") forbid (principal, action, resource) when { resource has country && resource.country == "FR" };';
  const { refused } = diff([inFr], policyOf(), policyOf(banFr));
  assert.deepEqual(
    refused[0]!.because.map((each) => each.replace(/^host "(.+)" at.*: (.+)$/, "$1: $2")),
    [
      "host-fr: not in France",
      "host-de: it lies in DE, and the project's data is processed in FR only",
      "host-us: it lies in US, and the project's data is processed in FR only",
    ],
  );
  const lifted = diff([{ ...inFr, ranAt: undefined }], policyOf(banFr), policyOf()).permitted;
  assert.match(lifted[0]!.because[0]!, /"host-fr".*not in France/);
  const { lost } = drilled([{ kind: "maker", name: "X" }], inFr);
  assert.match(lost[0]!.because[0]!, /"host-fr".*: the drill takes the accelerators of X away$/);
});

test("a drill revokes adequacy, bans a maker and loses certificates", () => {
  const us: Loss = { kind: "adequacy", country: "US" };
  assert.deepEqual(lostOf([us], recorded("a", question({ processing: ["US"] }), "us", "us")), [
    ["a", { kind: "adequacy", country: "US" }],
  ]);
  assert.deepEqual(lostOf([us], recorded("a", question(), "us", "us")), [["a", { kind: "site", name: "fr" }]]);
  const maker: Loss = { kind: "maker", name: "X" };
  assert.deepEqual(lostOf([maker], recorded("a", question(), "fr", "fr", "us")), [["a", { kind: "site", name: "de" }]]);
  assert.deepEqual(lostOf([maker], recorded("a", question(), "de", "de")), []);
  const hds: Loss = { kind: "certificate", scheme: "HDS" };
  assert.deepEqual(lostOf([hds], recorded("a", question({ regimes: ["fr-health"] }), "fr", "fr")), [
    ["a", { kind: "certificate", site: "fr", scheme: "HDS" }],
  ]);
});

test("of several losses, the one that need not have come is told", () => {
  const losses: Loss[] = [
    { kind: "site", name: "de" },
    { kind: "certificate", scheme: "HDS" },
  ];
  const asked = question({ regimes: ["fr-health"] });
  assert.deepEqual(lostOf(losses, recorded("a", asked, "fr", "fr", "de")), [["a", { kind: "loss", loss: losses[1] }]]);
});

test("a drill of what is not there is refused, with what is", () => {
  const message = (loss: Loss) => {
    const found = drill({ facts, losses: [loss], placements: [], nowMs: testNowMs });
    return found.outcome === "unknown" ? found.message : assert.fail();
  };
  assert.equal(message({ kind: "site", name: "fra" }), 'there is no site "fra" to lose; did you mean "fr"?');
  assert.equal(message({ kind: "maker", name: "Nobody" }), 'there is no maker "Nobody" to lose; there are: X, Y');
  assert.match(message({ kind: "adequacy", country: "CN" }), /^there is no adequacy decision "CN" to lose/);
  assert.match(message({ kind: "certificate", scheme: "HSD" }), /did you mean "HDS"\?$/);
});

test("a site that only the settings know can be lost too", () => {
  const candidate: Candidate = { kind: "host", name: "h", site: { name: "here", jurisdiction: "DE" } };
  const placement = { question: question({ regimes: [] }), candidates: [candidate], ranAt: "h" };
  const found = drill({
    facts: factsOf({}),
    losses: [{ kind: "site", name: "here" }],
    placements: [placement],
    nowMs: testNowMs,
  });
  assert.ok(found.outcome === "drilled");
  assert.deepEqual([found.lost.length, found.lost[0]!.keptBy], [1, undefined]);
});
