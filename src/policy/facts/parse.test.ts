import assert from "node:assert/strict";
import { test } from "node:test";
import { parseFacts } from "../index.ts";
import { attested, company, factsOf, problemsOf, siteOf } from "./testing.ts";

test("the empty document is valid, and says nothing", () => {
  const parsed = parseFacts({});
  assert.ok(parsed.outcome === "parsed");
  assert.deepEqual(parsed.facts.sites, []);
  assert.match(parsed.sha256, /^[0-9a-f]{64}$/);
});

test("one member more or less is another version, the order of members is not", () => {
  const digest = (document: unknown) => {
    const parsed = parseFacts(document);
    return parsed.outcome === "parsed" ? parsed.sha256 : assert.fail();
  };
  const site = siteOf("fr", "FR", "A");
  const base = { operators: [company("A", "FR")], sites: [site] };
  const turned = { sites: [Object.fromEntries(Object.entries(site).toReversed())], operators: [company("A", "FR")] };
  assert.equal(digest(base), digest(turned));
  assert.notEqual(digest(base), digest({ ...base, sites: [siteOf("fr", "FR", "A", { place: "Lyon" })] }));
  assert.notEqual(digest(base), digest({ ...base, sites: [siteOf("fr", "FR", "A", { accessFrom: ["FR"] })] }));
});

test("an unknown key is refused with the nearest known one, at every depth", () => {
  assert.deepEqual(problemsOf({ site: [] }), ["site: is not known; did you mean sites?"]);
  const operators = [{ ...company("A", "FR"), certificats: [] }];
  assert.deepEqual(problemsOf({ operators }), ["operators[0].certificats: is not known; did you mean certificates?"]);
  const evidence = { ...attested, expiry: "2026-01-02" };
  const sites = [{ ...siteOf("fr", "FR", "A"), evidence }];
  assert.deepEqual(problemsOf({ operators: [company("A", "FR")], sites }), [
    "sites[0].evidence.expiry: is not known; did you mean expires?",
  ]);
  assert.deepEqual(problemsOf({ jurisdictions: { groups: { eu2: ["DE"] } } }), [
    "jurisdictions.groups.eu2: 3 to 32 of A-Z, 0-9 and underscore, beginning with a letter",
  ]);
});

test("an unknown jurisdiction is refused with the one that was meant", () => {
  const operators = [company("A", "FR")];
  assert.deepEqual(problemsOf({ operators, sites: [siteOf("x", "UK", "A")] }), [
    'sites[0].jurisdiction: "UK" is not an ISO 3166 code; did you mean "GB"?',
  ]);
  assert.deepEqual(problemsOf({ operators, sites: [siteOf("x", "EU", "A")] }), [
    'sites[0].jurisdiction: "EU" is a group of countries; a site lies in one of them',
  ]);
  assert.deepEqual(problemsOf({ operators: [company("A", "DE-BE")] }), [
    'operators[0].seat: a country ("DE"), not a part of one',
    'operators[0].owners[0].country: a country ("DE"), not a part of one',
  ]);
});

test("every name refers to something that is there, and names one thing", () => {
  const problems = problemsOf({
    operators: [company("Alpha", "FR"), company("Alpha", "FR")],
    sites: [siteOf("fr", "FR", "Alfa")],
    hosts: [{ name: "host_1", site: "de", accelerators: ["H100"], evidence: attested }],
  });
  assert.deepEqual(problems, [
    'operators[1].name: "Alpha" is there twice: one name is one thing',
    'sites[0].operator: "Alfa" is not in operators; did you mean "Alpha"?',
    'hosts[0].site: "de" is not in sites; add it to sites',
    'hosts[0].accelerators[0]: "H100" is not in accelerators; add it to accelerators',
  ]);
});

test("circular ownership names the circle", () => {
  const held = (operator: string) => [{ operator, votesPercent: 60, capitalPercent: 60 }];
  const operators = [
    company("A", "FR", { owners: held("B") }),
    company("B", "FR", { owners: held("C") }),
    company("C", "FR", { owners: held("A") }),
    company("D", "FR", { owners: held("A") }),
  ];
  assert.deepEqual(problemsOf({ operators }), [
    "operators[0].owners: it owns itself in a circle: A is owned by B is owned by C is owned by A",
  ]);
  assert.deepEqual(problemsOf({ operators: [company("A", "FR", { owners: held("A") })] }), [
    "operators[0].owners: it owns itself in a circle: A is owned by A",
  ]);
});

test("shares of more than the whole are refused, exactly", () => {
  const owners = (percent: string) => [
    { name: "a", country: "FR", votesPercent: "50.0001", capitalPercent: 50 },
    { name: "b", country: "FR", votesPercent: percent, capitalPercent: 50 },
  ];
  assert.deepEqual(problemsOf({ operators: [company("A", "FR", { owners: owners("49.9999") })] }), []);
  assert.deepEqual(problemsOf({ operators: [company("A", "FR", { owners: owners("50") })] }), [
    "operators[0].owners: its owners hold 100.0001 % of its votes together",
  ]);
  assert.match(problemsOf({ operators: [company("A", "FR", { owners: owners("33.33333") })] })[0]!, /four decimals/);
  assert.match(problemsOf({ operators: [company("A", "FR", { owners: owners("-1") })] })[0]!, /from 0 to 100/);
});

test("an owner has a country and a name, or is a company of the list", () => {
  const owner = (more: object) => [company("A", "FR", { owners: [{ votesPercent: 1, capitalPercent: 1, ...more }] })];
  const either = ["operators[0].owners[0]: an owner has either a country or an operator of this list"];
  assert.deepEqual(problemsOf({ operators: owner({ name: "x" }) }), either);
  assert.deepEqual(problemsOf({ operators: owner({ name: "x", country: "FR", operator: "A" }) }), either);
  assert.deepEqual(problemsOf({ operators: owner({ country: "FR" }) }), [
    "operators[0].owners[0]: an owner with a country needs a name",
  ]);
});

test("what never holds, revokes nothing or is a slip of a known name is refused", () => {
  const certificate = {
    scheme: "HDS",
    scope: "x",
    issuedOn: "2026-02-01",
    expiresOn: "2026-01-31",
    evidence: attested,
  };
  const operators = [company("A", "FR", { certificates: [certificate, { ...certificate, scheme: "c5-Type2" }] })];
  assert.deepEqual(problemsOf({ operators: [{ ...operators[0], certificates: [certificate] }] }), [
    "operators[0].certificates[0].expiresOn: it is before issuedOn: it would never hold",
  ]);
  assert.deepEqual(problemsOf({ operators }), ['operators[0].certificates[1].scheme: did you mean "C5-type-2"?']);
  assert.deepEqual(problemsOf({ jurisdictions: { revoked: [{ from: "EU", to: "CN", on: "2026-01-01" }] } }), [
    "jurisdictions.revoked[0]: there is no decision from EU about CN to revoke",
  ]);
  assert.deepEqual(problemsOf({ jurisdictions: { revoked: [{ from: "EU", to: "US", on: "2026-01-01" }] } }), []);
  assert.match(
    problemsOf({ sites: [siteOf("x", "FR", "A", { evidence: { ...attested, on: "2026-02-30" } })] })[0]!,
    /exists/,
  );
});

test("problems are bounded, whatever the document is", () => {
  const many = Object.fromEntries(Array.from({ length: 500 }, (_, at) => [`key${at}`, 1]));
  assert.equal(problemsOf(many).length, 50);
  assert.equal(problemsOf({ sites: Array.from({ length: 1000 }, () => ({})) }).length, 50);
  for (const document of [null, 7, "x", []]) assert.equal(problemsOf(document).length, 1);
});

test("what was left out has its default", () => {
  const facts = factsOf({ operators: [company("A", "FR")] });
  assert.deepEqual(facts.operators[0]!.certificates, []);
  assert.equal(facts.operators[0]!.owners[0]!.votesPercent, "100");
});

test("an attestation names a criterion that there is; documents without any keep their digest", () => {
  const said = (criterion: string) => ({ attestations: [{ criterion, text: "So it is.", evidence: attested }] });
  assert.deepEqual(problemsOf(said("SOV-8.4")), []);
  assert.deepEqual(problemsOf(said("SOV-8.5")), [
    'attestations[0].criterion: "SOV-8.5" is no criterion; did you mean "SOV-8.1"?',
  ]);
  assert.deepEqual(problemsOf(said("uptime")), [
    'attestations[0].criterion: "uptime" is no criterion; they go from SOV-1.1 to SOV-8.4',
  ]);
  assert.equal(Object.hasOwn(factsOf({}), "attestations"), false);
});

test("a host's engine has to be one of the list, and each is there once", () => {
  const engine = { developer: "D", developerCountry: "FR", licence: "MIT", evidence: attested };
  const document = {
    operators: [company("A", "FR")],
    sites: [siteOf("fr", "FR", "A")],
    engines: [
      { name: "vllm", ...engine },
      { name: "vllm", ...engine },
    ],
    hosts: [{ name: "h", site: "fr", engine: "vlm", evidence: attested }],
  };
  assert.deepEqual(problemsOf(document), [
    'engines[1].name: "vllm" is there twice: one name is one thing',
    'hosts[0].engine: "vlm" is not in engines; did you mean "vllm"?',
  ]);
});
