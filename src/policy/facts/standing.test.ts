import assert from "node:assert/strict";
import { test } from "node:test";
import { shippedAdequacy, standing } from "../index.ts";
import { liesWithin } from "../jurisdictions.ts";
import { adequacyListVersion } from "./adequacy-list.ts";
import { adequateAmong } from "./standing.ts";
import { attested, certified, company, factsOf, siteOf, testNowMs } from "./testing.ts";

const at = (text: string) => Date.parse(text);

test("evidence counts from its day to the end of its last one, and not a millisecond longer", () => {
  const evidence = { ...attested, on: "2026-03-01", expires: "2026-06-30" };
  const facts = factsOf({ operators: [company("A", "FR")], sites: [siteOf("fr", "FR", "A", { evidence })] });
  const jurisdiction = (nowMs: number) => standing(facts, nowMs).sites.get("fr")?.jurisdiction;
  assert.equal(jurisdiction(at("2026-03-01T00:00:00Z") - 1), undefined);
  assert.equal(jurisdiction(at("2026-03-01T00:00:00Z")), "FR");
  assert.equal(jurisdiction(at("2026-07-01T00:00:00Z") - 1), "FR");
  assert.equal(jurisdiction(at("2026-07-01T00:00:00Z")), undefined);
});

test("a certificate is in force on its last day, or until its instant; its evidence must count too", () => {
  const certificates = [
    certified("HDS", { expiresOn: "2026-06-30" }),
    certified("C5-type-2", { expiresOn: "2026-06-30T12:00:00Z" }),
    { ...certified("EUCS"), evidence: { ...attested, expires: "2026-06-29" } },
  ];
  const facts = factsOf({ operators: [company("A", "FR")], sites: [siteOf("fr", "FR", "A", { certificates })] });
  const held = (text: string, add = 0) =>
    standing(facts, at(text) + add)
      .sites.get("fr")
      ?.certificates.join(" ");
  assert.equal(held("2026-06-29T00:00:00Z"), "C5-type-2 EUCS HDS");
  assert.equal(held("2026-06-30T00:00:00Z"), "C5-type-2 HDS");
  assert.equal(held("2026-06-30T12:00:00Z", -1), "C5-type-2 HDS");
  assert.equal(held("2026-06-30T12:00:00Z"), "HDS");
  assert.equal(held("2026-07-01T00:00:00Z", -1), "HDS");
  assert.equal(held("2026-07-01T00:00:00Z"), "");
});

test("it says when it changes next, and has one id between two changes", () => {
  const evidence = { ...attested, expires: "2026-11-30" };
  const facts = factsOf({ operators: [company("A", "FR")], sites: [siteOf("fr", "FR", "A", { evidence })] });
  const now = standing(facts, testNowMs);
  assert.equal(now.changesAtMs, at("2026-12-01T00:00:00Z"));
  assert.equal(standing(facts, now.changesAtMs - 1).id, now.id);
  const then = standing(facts, now.changesAtMs);
  assert.notEqual(then.id, now.id);
  assert.equal(then.factsDigest, now.factsDigest);
  assert.equal(then.changesAtMs, at("2026-12-31T16:00:00Z"), "the year in China");
  assert.deepEqual([then.yearInChina, standing(facts, then.changesAtMs).yearInChina], [2026, 2027]);
});

test("an operator whose evidence has run out is nobody, and so is what it holds", () => {
  const evidence = { ...attested, expires: "2026-11-01" };
  const owners = [{ operator: "B", votesPercent: 100, capitalPercent: 100 }];
  const facts = factsOf({ operators: [company("A", "FR", { owners }), company("B", "FR", { evidence })] });
  const found = standing(facts, testNowMs);
  assert.deepEqual([...found.operators.keys()], ["A"]);
  assert.equal(found.operators.get("A")!.heldFromOutsideEu.votesPercent, "100.0");
  assert.equal(standing(facts, at("2026-11-01T00:00:00Z")).operators.get("A")!.heldFromOutsideEu.votesPercent, "0.0");
});

test("a host is where its evidence says, and its makers are known where theirs counts", () => {
  const lapsed = { ...attested, expires: "2026-11-01" };
  const part = (name: string, maker: string, evidence: object = attested) => ({
    name,
    maker,
    makerCountry: "US",
    evidence: { ...attested, ...evidence },
  });
  const facts = factsOf({
    operators: [company("A", "FR")],
    sites: [siteOf("fr", "FR", "A")],
    accelerators: [part("x1", "X"), part("y1", "Y", lapsed)],
    hosts: [
      { name: "a", site: "fr", accelerators: ["x1"], evidence: attested },
      { name: "b", site: "fr", accelerators: ["x1", "y1"], evidence: attested },
      { name: "c", site: "fr", accelerators: ["x1"], evidence: lapsed },
    ],
    withdrawn: { makers: ["Y"] },
  });
  const { hosts } = standing(facts, testNowMs);
  assert.deepEqual(hosts.get("a"), {
    name: "a",
    site: "fr",
    makers: ["X"],
    makerCountries: ["US"],
    engine: undefined,
    withdrawnMakers: [],
  });
  assert.deepEqual([hosts.get("b")!.makers, hosts.get("b")!.withdrawnMakers], [undefined, ["Y"]]);
  assert.equal(hosts.get("c")!.site, undefined);
});

test("a host's engine is what the facts name, where the evidence of both counts", () => {
  const lapsed = { ...attested, expires: "2026-11-01" };
  const engine = { developer: "ggml", developerCountry: "BG", licence: "MIT" };
  const facts = factsOf({
    operators: [company("A", "FR")],
    sites: [siteOf("fr", "FR", "A")],
    engines: [
      { name: "llama.cpp", ...engine, build: "b1", evidence: attested },
      { name: "old", ...engine, evidence: lapsed },
    ],
    hosts: [
      { name: "a", site: "fr", engine: "llama.cpp", evidence: attested },
      { name: "b", site: "fr", engine: "old", evidence: attested },
      { name: "c", site: "fr", engine: "llama.cpp", evidence: lapsed },
      { name: "d", site: "fr", evidence: attested },
    ],
  });
  const { hosts } = standing(facts, testNowMs);
  assert.deepEqual(hosts.get("a")!.engine, { name: "llama.cpp", ...engine, build: "b1", sha256: undefined });
  assert.deepEqual(
    ["b", "c", "d"].map((name) => hosts.get(name)!.engine),
    [undefined, undefined, undefined],
  );
  assert.equal(standing(facts, at("2026-10-31T12:00:00Z")).hosts.get("b")!.engine?.developer, "ggml");
});

test("adequacy is the shipped list, what an operator adds, and less what was revoked", () => {
  const source = "a decision";
  const facts = factsOf({
    jurisdictions: {
      adequacy: [
        { from: "EU", to: "KE", decidedOn: "2026-11-27", source },
        { from: "EEA", to: "SN", decidedOn: "2026-01-01", until: "2026-11-26", source },
        { from: "GB", to: "KZ", decidedOn: "2026-01-01", source },
      ],
      revoked: [{ from: "EU", to: "US", on: "2026-11-28" }],
    },
  });
  const adequate = (text: string, ...certificates: string[]) =>
    adequateAmong(
      ["DE", "NO", "CH", "US", "KE", "SN", "KZ", "CN", "CA-QC"],
      certificates,
      standing(facts, at(`${text}T00:00:00Z`)),
    ).join(" ");
  assert.equal(adequate("2026-11-26"), "DE NO CH SN");
  assert.equal(adequate("2026-11-27", "EU-US-DPF", "PIPEDA"), "DE NO CH US KE CA-QC");
  assert.equal(adequate("2026-11-28", "EU-US-DPF"), "DE NO CH KE");
});

test("the decision about the United Kingdom ends with 2031-12-27", () => {
  const adequate = (text: string) => adequateAmong(["GB"], [], standing(factsOf({}), at(text))).length;
  assert.deepEqual([adequate("2031-12-27T23:59:59Z"), adequate("2031-12-28T00:00:00Z")], [1, 0]);
});

test("the shipped decisions are dated, sourced, and about one country each, outside the EEA", () => {
  const countries = shippedAdequacy.map(({ to }) => to);
  assert.deepEqual(countries, [...new Set(countries)].sort());
  for (const { from, to, decidedOn, source } of shippedAdequacy) {
    assert.equal(from, "EEA");
    assert.ok(!liesWithin(to, "EEA"), to);
    assert.match(source, /Decision .*CELEX:3\d{4}D\d{4}$/);
    assert.ok(decidedOn < adequacyListVersion);
  }
});
